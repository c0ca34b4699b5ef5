/// Reads one file of `plugins.d`, of ours or of any auditd.
struct PluginFile {
  /// What the file asks for; its path is as written, and not yet looked for.
  private(set) var configuration: PluginConfiguration
  private(set) var diagnostics: [Diagnostic] = []
  /// Where the path stands in the file.
  private(set) var path: Word?
  /// Its users, groups and paths are as written, and not yet looked for.
  private(set) var confinement = ConfinementRequest()

  enum Keyword: String, CaseIterable {
    case active
    case arguments = "args"
    case direction
    case format
    case output
    case path
    case type
  }

  static let keywords =
    (Keyword.allCases.map(\.rawValue) + DeliveryKeyword.allCases.map(\.rawValue)
    + ConfinementKeyword.allCases.map(\.rawValue)).sorted()

  /// Whether a keyword is one of these files', and not of audispatchd.conf too.
  static func isOnlyPlugins(_ keyword: String) -> Bool {
    Keyword(rawValue: keyword) != nil || ConfinementKeyword(rawValue: keyword) != nil
  }

  var isUsable: Bool { !diagnostics.contains { $0.severity == .error } }

  /// The path names a plugin that auditd had built in.
  var isBuiltin: Bool { path?.text.lowercased().hasPrefix("builtin_") ?? false }

  init(_ bytes: [UInt8], file: String, name: String, defaults: PluginConfiguration) {
    configuration = defaults
    configuration.name = name
    configuration.file = file
    let text = ConfigurationText(bytes, file: file)
    diagnostics = text.diagnostics
    var lines: [String: Int] = [:]
    for setting in text.settings {
      let line = setting.keyword.position.line
      if diagnostics.isFull(at: line, of: file) { break }
      let keyword = setting.keyword.text.lowercased()
      if let before = lines[keyword] {
        diagnostics.append(
          setting.keyword.warning("given before, on line \(before); this one counts"))
      }
      lines[keyword] = line
      do throws(Diagnostic) {
        try apply(setting, keyword: keyword)
      } catch { diagnostics.append(error) }
    }
    do throws(Diagnostic) {
      try configuration.settleRestartDelays(given: text.settings)
    } catch { diagnostics.append(error) }
    settlePathAndType(text.settings)
    diagnostics.sortByPosition()
  }

  private mutating func apply(_ setting: Setting, keyword: String) throws(Diagnostic) {
    if let delivery = DeliveryKeyword(rawValue: keyword) {
      return try delivery.apply(setting, to: &configuration)
    }
    if let confining = ConfinementKeyword(rawValue: keyword) {
      return try confinement.apply(setting, confining)
    }
    guard let own = Keyword(rawValue: keyword) else {
      let elsewhere = DaemonFile.keywords.contains(keyword)
      throw setting.keyword.error(
        "unknown keyword",
        suggestion: elsewhere
          ? "it belongs into audispatchd.conf" : Suggestion.near(keyword, among: Self.keywords))
    }
    switch own {
    case .active: configuration.isActive = try setting.single().yesOrNo(for: keyword)
    case .arguments:
      configuration.arguments = setting.values.map(\.text)
      if let comment = setting.values.first(where: {
        $0.text.hasPrefix("#") && !$0.isQuoted
      }) {
        diagnostics.append(
          comment.warning(
            "taken as an argument",
            suggestion: "a comment has a line of its own; quotes make the purpose plain"))
      }
    case .direction:
      let value = try setting.single()
      guard value.text.lowercased() == "out" else {
        throw value.error("direction is out: plugins receive", suggestion: "did you mean 'out'?")
      }
    case .format:
      configuration.format = try setting.single().choice(RecordFormat.self, for: keyword)
    case .output:
      configuration.output = try setting.single().choice(PluginOutput.self, for: keyword)
    case .path: path = try setting.single()
    case .type: _ = try setting.single().choice(PluginType.self, for: keyword)
    }
  }

  private enum PluginType: String, CaseIterable {
    case always
    case builtin
  }

  private mutating func settlePathAndType(_ settings: [Setting]) {
    let last = { (keyword: Keyword) in
      settings.last { $0.keyword.text.lowercased() == keyword.rawValue }
    }
    if let path {
      configuration.path = path.text
      if !isBuiltin, let objection = Self.objection(toPath: path) { diagnostics.append(objection) }
    } else if configuration.isActive, last(.path) == nil, let active = last(.active) {
      diagnostics.append(
        active.values[0].error("active, but without a path", suggestion: "add a line 'path = /…'"))
    }
    if let type = last(.type), type.values[0].text.lowercased() == "builtin", path != nil,
      !isBuiltin
    {
      diagnostics.append(
        type.values[0].warning("the path is no builtin's; started as type = always"))
    }
  }

  private static func objection(toPath path: Word) -> Diagnostic? {
    if path.text.hasPrefix("/") {
      return path.text.hasSuffix("/") ? path.error("path names a folder") : nil
    }
    if PluginExecutable.isOwn(path.text) { return nil }
    return path.error(
      "path is an absolute path, or one of our plugins as audispatch-NAME",
      suggestion: path.text.contains("/") ? "did you mean '/\(path.text)'?" : nil)
  }
}
