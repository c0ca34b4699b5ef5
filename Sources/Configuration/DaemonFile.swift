import Linux

/// Reads `audispatchd.conf`, an `auditd.conf` of 2.8 to 4.2 or a 2.8 `audispd.conf`.
struct DaemonFile {
  var configuration = DaemonConfiguration()
  private(set) var diagnostics: [Diagnostic] = []
  /// What is wrong with auditd's keywords for peers; of no account where there are none.
  var remoteDiagnostics: [Diagnostic] = []
  /// Whether the file says where the plugins are.
  var namesPluginDirectory = false
  /// As written, and not yet looked for.
  var controlGroup: Word?

  init(_ bytes: [UInt8], file: String) {
    let text = ConfigurationText(bytes, file: file)
    diagnostics =
      Self.table.read(text) { setting throws(Diagnostic) in
        try Self.table.apply(setting, to: &self)
      }.problems
    do throws(Diagnostic) {
      try settle(text.settings)
    } catch { diagnostics.append(error) }
    diagnostics.sortByPosition()
  }

  private mutating func settle(_ settings: [Setting]) throws(Diagnostic) {
    if configuration.nameFormat == .user, configuration.nodeName == nil,
      let format = settings.last(named: "name_format")
    {
      throw format.values[0].error(
        "name_format = user needs a name", suggestion: "add a line 'name = …'")
    }
    try configuration.pluginDefaults.settleRestartDelays(given: settings)
  }
}

extension [Diagnostic] {
  /// In the order of the lines; within a line as they were found.
  package mutating func sortByPosition() {
    let ordered = enumerated().sorted { a, b in
      let (p, q) = (a.element.position, b.element.position)
      return (p?.line ?? 0, p?.column ?? 0, a.offset) < (q?.line ?? 0, q?.column ?? 0, b.offset)
    }
    self = ordered.map(\.element)
  }
}
