/// The keywords of a file of `plugins.d`.
extension PluginFile {
  static let table = {
    let delivery = DeliveryKeywords.all.map { $0.within(\PluginFile.configuration) }
    let confining = ConfinementRequest.keywords.map { $0.within(\PluginFile.confinement) }
    var table = KeywordTable<PluginFile>(own + delivery + confining)
    table.elsewhere = { name in
      DaemonFile.table.names.contains(name) ? "it belongs into audispatchd.conf" : nil
    }
    return table
  }()

  /// Whether a keyword is one of these files', and not of audispatchd.conf too.
  static func isOnlyPlugins(_ name: String) -> Bool {
    own.contains { $0.name == name } || ConfinementRequest.keywords.contains { $0.name == name }
  }

  /// What is neither delivery nor confinement.
  static let own: [Keyword<PluginFile>] = [
    .yesOrNo("active", "whether it is started", \.configuration.isActive),
    Keyword("args", "ARGUMENT", "that it is started with") {
      $0.configuration.arguments = $1.values.map(\.text)
    }.doubting { _, setting in
      setting.values.first { $0.text.hasPrefix("#") && !$0.isQuoted }?.warning(
        "taken as an argument",
        suggestion: "a comment has a line of its own; quotes make the purpose plain")
    },
    .value("direction", "out", "always", standard: "out") {
      (_: inout PluginFile, word: Word) throws(Diagnostic) in
      guard word.text.lowercased() == "out" else {
        throw word.error("direction is out: plugins receive", suggestion: "did you mean 'out'?")
      }
    },
    .choice("format", "FORM", "how records are written to it", \.configuration.format),
    .choice("hosts", "WHOSE", "whose records it is given", \.configuration.hosts),
    .choice("output", "HOW", "what becomes of its standard output", \.configuration.output),
    .value("path", "PATH", "the executable") { $0.path = $1 },
    .value("type", "TYPE", "always or builtin", standard: PluginType.always.rawValue) {
      (_: inout PluginFile, word: Word) throws(Diagnostic) in
      _ = try word.choice(PluginType.self, for: "type")
    },
  ]

  private enum PluginType: String, CaseIterable {
    case always
    case builtin
  }
}
