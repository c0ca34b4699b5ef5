import Configuration
import Glibc
import Linux
import Testing

/// The settings of the files that packages install, as they are, with their comments shortened.
enum Fixture {
  static func text(_ name: String, in folder: StaticString = #filePath) throws -> String {
    let tests = "\(folder)".split(separator: "/").dropLast().joined(separator: "/")
    let bytes = try Transfer.contents(of: "/\(tests)/Fixtures/\(name)", limit: 1 << 20)
    return String(decoding: bytes, as: UTF8.self)
  }
}

@Suite("The files that packages install")
struct FixtureTests {
  struct Expected: Sendable {
    var file: String
    var isActive = false
    var path: String
    var arguments: [String] = []
    var format = RecordFormat.string
    var errors = 0
  }

  static let socket = "/usr/libexec/audispatch/audispatch-socket"

  static let plugins = [
    Expected(
      file: "debian-12/af_unix.conf", path: "builtin_af_unix",
      arguments: ["0640", "/var/run/audispd_events"]),
    Expected(file: "debian-12/au-remote.conf", path: "/sbin/audisp-remote"),
    Expected(
      file: "debian-12/audispd-zos-remote.conf", path: "/sbin/audispd-zos-remote",
      arguments: ["/etc/audit/zos-remote.conf"]),
    Expected(
      file: "debian-12/syslog.conf", path: "/sbin/audisp-syslog", arguments: ["LOG_INFO"]),
    Expected(
      file: "laurel/laurel.conf", isActive: true, path: "/usr/sbin/laurel",
      arguments: ["--config", "/etc/laurel/config.toml"]),
    Expected(
      file: "laurel/laurel-before-3.conf", isActive: true, path: socket,
      arguments: ["0600", "/var/run/laurel"]),
    Expected(
      file: "wazuh/af_wazuh.conf", isActive: true, path: "/sbin/audisp-af_unix",
      arguments: ["0640", "/var/ossec/queue/sockets/audit", "string"], format: .binary),
    Expected(
      file: "wazuh/af_wazuh-before-4.conf", isActive: true, path: socket,
      arguments: ["0640", "/var/ossec/queue/sockets/audit"]),
    Expected(file: "auditd-2.8/au-remote.conf", path: "/sbin/audisp-remote"),
    Expected(
      file: "auditd-2.8/syslog.conf", path: "builtin_syslog", arguments: ["LOG_INFO"]),
    Expected(
      file: "auditd-2.8/af_unix.conf", path: "builtin_af_unix",
      arguments: ["0640", "/var/run/audispd_events"]),
  ]

  @Test(arguments: plugins)
  func `of plugins are read unchanged`(_ expected: Expected) throws {
    var host = Host()
    host["/usr/sbin/laurel"] = .program()
    host[Self.socket] = .program()
    host["/sbin/audisp-af_unix"] = .program(mode: 0o750)
    host[Host.plugins + "/x.conf"] = .file(try Fixture.text(expected.file))
    let loaded = host.load()
    let plugin = try #require(loaded.plugins.first)
    #expect(plugin.isActive == expected.isActive)
    #expect(plugin.path == expected.path)
    #expect(plugin.arguments == expected.arguments)
    #expect(plugin.format == expected.format)
    #expect(loaded.count(.error) == expected.errors)
    #expect(loaded.count(.warning) == 0)
  }

  @Test func `auditd 3.0.9's can be named as it is`() throws {
    let loaded = Host.load(daemon: try Fixture.text("debian-12/auditd.conf"))
    var expected = DaemonConfiguration()
    expected.pluginDirectory = "/etc/audit/plugins.d"
    expected.remote.connectionsPerAddress = 1
    expected.remote.listenQueue = 5
    expected.remote.wantsLibwrap = true
    #expect(loaded.daemon == expected)
    #expect(loaded.count(.error) == 0)
  }

  @Test func `auditd 2.8's can be named as it is`() throws {
    let loaded = Host.load(daemon: try Fixture.text("auditd-2.8/auditd.conf"))
    var expected = DaemonConfiguration()
    expected.logFormat = .raw
    expected.remote.connectionsPerAddress = 1
    expected.remote.listenQueue = 5
    expected.remote.wantsLibwrap = true
    #expect(loaded.daemon == expected)
    #expect(loaded.diagnostics.compactMap(\.word) == ["disp_qos", "dispatcher"])
    #expect(loaded.exitStatus == 0)
  }

  @Test func `audispd 2.8's can be named as it is`() throws {
    let loaded = Host.load(daemon: try Fixture.text("auditd-2.8/audispd.conf"))
    var expected = DaemonConfiguration()
    expected.pluginDirectory = "/etc/audisp/plugins.d"
    expected.nameFormat = .hostname
    expected.pluginDefaults.queueDepth = 250
    #expect(loaded.daemon == expected)
    #expect(loaded.count(.warning) == 2)  // a small queue, and no such folder on this host
  }

  static let installed = (try? Files.names(in: "/etc/audit/plugins.d")) ?? []

  @Test(
    .enabled(if: !installed.isEmpty, "needs auditd installed and the right to read /etc/audit"))
  func `on this host are read where they are`() {
    var request = ConfigurationRequest()
    request.daemonFile = .named("/etc/audit/auditd.conf")
    let loaded = LoadedConfiguration(
      request, LoadEnvironment(user: geteuid(), daemonExecutable: "/usr/sbin/audispatchd"))
    #expect(loaded.daemon.pluginDirectory == "/etc/audit/plugins.d")
    #expect(loaded.isDaemonUsable)
    #expect(loaded.unusablePlugins == [])
    #expect(
      loaded.plugins.map(\.name).sorted()
        == Self.installed.filter { $0.hasSuffix(".conf") }.map { String($0.dropLast(5)) }.sorted())
  }
}
