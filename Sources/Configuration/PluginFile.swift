/// Reads one file of `plugins.d`, of ours or of any auditd.
struct PluginFile {
  /// What the file asks for; its path is as written, and not yet looked for.
  var configuration: PluginConfiguration
  private(set) var diagnostics: [Diagnostic] = []
  /// Where the path stands in the file.
  var path: Word?
  /// Its users, groups and paths are as written, and not yet looked for.
  var confinement = ConfinementRequest()

  /// Whether there is no setting in it.
  private(set) var saysNothing = false
  var isUsable: Bool { !diagnostics.contains { $0.severity == .error } }

  /// The path names a plugin that auditd had built in.
  var isBuiltin: Bool { path?.text.lowercased().hasPrefix("builtin_") ?? false }

  init(_ bytes: [UInt8], file: String, name: String, defaults: PluginConfiguration) {
    configuration = defaults
    configuration.name = name
    configuration.file = file
    let text = ConfigurationText(bytes, file: file)
    saysNothing = text.settings.isEmpty
    diagnostics =
      Self.table.read(text) { setting throws(Diagnostic) in
        try Self.table.apply(setting, to: &self)
      }.problems
    do throws(Diagnostic) {
      try configuration.settleRestartDelays(given: text.settings)
    } catch { diagnostics.append(error) }
    settlePathAndType(text.settings)
    diagnostics.sortByPosition()
  }

  private mutating func settlePathAndType(_ settings: [Setting]) {
    if let path {
      configuration.path = path.text
      if !isBuiltin, let objection = Self.objection(toPath: path) { diagnostics.append(objection) }
    } else if configuration.isActive, settings.last(named: "path") == nil,
      let active = settings.last(named: "active")
    {
      diagnostics.append(
        active.values[0].error("active, but without a path", suggestion: "add a line 'path = /…'"))
    }
    if let type = settings.last(named: "type"), type.values[0].text.lowercased() == "builtin",
      path != nil,
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
