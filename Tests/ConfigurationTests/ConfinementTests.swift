import Configuration
import Linux
import Testing

@Suite("The confinement in a file of plugins.d")
struct ConfinementTests {
  static let settings: [(String, @Sendable (inout Confinement) -> Void)] = [
    (
      "user = nobody",
      {
        $0.user = 65534
        $0.group = 65534
      }
    ),
    (
      "user = 999",
      {
        $0.user = 999
        $0.group = 995
      }
    ),
    (
      "user = 4000000000\ngroup = adm",
      {
        $0.user = 4_000_000_000
        $0.group = 4
      }
    ),
    ("group = ssl-cert", { $0.group = 110 }),
    ("supplementary_groups = adm 77 ssl-cert", { $0.supplementaryGroups = [4, 77, 110] }),
    ("supplementary_groups = none", { $0.supplementaryGroups = [] }),
    ("capabilities = none", { $0.capabilities = [] }),
    ("capabilities = CAP_KILL", { $0.capabilities = Capabilities(rawValue: 1 << 5) }),
    (
      "capabilities = chown cap_audit_read Checkpoint_Restore",
      { $0.capabilities = Capabilities(rawValue: 1 << 0 | 1 << 37 | 1 << 40) }
    ),
    ("no_new_privs = yes", { $0.noNewPrivileges = true }),
    ("no_new_privs = no", { _ in }),
    ("limit_files = 8", { $0.limits.files = 8 }),
    ("limit_processes = 1", { $0.limits.processes = 1 }),
    ("limit_memory = 256M", { $0.limits.memory = 256 << 20 }),
    ("limit_core = 0", { $0.limits.core = 0 }),
    ("read_paths = /etc /usr/share/zoneinfo/", { $0.readPaths = ["/etc", "/usr/share/zoneinfo"] }),
    ("read_paths = None", { $0.readPaths = [] }),
    ("write_paths = / '/sbin/p'", { $0.writePaths = ["/", "/sbin/p"] }),
  ]

  @Test(arguments: settings.indices)
  func `is what the keywords say`(_ index: Int) throws {
    let (lines, change) = Self.settings[index]
    var expected = Confinement()
    change(&expected)
    let loaded = Host.load(plugin: Plain.text + lines + "\n")
    #expect(loaded.pluginTexts == [])
    #expect(loaded.plugins.map(\.confinement) == [expected])
  }

  static let problems: [(String, String)] = [
    (
      "user = nobdy",
      "6:8: error: there is no such user in /etc/passwd ('nobdy'); did you mean 'nobody'?"
    ),
    (
      "user = 123456789",
      "6:8: error: its group is not known, as /etc/passwd does not have it ('123456789'); "
        + "add a line 'group = …'"
    ),
    ("user = 4294967295", "6:8: error: no user or group has this number ('4294967295')"),
    (
      "group = elsewhere",
      "6:9: error: there is no such group in /etc/group ('elsewhere'); "
        + "a group from elsewhere is given as a number"
    ),
    (
      "supplementary_groups = adm ssl_cert",
      "6:28: error: there is no such group in /etc/group ('ssl_cert'); did you mean 'ssl-cert'?"
    ),
    (
      "capabilities = CAP_KILL CAP_NET_BND_SERVICE",
      "6:25: error: unknown capability ('CAP_NET_BND_SERVICE'); "
        + "did you mean 'CAP_NET_BIND_SERVICE'?"
    ),
    (
      "capabilities = everything",
      "6:16: error: unknown capability ('everything'); "
        + "capabilities(7) lists them; none: no capability"
    ),
    ("limit_files = 7", "6:15: error: limit_files is a number from 8 to 1073741824 ('7')"),
    (
      "limit_memory = 512K",
      "6:16: error: limit_memory is a number of bytes from 1048576 to 1024T ('512K'); "
        + "the least is 1M"
    ),
    (
      "read_paths = /etc etc/passwd",
      "6:19: error: read_paths is an absolute path ('etc/passwd'); did you mean '/etc/passwd'?"
    ),
    (
      "no_new_privs = no\nwrite_paths = /",
      "6:16: error: read_paths and write_paths need no_new_privs ('no')"
    ),
    ("write_paths = / /var/x", "6:17: warning: is not there: left out ('/var/x')"),
  ]

  @Test(arguments: problems)
  func `says what is wrong, where, and what was meant`(_ lines: String, _ expected: String) {
    let loaded = Host.load(plugin: Plain.text + lines + "\n")
    #expect(loaded.pluginTexts == ["/etc/audispatch/plugins.d/p.conf:" + expected])
    #expect(loaded.plugins.isEmpty == expected.contains("error"))
  }

  @Test(arguments: [
    (0, "this kernel has no landlock, or it is off: not applied"),
    (2, "this kernel's landlock is version 2: truncating a file is not forbidden"), (3, nil),
  ])
  func `says what this kernel cannot do`(_ version: Int, _ message: String?) {
    var host = Host()
    host.landlockVersion = version
    host[Host.plugins + "/p.conf"] = .file(Plain.with("read_paths = /etc", "write_paths = /"))
    let loaded = host.load()
    #expect(loaded.diagnostics.dropFirst().map(\.message) == (message.map { [$0] } ?? []))
    #expect(loaded.plugins.count == 1)
  }

  static let bounds: [(bound: String, settings: String, objection: String?)] = [
    ("none", "no_new_privs = yes", nil),
    ("none", "capabilities = none", nil),
    ("none", "user = nobody", "user needs CAP_SETUID"),
    ("setuid", "user = nobody", "group needs CAP_SETGID"),
    ("setuid setgid", "user = nobody", nil),
    ("setuid setgid", "user = nobody\ncapabilities = none", "capabilities needs CAP_SETPCAP"),
    (
      "setuid setgid setpcap", "user = nobody\ncapabilities = kill chown",
      "capabilities needs CAP_CHOWN, CAP_KILL"
    ),
    ("kill setuid setgid setpcap", "user = nobody\ncapabilities = kill", nil),
    ("kill", "capabilities = kill", nil),
    ("setgid", "supplementary_groups = adm", nil),
  ]

  @Test(arguments: bounds.indices)
  func `is within what anybody may have`(_ index: Int) {
    let (bound, settings, objection) = Self.bounds[index]
    var host = Host()
    host[ConfigurationRequest.standardDaemonFile] = .file("capability_bound = \(bound)\n")
    host[Host.plugins + "/p.conf"] = .file(Plain.text + settings + "\n")
    let loaded = host.load()
    #expect(loaded.diagnostics.map(\.message) == (objection.map { [$0] } ?? []))
    #expect(loaded.plugins.isEmpty == (objection != nil))
    #expect(loaded.unusablePlugins == (objection == nil ? [] : ["p"]))
  }

  static let executables: [(mode: UInt32, folder: UInt32, settings: String, obstacle: String?)] = [
    (0o755, 0o755, "user = nobody", nil), (0o701, 0o701, "user = nobody", nil),
    (
      0o750, 0o755, "user = nobody",
      "uid 65534 may not execute /sbin/p: /sbin/p has mode 0750 ('/sbin/p'); chmod o+x /sbin/p"
    ),
    (
      0o755, 0o700, "user = nobody",
      "uid 65534 may not execute /sbin/p: /sbin has mode 0700 ('/sbin/p'); chmod o+x /sbin"
    ),
    // The files of this host are group 0's.
    (0o710, 0o710, "user = nobody\ngroup = root", nil),
    (0o710, 0o710, "user = nobody\nsupplementary_groups = root", nil),
    (
      0o701, 0o701, "user = nobody\ngroup = root",
      "uid 65534 may not execute /sbin/p: /sbin/p has mode 0701 ('/sbin/p'); chmod g+x /sbin/p"
    ),
    (0o700, 0o700, "group = nogroup\ncapabilities = none", nil),
  ]

  @Test(arguments: executables.indices)
  func `is of a user that may execute the plugin`(_ index: Int) {
    let (mode, folder, settings, obstacle) = Self.executables[index]
    var host = Host()
    host["/sbin"] = .directory(mode: folder)
    host["/sbin/p"] = .program(mode: mode)
    host[Host.plugins + "/p.conf"] = .file(Plain.text + settings + "\n")
    let expected = obstacle.map { ["/etc/audispatch/plugins.d/p.conf:3:8: error: " + $0] } ?? []
    #expect(host.load().pluginTexts == expected)
  }

  @Test func `of an inactive plugin need not fit the host`() {
    let loaded = Host.load(
      plugin: Plain.with("active = no", "user = nobody-yet", "read_paths = /nowhere"))
    #expect(loaded.pluginTexts == [])
    #expect(loaded.plugins.map(\.confinement) == [Confinement()])
  }

  @Test func `has no place in audispatchd.conf`() {
    let loaded = Host.load(daemon: "user = nobody\n")
    #expect(
      loaded.diagnostics.first?.description
        == "/etc/audispatch/audispatchd.conf:1:1: error: unknown keyword ('user'); "
        + "it belongs into a file of plugins.d")
  }
}
