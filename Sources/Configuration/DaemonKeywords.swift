/// The keywords of `audispatchd.conf`.
extension DaemonFile {
  static let table = {
    var table = KeywordTable<DaemonFile>(
      own + remote + DeliveryKeywords.all.map(everyPlugins))
    table.ignored = ofAuditd
    table.obsolete = (
      ["dispatcher", "disp_qos"], "a keyword of auditd 2.8 that means nothing here; ignored"
    )
    table.elsewhere = {
      PluginFile.isOnlyPlugins($0) ? "it belongs into a file of plugins.d" : nil
    }
    return table
  }()

  /// What is this file's alone.
  static let own: [Keyword<DaemonFile>] = records + resources

  private static let records: [Keyword<DaemonFile>] = [
    .value("source", "SOURCE", "where events come from", repeats: true) {
      (file: inout DaemonFile, word: Word) throws(Diagnostic) in
      let source = try SourceConfiguration(word, beside: file.configuration.sources)
      if let path = source.path, !path.hasPrefix("/") {
        throw word.error("the path of a source is absolute")
      }
      file.configuration.sources.append(source)
    },
    .choice(
      "input_framing", "HOW", "how long a binary record is on the input",
      \.configuration.inputFraming),
    .value(
      "log_format", "FORM", "whether the kernel source adds names beside numbers",
      standard: LogFormat.enriched.rawValue
    ) { (file: inout DaemonFile, word: Word) throws(Diagnostic) in
      // auditd's `nolog` wrote no log, and sent its plugins what `raw` sends them.
      file.configuration.logFormat =
        word.text.lowercased() == "nolog"
        ? .raw : try word.choice(LogFormat.self, for: "log_format")
    },
    .choice(
      "name_format", "FORM", "what a record that names no node is given",
      \.configuration.nameFormat),
    .value("name", "NODE", "the node with name_format = user") {
      (file: inout DaemonFile, word: Word) throws(Diagnostic) in
      guard !word.text.isEmpty, word.text.utf8.count <= 255,
        !word.text.utf8.contains(where: { $0 <= 0x20 })
      else { throw word.error("a node's name has 1 to 255 bytes and no spaces") }
      file.configuration.nodeName = word.text
    },
  ]

  private static let resources: [Keyword<DaemonFile>] = [
    .path("plugin_dir", "DIR", "the folder of the plugins' files", \.pluginDirectory),
    .path(
      "runtime_dir", "DIR", "where the control socket and state.json are",
      \.configuration.runtimeDirectory),
    .path(
      "spool_dir", "DIR", "where durable queues lie", \.configuration.spoolDirectory),
    .seconds(
      "spool_keep", "that the queue of a plugin that is gone is kept", \.configuration.spoolKeep,
      .zero ... .seconds(100 * 365 * 86400)),
    .bytes(
      "spool_reserve", "BYTES", "that the spool leaves free", \.configuration.spoolReserve,
      0...(1 << 50)),
    .bytes(
      "journal_bytes", "BYTES", "that may be held for all plugins together",
      \.configuration.journalBytes, (8 << 20)...(1 << 40)),
    .seconds(
      "latency_max", "that records may gather before they are written, where many come; 0: none",
      \.configuration.latencyMax, .zero ... .milliseconds(100)),
    .value(
      "reload_wait", "SECONDS",
      "that plugins outlive the end of auditd's input, for the next one; auto", standard: "auto"
    ) { (file: inout DaemonFile, word: Word) throws(Diagnostic) in
      if word.text.lowercased() == "auto" {
        file.configuration.reloadWait = nil
        return
      }
      do throws(Diagnostic) {
        file.configuration.reloadWait = try word.seconds(
          in: .zero ... .seconds(3600), for: "reload_wait")
      } catch { throw word.error("reload_wait is a number of seconds from 0 to 3600, or auto") }
    },
    .number(
      "priority_boost", "NUMBER", "by which the daemon's nice value is lowered",
      \.configuration.priorityBoost, 0...Int(Int32.max)),
    Keyword("capability_bound", "NAME", "what the daemon and its plugins may have at most") {
      (file: inout DaemonFile, setting: Setting) throws(Diagnostic) in
      file.configuration.capabilityBound = try setting.capabilities()
    },
    .value("control_group", "GROUP", "who may use the control socket beside root") {
      $0.controlGroup = $1
    },
    command("single_exe", "what overflow_action = single executes", \.singleCommand),
    command("halt_exe", "what overflow_action = halt executes", \.haltCommand),
  ]

  private static let remote =
    RemoteKeywords.own.map { $0.within(\.configuration.remote) }
    + RemoteKeywords.ofAuditd.map { keyword in
      keyword.within(\DaemonFile.configuration.remote).excusing { $0.remoteDiagnostics.append($1) }
    }

  private static func command(
    _ name: String, _ about: String,
    _ place: any WritableKeyPath<DaemonConfiguration, [String]> & Sendable
  ) -> Keyword<DaemonFile> {
    Keyword(
      name, "PATH", about,
      standard: DaemonConfiguration()[keyPath: place].joined(separator: " ")
    ) { (file: inout DaemonFile, setting: Setting) throws(Diagnostic) in
      let path = try setting.values[0].absolutePath(for: name)
      file.configuration[keyPath: place] = [path] + setting.values.dropFirst().map(\.text)
    }
  }

  private static func everyPlugins(
    _ keyword: Keyword<PluginConfiguration>
  ) -> Keyword<DaemonFile> {
    let keyword = keyword.within(\DaemonFile.configuration.pluginDefaults)
    guard keyword.name == "q_depth" else { return keyword }
    return keyword.doubting { file, setting in
      file.configuration.pluginDefaults.queueDepth < 512
        ? setting.values[0].warning("q_depth under 512 overflows in any burst") : nil
    }
  }

  private var pluginDirectory: String {
    get { configuration.pluginDirectory }
    set {
      configuration.pluginDirectory = newValue
      namesPluginDirectory = true
    }
  }

  /// auditd's keywords that do not concern dispatch (auditd.conf(5) of 2.8 to 4.2).
  private static let ofAuditd: Set<String> = [
    "action_mail_acct", "admin_space_left", "admin_space_left_action", "disk_error_action",
    "disk_full_action", "distribute_network", "end_of_event_timeout", "flush",
    "freq", "krb5_key_file", "krb5_principal", "local_events", "log_file", "log_group",
    "max_log_file", "max_log_file_action", "num_logs", "report_interval", "space_left",
    "space_left_action", "tcp_listen_port", "verify_email", "write_logs",
  ]
}
