import Linux

/// Reads `audispatchd.conf`, an `auditd.conf` of 2.8 to 4.2 or a 2.8 `audispd.conf`.
struct DaemonFile {
  private(set) var configuration = DaemonConfiguration()
  private(set) var diagnostics: [Diagnostic] = []
  /// What is wrong with auditd's keywords for peers; of no account where there are none.
  private(set) var remoteDiagnostics: [Diagnostic] = []
  /// Whether the file says where the plugins are.
  private(set) var namesPluginDirectory = false

  /// As written, and not yet looked for.
  private(set) var controlGroup: Word?

  enum Keyword: String, CaseIterable {
    case capabilityBound = "capability_bound"
    case controlGroup = "control_group"
    case haltExecutable = "halt_exe"
    case inputFraming = "input_framing"
    case journalBytes = "journal_bytes"
    case logFormat = "log_format"
    case name
    case nameFormat = "name_format"
    case pluginDirectory = "plugin_dir"
    case priorityBoost = "priority_boost"
    case runtimeDirectory = "runtime_dir"
    case singleExecutable = "single_exe"
    case source
    case spoolDirectory = "spool_dir"
    case spoolKeep = "spool_keep"
    case spoolReserve = "spool_reserve"
  }

  /// auditd's keywords that do not concern dispatch (auditd.conf(5) of 2.8 to 4.2).
  static let ignored: Set<String> = [
    "action_mail_acct", "admin_space_left", "admin_space_left_action", "disk_error_action",
    "disk_full_action", "distribute_network", "end_of_event_timeout", "flush",
    "freq", "krb5_key_file", "krb5_principal", "local_events", "log_file", "log_group",
    "max_log_file", "max_log_file_action", "num_logs", "report_interval", "space_left",
    "space_left_action", "tcp_listen_port",
    "verify_email",
    "write_logs",
  ]

  /// auditd 2.8's keywords for the program that this one now is.
  static let deprecated: Set<String> = ["dispatcher", "disp_qos"]

  /// Every word that may stand before the `=`, for suggestions.
  static let keywords =
    (Keyword.allCases.map(\.rawValue) + DeliveryKeyword.allCases.map(\.rawValue)
    + RemoteKeyword.allCases.map(\.rawValue) + ignored + deprecated).sorted()

  init(_ bytes: [UInt8], file: String) {
    let text = ConfigurationText(bytes, file: file)
    diagnostics = text.diagnostics
    var lines: [String: Int] = [:]
    for setting in text.settings {
      let line = setting.keyword.position.line
      if diagnostics.isFull(at: line, of: file) { break }
      let keyword = setting.keyword.text.lowercased()
      if let before = lines[keyword], keyword != Keyword.source.rawValue {
        diagnostics.append(
          setting.keyword.warning("given before, on line \(before); this one counts"))
      }
      lines[keyword] = line
      do throws(Diagnostic) {
        try apply(setting, keyword: keyword)
      } catch { diagnostics.append(error) }
    }
    do throws(Diagnostic) {
      try settle(text.settings)
    } catch { diagnostics.append(error) }
    diagnostics.sortByPosition()
  }

  private mutating func apply(_ setting: Setting, keyword: String) throws(Diagnostic) {
    if let delivery = DeliveryKeyword(rawValue: keyword) {
      try delivery.apply(setting, to: &configuration.pluginDefaults)
      if delivery == .queueDepth, configuration.pluginDefaults.queueDepth < 512 {
        diagnostics.append(
          setting.values[0].warning("q_depth under 512 overflows in any burst"))
      }
    } else if let own = Keyword(rawValue: keyword) {
      try apply(setting, own)
    } else if let remote = RemoteKeyword(rawValue: keyword) {
      do throws(Diagnostic) {
        try remote.apply(setting, to: &configuration.remote)
      } catch {
        // An auditd.conf may say there what it likes, as long as nobody connects.
        guard remote.isAuditds else { throw error }
        remoteDiagnostics.append(error)
      }
    } else if Self.deprecated.contains(keyword) {
      diagnostics.append(
        setting.keyword.warning("a keyword of auditd 2.8 that means nothing here; ignored"))
    } else if !Self.ignored.contains(keyword) {
      let onlyPlugins = PluginFile.isOnlyPlugins(keyword)
      throw setting.keyword.error(
        "unknown keyword",
        suggestion: onlyPlugins
          ? "it belongs into a file of plugins.d" : Suggestion.near(keyword, among: Self.keywords))
    }
  }

  private mutating func apply(_ setting: Setting, _ keyword: Keyword) throws(Diagnostic) {
    let name = keyword.rawValue
    switch keyword {
    case .capabilityBound: configuration.capabilityBound = try setting.capabilities()
    case .controlGroup: controlGroup = try setting.single()
    case .haltExecutable: configuration.haltCommand = try command(setting)
    case .inputFraming:
      configuration.inputFraming = try setting.single().choice(InputFraming.self, for: name)
    case .journalBytes:
      configuration.journalBytes = try setting.single().byteCount(
        in: (8 << 20)...(1 << 40), for: name)
    case .logFormat:
      let value = try setting.single()
      // auditd's `nolog` wrote no log, and sent its plugins what `raw` sends them.
      configuration.logFormat =
        value.text.lowercased() == "nolog" ? .raw : try value.choice(LogFormat.self, for: name)
    case .name: configuration.nodeName = try nodeName(setting.single())
    case .nameFormat:
      configuration.nameFormat = try setting.single().choice(NameFormat.self, for: name)
    case .pluginDirectory:
      configuration.pluginDirectory = try setting.single().absolutePath(for: name)
      namesPluginDirectory = true
    case .priorityBoost:
      configuration.priorityBoost = try setting.single().number(
        in: 0...Int(Int32.max), for: name)
    case .runtimeDirectory:
      configuration.runtimeDirectory = try setting.single().absolutePath(for: name)
    case .singleExecutable: configuration.singleCommand = try command(setting)
    case .spoolDirectory:
      configuration.spoolDirectory = try setting.single().absolutePath(for: name)
    case .spoolKeep:
      configuration.spoolKeep = try setting.single().seconds(
        in: .zero ... .seconds(100 * 365 * 86400), for: name)
    case .spoolReserve:
      configuration.spoolReserve = try setting.single().byteCount(in: 0...(1 << 50), for: name)
    case .source: configuration.sources.append(try source(setting.single()))
    }
  }

  private func command(_ setting: Setting) throws(Diagnostic) -> [String] {
    let path = try setting.values[0].absolutePath(for: setting.keyword.text)
    return [path] + setting.values.dropFirst().map(\.text)
  }

  private func nodeName(_ value: Word) throws(Diagnostic) -> String {
    guard !value.text.isEmpty, value.text.utf8.count <= 255,
      !value.text.utf8.contains(where: { $0 <= 0x20 })
    else {
      throw value.error("a node's name has 1 to 255 bytes and no spaces")
    }
    return value.text
  }

  private func source(_ value: Word) throws(Diagnostic) -> SourceConfiguration {
    do throws(SourceConfiguration.Refusal) {
      let source = try SourceConfiguration(text: value.text)
      if let conflict = source.conflict(with: configuration.sources) { throw conflict }
      if let path = source.path, !path.hasPrefix("/") {
        throw SourceConfiguration.Refusal(message: "the path of a source is absolute")
      }
      return source
    } catch { throw value.error(error.message, suggestion: error.suggestion) }
  }

  private mutating func settle(_ settings: [Setting]) throws(Diagnostic) {
    if configuration.nameFormat == .user, configuration.nodeName == nil,
      let format = settings.last(where: { $0.keyword.text.lowercased() == "name_format" })
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
