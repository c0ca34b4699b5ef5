import Configuration
import Testing

@Suite("A file of plugins.d")
struct PluginFileTests {
  static let keywords: [(String, @Sendable (inout PluginConfiguration) -> Void)] = [
    ("format = binary", { $0.format = .binary }),
    ("binary_framing = fixed", { $0.binaryFraming = .fixed }),
    ("binary_framing = Compact", { $0.binaryFraming = .compact }),
    ("q_depth = 1", { $0.queueDepth = 1 }), ("q_depth = 10000000", { $0.queueDepth = 10_000_000 }),
    ("q_bytes = 4096", { $0.queueBytes = 4096 }), ("q_bytes = 64k", { $0.queueBytes = 65536 }),
    ("q_bytes = 2G", { $0.queueBytes = 2 << 30 }),
    ("overflow_action = DROP_OLDEST", { $0.overflowAction = .dropOldest }),
    ("overflow_action = halt", { $0.overflowAction = .halt }),
    ("max_restarts = 0", { $0.maxRestarts = 0 }), ("gap_record = no", { $0.gapRecord = false }),
    ("restart_delay = 0.25", { $0.restartDelay = .milliseconds(250) }),
    ("restart_delay_max = 90", { $0.restartDelayMax = .seconds(90) }),
    ("held_delay = 3600", { $0.heldDelay = .seconds(3600) }),
    ("stop_timeout = 0", { $0.stopTimeout = .zero }),
    ("stall_timeout = 0", { $0.stallTimeout = .zero }),
    ("stall_timeout = 1.5", { $0.stallTimeout = .milliseconds(1500) }),
    ("hosts = own", { $0.hosts = .own }),
    ("stall_action = restart", { $0.restartsWhenStalled = true }),
    ("args = --config '/etc/a b' \"\"", { $0.arguments = ["--config", "/etc/a b", ""] }),
    // The other pause gives way where only one is said.
    (
      "restart_delay = 60",
      {
        $0.restartDelay = .seconds(60)
        $0.restartDelayMax = .seconds(60)
      }
    ),
    (
      "restart_delay_max = 0.05",
      {
        $0.restartDelay = .milliseconds(50)
        $0.restartDelayMax = .milliseconds(50)
      }
    ),
  ]

  @Test(arguments: keywords.indices)
  func `sets what a keyword says`(_ index: Int) throws {
    let (line, change) = Self.keywords[index]
    var expected = try #require(Host.load(plugin: Plain.text).plugins.first)
    change(&expected)
    let loaded = Host.load(plugin: Plain.with(line))
    // Only the file's inode differs between the two hosts.
    #expect(loaded.plugins == [expected], "\(line): \(loaded.texts)")
    #expect(loaded.exitStatus == 0)
  }

  static let problems: [(String, String)] = [
    ("active = yess", "1:10: error: active is yes or no ('yess'); did you mean 'yes'?"),
    ("active = true", "1:10: error: active is yes or no ('true'); did you mean 'yes'?"),
    (
      "active = yes # on",
      "1:14: error: active takes one value ('#'); put the comment on a line of its own"
    ),
    ("actve = yes", "1:1: error: unknown keyword ('actve'); did you mean 'active'?"),
    ("zzz = yes", "1:1: error: unknown keyword ('zzz')"),
    (
      "plugin_dir = /x",
      "1:1: error: unknown keyword ('plugin_dir'); it belongs into audispatchd.conf"
    ),
    (
      "direction = in", "1:13: error: direction is out: plugins receive ('in'); did you mean 'out'?"
    ),
    (
      "type = allways",
      "1:8: error: type is one of always, builtin ('allways'); did you mean 'always'?"
    ),
    ("format = json", "1:10: error: format is one of string, binary ('json')"),
    (
      "path = sbin/p",
      "1:8: error: path is an absolute path, or one of our plugins as audispatch-NAME ('sbin/p'); "
        + "did you mean '/sbin/p'?"
    ),
    ("path = /sbin/", "1:8: error: path names a folder ('/sbin/')"),
    (
      "path = /a b",
      "1:11: error: path takes one value ('b'); put quotes around a value with spaces"
    ),
    (
      "q_depth = 1k",
      "1:11: error: q_depth is a number from 1 to 10000000 ('1k'); did you mean '1000'?"
    ),
    ("q_depth = 0", "1:11: error: q_depth is a number from 1 to 10000000 ('0')"),
    (
      "q_bytes = 1.5M",
      "1:11: error: q_bytes is a number of bytes from 1 to 1T ('1.5M'); "
        + "write it as 4096, 64K, 16M or 1G"
    ),
    (
      "q_bytes = 16MiB",
      "1:11: error: q_bytes is a number of bytes from 1 to 1T ('16MiB'); did you mean '16M'?"
    ),
    (
      "overflow_action = drop-oldest",
      "1:19: error: overflow_action is one of ignore, syslog, drop_oldest, suspend, single, halt, "
        + "spill, lossless "
        + "('drop-oldest'); did you mean 'drop_oldest'?"
    ),
    (
      "stop_timeout = 5s",
      "1:16: error: stop_timeout is a number of seconds from 0 to 86400 ('5s'); did you mean '5'?"
    ),
    (
      "restart_delay = 0",
      "1:17: error: restart_delay is a number of seconds from 0.001 to 86400 ('0')"
    ),
    (
      "restart_delay = 9\nrestart_delay_max = 8",
      "1:17: error: restart_delay is longer than restart_delay_max ('9')"
    ),
    ("active = yes", "1:10: error: active, but without a path ('yes'); add a line 'path = /…'"),
    (
      "active = no\npath = /sbin/p\nargs = a # b",
      "3:10: warning: taken as an argument ('#'); "
        + "a comment has a line of its own; quotes make the purpose plain"
    ),
    (
      "active = yes\nactive = no",
      "2:1: warning: given before, on line 1; this one counts ('active')"
    ),
    (
      "type = builtin\npath = /sbin/p",
      "1:8: warning: the path is no builtin's; started as type = always ('builtin')"
    ),
  ]

  @Test(arguments: problems)
  func `says what is wrong, where, and what was meant`(_ text: String, _ expected: String) {
    let loaded = Host.load(plugin: text)
    #expect(loaded.pluginTexts == ["/etc/audispatch/plugins.d/p.conf:" + expected])
  }

  @Test func `reports every line that is wrong`() {
    let loaded = Host.load(plugin: "active = maybe\nfoo = bar\n\nformat = xml\nnonsense\n")
    #expect(loaded.diagnostics.compactMap { $0.position?.line } == [1, 2, 4, 5])
  }

  @Test func `is refused without a flood of lines`() {
    let loaded = Host.load(plugin: String(repeating: "foo = bar\n", count: 1000))
    #expect(loaded.unusablePlugins == ["p"])
    #expect((100...102).contains(loaded.diagnostics.count))
  }

  @Test func `stands over audispatchd.conf, and that over the defaults`() throws {
    var host = Host()
    host[ConfigurationRequest.standardDaemonFile] = .file("q_depth = 700\nmax_restarts = 3\n")
    host[Host.plugins + "/p.conf"] = .file(Plain.with("q_depth = 9"))
    let plugin = try #require(host.load().plugins.first)
    #expect(plugin.queueDepth == 9)
    #expect(plugin.maxRestarts == 3)
    #expect(plugin.queueBytes == 16 << 20)
  }

  @Test(arguments: [
    ("builtin_af_unix", "needs audispatch-socket, which is not installed"),
    ("builtin_syslog", "needs audispatch-syslog, which is not installed"),
    ("Builtin_Syslog", "needs audispatch-syslog, which is not installed"),
    ("builtin_syslogd", "unknown builtin"),
  ])
  func `of a builtin says what it needs`(_ path: String, _ message: String) {
    let loaded = Host.load(plugin: Plain.with("path = \(path)", "type = builtin"))
    #expect(loaded.diagnostics.contains { $0.message == message + "; not started" })
    #expect(loaded.plugins.map(\.isActive) == [false])
  }

  @Test(arguments: [
    ("builtin_syslog", "audispatch-syslog", ["LOG_INFO", "--eoe=no"]),
    ("Builtin_AF_Unix", "audispatch-socket", ["LOG_INFO"]),
  ])
  func `of a builtin starts what takes its place`(
    _ path: String, _ successor: String, _ arguments: [String]
  ) {
    var host = Host()
    host["/usr/libexec/audispatch/" + successor] = .program()
    host[Host.plugins + "/p.conf"] = .file(
      Plain.with("path = \(path)", "type = builtin", "args = LOG_INFO"))
    let loaded = host.load()
    #expect(loaded.pluginTexts == [])
    #expect(loaded.plugins.map(\.path) == ["/usr/libexec/audispatch/" + successor])
    #expect(loaded.plugins.map(\.arguments) == [arguments])
    #expect(loaded.plugins.map(\.isActive) == [true])
  }

  @Test(arguments: [
    ("string", "0640 /run/x", ["0640", "/run/x"]),
    ("binary", "0640 /run/x", ["0640", "/run/x", "binary"]),
    ("binary", "0640 /run/x string", ["0640", "/run/x", "string"]),
  ])
  func `of builtin_af_unix gives the socket's clients its format`(
    _ format: String, _ arguments: String, _ expected: [String]
  ) {
    var host = Host()
    host["/usr/libexec/audispatch/audispatch-socket"] = .program()
    host[Host.plugins + "/p.conf"] = .file(
      Plain.with("path = builtin_af_unix", "format = \(format)", "args = \(arguments)"))
    #expect(host.load().plugins.map(\.arguments) == [expected])
  }

  @Test func `of an inactive builtin is nothing to speak of`() {
    let loaded = Host.load(
      plugin: Plain.with("active = no", "path = builtin_af_unix", "type = builtin"))
    #expect(loaded.pluginTexts == [])
  }
}
