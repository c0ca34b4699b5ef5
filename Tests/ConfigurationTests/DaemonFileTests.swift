import Linux
import Configuration
import Testing

@Suite("audispatchd.conf")
struct DaemonFileTests {
  static let keywords: [(String, @Sendable (inout DaemonConfiguration) -> Void)] = [
    ("source = stdin", { $0.sources = [.standardInput] }),
    ("source = kernel", { $0.sources = [.kernel] }),
    ("source = unix:/run/x", { $0.sources = [.unixSocket("/run/x")] }),
    (
      "source = file:/a:b\nsource = 'file:/c d'", { $0.sources = [.file("/a:b"), .file("/c d")] }
    ),
    ("input_framing = fixed", { $0.inputFraming = .fixed }),
    ("input_framing = AUTO", { _ in }),
    ("plugin_dir = /x/y/", { $0.pluginDirectory = "/x/y" }),
    ("runtime_dir = /x", { $0.runtimeDirectory = "/x" }),
    ("spool_dir = /x/", { $0.spoolDirectory = "/x" }),
    ("spool_keep = 3600", { $0.spoolKeep = .seconds(3600) }),
    ("spool_keep = 0", { $0.spoolKeep = .zero }),
    ("spool_reserve = 1G", { $0.spoolReserve = 1 << 30 }),
    ("control_group = adm", { $0.controlGroup = 4 }),
    ("capability_bound = none", { $0.capabilityBound = [] }),
    (
      "capability_bound = setuid CAP_CHOWN",
      { $0.capabilityBound = Capabilities(rawValue: 1 << 7 | 1 << 0) }
    ),
    ("control_group = 1234", { $0.controlGroup = 1234 }),
    ("journal_bytes = 1G", { $0.journalBytes = 1 << 30 }),
    ("latency_max = 0", { $0.latencyMax = .zero }),
    ("latency_max = 0.0025", { $0.latencyMax = .microseconds(2500) }),
    ("reload_wait = 2.5", { $0.reloadWait = .milliseconds(2500) }),
    ("reload_wait = 0", { $0.reloadWait = .zero }),
    ("reload_wait = 3\nreload_wait = AUTO", { _ in }),
    ("priority_boost = 0", { $0.priorityBoost = 0 }),
    ("name_format = FQD", { $0.nameFormat = .fqd }),
    (
      "name_format = user\nname = n",
      {
        $0.nameFormat = .user
        $0.nodeName = "n"
      }
    ),
    ("log_format = RAW", { $0.logFormat = .raw }), ("log_format = NOLOG", { $0.logFormat = .raw }),
    ("log_format = enriched", { _ in }),
    ("single_exe = /bin/true", { $0.singleCommand = ["/bin/true"] }),
    ("halt_exe = /bin/sh -c 'a b'", { $0.haltCommand = ["/bin/sh", "-c", "a b"] }),
    ("q_depth = 512", { $0.pluginDefaults.queueDepth = 512 }),
    ("q_bytes = 1M", { $0.pluginDefaults.queueBytes = 1 << 20 }),
    ("overflow_action = SUSPEND", { $0.pluginDefaults.overflowAction = .suspend }),
    ("binary_framing = compact", { $0.pluginDefaults.binaryFraming = .compact }),
    ("stall_action = restart", { $0.pluginDefaults.restartsWhenStalled = true }),
    ("space_left_action = exec /bin/x", { _ in }),
  ]

  @Test(arguments: keywords.indices)
  func `sets what a keyword says`(_ index: Int) {
    let (lines, change) = Self.keywords[index]
    var expected = DaemonConfiguration()
    change(&expected)
    let loaded = Host.load(daemon: lines)
    #expect(loaded.daemon == expected, "\(lines): \(loaded.texts)")
    #expect(loaded.count(.error) == 0)
  }

  static let problems: [(String, String)] = [
    ("q_dept = 9", "1:1: error: unknown keyword ('q_dept'); did you mean 'q_depth'?"),
    (
      "control_group = amd",
      "1:17: error: there is no such group in /etc/group ('amd'); did you mean 'adm'?"
    ),
    (
      "latency_max = 1",
      "1:15: error: latency_max is a number of seconds from 0 to 0.1 ('1')"
    ),
    (
      "latency_max = 1ms",
      "1:15: error: latency_max is a number of seconds from 0 to 0.1 ('1ms'); did you mean '0.001'?"
    ),
    (
      "spool_keep = 7d",
      "1:14: error: spool_keep is a number of seconds from 0 to 3153600000 ('7d'); did you mean "
        + "'604800'?"
    ),
    (
      "source = kernel\nsource = stdin",
      "2:10: error: a second source of this host ('stdin'); keep one of stdin, unix:, kernel; beside "
        + "it may be tcp: and tls:"
    ),
    (
      "reload_wait = 3601",
      "1:15: error: reload_wait is a number of seconds from 0 to 3600, or auto ('3601')"
    ),
    (
      "reload_wait = soon",
      "1:15: error: reload_wait is a number of seconds from 0 to 3600, or auto ('soon')"
    ),
    ("args = a", "1:1: error: unknown keyword ('args'); it belongs into a file of plugins.d"),
    ("q_depth = 511", "1:11: warning: q_depth under 512 overflows in any burst ('511')"),
    (
      "source = kernl",
      "1:10: error: a source is stdin, unix:PATH, kernel, file:PATH, tcp:ADDRESS:PORT or "
        + "tls:ADDRESS:PORT ('kernl'); did you mean 'kernel'?"
    ),
    (
      "source = /var/log/audit/audit.log",
      "1:10: error: a source is stdin, unix:PATH, kernel, file:PATH, tcp:ADDRESS:PORT or "
        + "tls:ADDRESS:PORT ('/var/log/audit/audit.log'); did you mean 'file:/var/log/audit/audit.log'?"
    ),
    ("source = unix:", "1:10: error: unix needs a path ('unix:'); write 'unix:/PATH'"),
    ("source = file:a", "1:10: error: the path of a source is absolute ('file:a')"),
    ("source = stdin:x", "1:10: error: stdin takes no path ('stdin:x'); did you mean 'stdin'?"),
    ("source = kernel\nsource = kernel", "2:10: error: the same source twice ('kernel')"),
    (
      "source = kernel\nsource = file:/a",
      "2:10: error: files are read to their end and cannot stand beside a live source ('file:/a')"
    ),
    (
      "name = a b", "1:10: error: name takes one value ('b'); put quotes around a value with spaces"
    ),
    (
      "name_format = user",
      "1:15: error: name_format = user needs a name ('user'); add a line 'name = …'"
    ),
    ("halt_exe = init 0", "1:12: error: halt_exe is an absolute path ('init')"),
    (
      "disp_qos = lossy",
      "1:1: warning: a keyword of auditd 2.8 that means nothing here; ignored ('disp_qos')"
    ),
  ]

  @Test(arguments: problems)
  func `says what is wrong, where, and what was meant`(_ text: String, _ expected: String) {
    let loaded = Host.load(daemon: text)
    #expect(loaded.texts == ["/etc/audispatch/audispatchd.conf:" + expected])
  }

  @Test(arguments: [
    "action_mail_acct", "admin_space_left", "admin_space_left_action", "disk_error_action",
    "disk_full_action", "distribute_network", "enable_krb5", "end_of_event_timeout", "flush",
    "freq", "krb5_key_file", "krb5_principal", "local_events", "log_file", "log_group",
    "max_log_file", "max_log_file_action", "num_logs", "report_interval", "space_left",
    "space_left_action", "tcp_client_max_idle", "tcp_client_ports", "tcp_listen_port",
    "tcp_listen_queue", "tcp_max_per_addr", "transport", "use_libwrap", "verify_email",
    "write_logs",
  ])
  func `accepts and ignores auditd's keyword`(_ keyword: String) {
    let loaded = Host.load(daemon: "\(keyword) = anything\n")
    #expect(loaded.texts == [])
    #expect(loaded.daemon == DaemonConfiguration())
  }

  @Test func `may be missing in its usual place`() {
    let loaded = Host().load()
    #expect(
      loaded.texts == [
        "/etc/audispatch/audispatchd.conf: note: not there: every setting has its default"
      ])
    #expect(loaded.daemon == DaemonConfiguration())
    #expect(loaded.isDaemonUsable)
  }

  @Test func `must be there when it is named`() {
    var request = ConfigurationRequest()
    request.daemonFile = .named("/etc/none.conf")
    let loaded = Host().load(request)
    #expect(loaded.texts == ["/etc/none.conf: error: cannot be read: No such file or directory"])
    #expect(!loaded.isDaemonUsable)
    #expect(loaded.exitStatus == 6)
  }

  @Test func `is not trusted when others may write to it`() {
    var host = Host()
    host[ConfigurationRequest.standardDaemonFile] = .file("", mode: 0o664)
    #expect(!host.load().isDaemonUsable)
  }

  @Test func `gives way to the command line`() {
    var host = Host()
    host[ConfigurationRequest.standardDaemonFile] = .file(
      "source = kernel\nplugin_dir = /x\nruntime_dir = /y\ninput_framing = fixed\n")
    var request = ConfigurationRequest()
    request.sources = [.file("log")]
    request.inputFraming = .compact
    request.pluginDirectory = Host.plugins
    request.runtimeDirectory = "run"
    let daemon = host.load(request).daemon
    #expect(daemon.sources == [.file("log")])
    #expect(daemon.inputFraming == .compact)
    #expect(daemon.pluginDirectory == Host.plugins)
    #expect(daemon.runtimeDirectory == "run")
  }

  @Test func `is audispd.conf in a folder that has one, as for 2.8`() {
    var host = Host()
    var request = ConfigurationRequest()
    request.daemonFile = .folder("/etc/audispatch")
    host["/etc/audispatch/audispatchd.conf"] = .file("q_depth = 1000\n")
    #expect(host.load(request).daemon.pluginDefaults.queueDepth == 1000)
    host["/etc/audispatch/audispd.conf"] = .file("q_depth = 2000\n")
    #expect(host.load(request).daemonFile == "/etc/audispatch/audispd.conf")
  }

  @Test func `that cannot be used leaves the plugins that run alone`() {
    var host = Host()
    host["/etc/audispatch/plugins.d/p.conf"] = .file(Plain.text)
    host[ConfigurationRequest.standardDaemonFile] = .file("plugin_dr = /etc/other\n")
    let loaded = host.load()
    #expect(!loaded.isPluginDirectoryRead)
    #expect(loaded.report.contains("\nplugin p: active, /sbin/p\n"))
  }
}
