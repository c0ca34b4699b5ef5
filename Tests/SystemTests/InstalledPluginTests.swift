import Foundation
import PluginHarness
import Testing

/// Every file of `plugins.d` as it is installed, activated as its comments say, in a root of its own.
@Suite(
  "An installed plugin", .inTurn, .enabled(if: Installation.isPossible, Installation.why))
struct InstalledPluginTests {
  /// Each shipped file, which one of the tests below activates.
  private static let tried: Set = [
    "print", "log", "socket", "shell", "json", "syslog-local", "syslog-debian", "syslog-remote",
    "remote", "laurel-confined", "otlp", "nats", "kafka", "elastic", "integrity",
  ]

  private func expectDelivered(_ installed: Installation, _ names: [String]) async throws {
    let check = try await installed.check()
    #expect(check.end == .exited(0), "\(check.output)")
    #expect(check.output.hasSuffix("0 errors, 0 warnings\n"), "\(check.output)")
    try installed.start()
    if names.contains("socket") {
      try await eventually("the socket", detail: { installed.messages }) {
        installed.scratch.exists(installed.path("run/audispatch/audispd_events"))
      }
    }
    try installed.send(Installation.record)
    for name in names {
      try await eventually(name, detail: { installed.messages }) {
        try await installed.delivered(name)
      }
    }
  }

  private func expectFile(_ installed: Installation, _ file: String, _ part: String) async throws {
    try await eventually(file, detail: { installed.messages }) {
      installed.scratch.text(installed.path(file)).contains(part)
    }
  }

  @Test func `is tried by one of these tests, whichever it is`() async throws {
    let installed = try await Installation()
    let files = try FileManager.default.contentsOfDirectory(
      atPath: installed.scratch(installed.path("etc/audispatch/plugins.d")))
    #expect(Set(files.map { String($0.dropLast(".conf".count)) }) == Self.tried)
  }

  @Test func `works into files and a socket`() async throws {
    let installed = try await Installation()
    try installed.settings("json")
    try installed.activate("log", "socket", "shell", "json")
    try await expectDelivered(installed, ["print", "log", "socket", "shell", "json"])
    for file in ["var/log/audispatch/audit.log", "var/log/audispatch/logins.log"] {
      try await expectFile(installed, file, Installation.record + "\n")
    }
    try await expectFile(installed, "var/log/audispatch/audit.json", "\"user_login\"")
    try await installed.end()
  }

  @Test(.enabled(if: Host.has("/sbin/audisp-syslog"), "needs audispd-plugins"))
  func `works into this host's syslog, ours and Debian's`() async throws {
    let installed = try await Installation()
    let log = try installed.systemLog()
    try installed.activate("syslog-local", "syslog-debian")
    try await expectDelivered(installed, ["syslog-local", "syslog-debian"])
    try await eventually("both are there", detail: { "\(log.messages) \(installed.messages)" }) {
      log.messages.count { $0.contains("type=USER_LOGIN") } == 2
    }
    try await installed.end()
  }

  @Test(.enabled(if: Rsyslogd.isHere, Rsyslogd.why))
  func `works into another host's syslog`() async throws {
    let installed = try await Installation()
    let server = try await Rsyslogd(.relp, installed.scratch)
    try installed.settings("syslog-remote", ["server = relp://127.0.0.1:\(server.port)"])
    try installed.activate("syslog-remote")
    try await expectDelivered(installed, ["syslog-remote"])
    try await eventually("it is stored") { server.stored == [Installation.record] }
    try await installed.end()
    server.child.signal(SIGTERM)
    _ = try await server.child.end()
  }

  @Test(.enabled(if: Collector.isHere, Collector.why))
  func `works into auditd on another host`() async throws {
    let installed = try await Installation()
    let collector = try await Collector(installed.scratch)
    let example = installed.scratch.text(
      installed.path("usr/share/doc/audispatch/examples/remote.conf"))
    try installed.settings(
      "remote", [example.replacing("log.example.org", with: "127.0.0.1:\(collector.port)")])
    try installed.activate("remote")
    try await expectDelivered(installed, ["remote"])
    try await eventually("it is stored") { collector.stored == [Installation.record] }
    try await installed.end()
    try await collector.stop()
  }

  @Test func `works into a collector`() async throws {
    let installed = try await Installation()
    let collector = try StandInCollector()
    try installed.settings("otlp", ["server = \(collector.url)", "node = host"])
    try installed.activate("otlp")
    try await expectDelivered(installed, ["otlp"])
    #expect(try collector.ids() == ["host:1700000000.000:1"])
    try await installed.end()
  }

  @Test(.enabled(if: NatsServer.isHere, "\(NatsServer.why)"))
  func `works into a stream of NATS`() async throws {
    let installed = try await Installation()
    let server = try NatsServer()
    try server.ask("STREAM.CREATE.AUDIT", ["name": "AUDIT", "subjects": ["audit.>"]])
    try installed.settings("nats", ["server = \(server.url)", "node = host"])
    try installed.activate("nats")
    try await expectDelivered(installed, ["nats"])
    let state = try server.ask("STREAM.INFO.AUDIT", [:])["state"] as? [String: Any]
    #expect(state?["messages"] as? Int == 1)
    try await installed.end()
  }

  @Test func `works into a topic of Kafka`() async throws {
    let installed = try await Installation()
    let cluster = try StandInCluster()
    try installed.settings("kafka", ["server = \(cluster.address)", "node = host"])
    try installed.activate("kafka")
    try await expectDelivered(installed, ["kafka"])
    #expect(try cluster.ids() == ["host:1700000000.000:1"])
    try await installed.end()
  }

  @Test func `works into an index`() async throws {
    let installed = try await Installation()
    let server = try StandInIndex()
    try server.ask(["stream": "logs-audispatch-default"])
    try installed.settings("elastic", ["server = \(server.url)", "node = host"])
    try installed.activate("elastic")
    try await expectDelivered(installed, ["elastic"])
    #expect(try server.ids() == ["host:1700000000.000:1"])
    try await installed.end()
  }

  @Test func `tells of a file that changes, with a baseline made as its comment says`() async throws
  {
    let installed = try await Installation()
    try installed.scratch.folder(installed.path("srv/watched"))
    try installed.scratch.write("old\n", to: installed.path("srv/watched/file"))
    try installed.settings(
      "integrity", ["watch = /srv/watched", "events = /var/log/audispatch/integrity.log"])
    let made = try await installed.run("/usr/sbin/audispatch-integrity", "init")
    try #require(made.end == .exited(0), "\(made.error)")
    try installed.activate("integrity")
    try await expectDelivered(installed, ["integrity"])
    try installed.scratch.write("new\n", to: installed.path("srv/watched/file"))
    try await expectFile(installed, "var/log/audispatch/integrity.log", "/srv/watched/file")
    try await installed.end()
  }

  @Test(.enabled(if: Host.has("/usr/sbin/laurel"), "needs laurel"))
  func `may be Laurel with its own settings`() async throws {
    let installed = try await Installation()
    let scratch = installed.scratch
    try scratch.folder(installed.path("etc/laurel"))
    for file in ["usr/sbin/laurel", "etc/laurel/config.toml"] {
      try FileManager.default.copyItem(atPath: "/" + file, toPath: scratch(installed.path(file)))
    }
    let folder = try scratch.folder(installed.path("var/log/laurel"))
    try #require(try await run("/bin/chown", ["_laurel", folder]).end == .exited(0))
    try installed.activate("laurel-confined")
    try await expectDelivered(installed, ["laurel-confined"])
    try installed.send("type=EOE msg=audit(1700000000.000:1):")
    try await expectFile(installed, "var/log/laurel/audit.log", "USER_LOGIN")
    try await installed.end()
  }
}
