import Foundation
import Linux
import Testing

/// audispatch-syslog into a real rsyslogd.
@Suite("audispatch-syslog and rsyslog", .inTurn, .enabled(if: Rsyslogd.isHere, Rsyslogd.why))
struct SyslogServerTests {
  static let isFull = ProcessInfo.processInfo.environment["AUDISPATCH_FULL"] != nil

  static func plugin(
    _ scratch: Scratch, _ server: Rsyslogd, _ settings: [String] = [], _ keywords: String = ""
  ) throws -> PluginFile {
    let file = try SyslogPluginTests.configuration(
      scratch, server.settings + ["retry_delay = 0.05", "retry_delay_max = 0.2"] + settings)
    return PluginFile(
      "syslog", SyslogPluginTests.program, ["--config", file], "q_depth = 2000000",
      "restart_delay = 0.010\nmax_restarts = 1000", keywords)
  }

  @Test(arguments: Rsyslogd.Input.allCases.filter { $0 != .udp })
  func `stores every record once and in order`(input: Rsyslogd.Input) async throws {
    let scratch = try Scratch()
    let server = try await Rsyslogd(input, scratch)
    let daemon = try await Audispatchd([try Self.plugin(scratch, server)], scratch: scratch)
    let lines = SyslogPluginTests.corpus
    try await daemon.send(lines)
    try await eventually(
      "all is there", within: .seconds(120),
      detail: { "\(server.stored.count) of \(lines.count) \(daemon.messages)" }
    ) { server.stored.count >= lines.count }
    let expected = lines.map { $0.replacing("\u{1d}", with: " ") }
    #expect(difference(server.stored, expected) == nil)
    try await daemon.finish()
  }

  @Test(arguments: [Rsyslogd.Input.tcp, .tls, .relp])
  func `stores what is too long for it with the mark where it was cut`(input: Rsyslogd.Input)
    async throws
  {
    let scratch = try Scratch()
    let server = try await Rsyslogd(input, scratch)
    let daemon = try await Audispatchd([try Self.plugin(scratch, server)], scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<4, fill: 8800))
    try await eventually("three messages", detail: { daemon.messages }) {
      scratch.lines("log").count == 3
    }
    #expect(scratch.lines("log").allSatisfy { $0.contains(#/…\[\+\d+ bytes\]$/#) })
    try await daemon.finish()
  }

  @Test func `takes datagrams`() async throws {
    let scratch = try Scratch()
    let server = try await Rsyslogd(.udp, scratch)
    let daemon = try await Audispatchd([try Self.plugin(scratch, server)], scratch: scratch)
    // Few at a time: a full buffer loses datagrams, and nobody says so.
    for start in stride(from: 1, to: 101, by: 10) {
      try await daemon.send(TestEvent.stream(start..<start + 10))
      try await eventually("ten more", detail: { daemon.messages }) {
        server.stored.count == start + 9
      }
    }
    try await daemon.finish()
  }

  @Test(arguments: [["framing = lines"], ["format = rfc3164"], ["body = key_value"]])
  func `takes other forms over TCP`(settings: [String]) async throws {
    let scratch = try Scratch()
    let server = try await Rsyslogd(.tcp, scratch)
    let daemon = try await Audispatchd(
      [try Self.plugin(scratch, server, settings)], scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<1001))
    try await eventually("all is there", detail: { daemon.messages }) {
      scratch.lines("log").count == 1000
    }
    try await daemon.finish()
  }

  @Test(arguments: [Rsyslogd.Input.tcp, .tls])
  func `finds its server by name`(input: Rsyslogd.Input) async throws {
    let scratch = try Scratch()
    let server = try await Rsyslogd(input, scratch)
    let file = try SyslogPluginTests.configuration(
      scratch, server.settings.map { $0.replacing("127.0.0.1", with: "localhost") })
    let daemon = try await Audispatchd(
      [PluginFile("syslog", SyslogPluginTests.program, ["--config", file])], scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<101))
    try await eventually("all is there", detail: { daemon.messages }) {
      server.stored.count == 100
    }
    try await daemon.finish()
  }

  @Test func `says that there is no such host, and goes on without it`() async throws {
    let scratch = try Scratch()
    let server = try await Rsyslogd(.tcp, scratch)
    let file = try SyslogPluginTests.configuration(
      scratch, ["server = relp://no-such-host.invalid"] + server.settings)
    let daemon = try await Audispatchd(
      [PluginFile("syslog", SyslogPluginTests.program, ["--config", file])], scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<11))
    try await eventually("all is there", detail: { daemon.messages }) {
      server.stored.count == 10
    }
    // A name server may let us wait for its answer.
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains("cannot resolve no-such-host.invalid")
    }
    try await daemon.finish()
  }

  static let refusals: [([String], String)] = [
    (["tls_ca = SCRATCH/other.pem"], "; tls_ca is a file with the authority to trust"),
    (["tls_ca = SCRATCH/ca.pem", "tls_name = elsewhere"], "hostname mismatch; tls_name is the"),
    ([], "; tls_ca is a file with the authority to trust"),
  ]

  @Test(arguments: refusals.indices)
  func `has nothing sent to a server that is not the right one`(_ index: Int) async throws {
    let scratch = try Scratch()
    let server = try await Rsyslogd(.tls, scratch)
    let (settings, reason) = Self.refusals[index]
    let file = try SyslogPluginTests.configuration(
      scratch,
      ["server = \(server.server)"] + settings.map { $0.replacing("SCRATCH", with: scratch.path) })
    let daemon = try await Audispatchd(
      [PluginFile("syslog", SyslogPluginTests.program, ["--config", file], "confirm = yes")],
      settings: ["stop_timeout = 0.100"], scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<11))
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains(reason)
    }
    #expect(scratch.text("log") == "")
    #expect(try daemon.plugin("syslog").delivered == 0)
    try await daemon.finish()
  }

  /// With TLS 1.3 such a server refuses us behind our handshake, and its host acknowledges what we
  /// sent until then.
  @Test func `has nothing done by a server that refuses it, until its certificate is there`()
    async throws
  {
    let scratch = try Scratch()
    let server = try await Rsyslogd(.mutual, scratch)
    let lines = server.settings + ["retry_delay = 0.05", "retry_delay_max = 0.1"]
    let file = try SyslogPluginTests.configuration(
      scratch, lines.filter { !$0.hasPrefix("tls_cert") && !$0.hasPrefix("tls_key") })
    let daemon = try await Audispatchd(
      [PluginFile("syslog", SyslogPluginTests.program, ["--config", file], "confirm = yes")],
      scratch: scratch)
    for start in stride(from: 1, to: 1001, by: 50) {
      try await daemon.send(TestEvent.stream(start..<start + 50))
      try await Task.sleep(for: .milliseconds(100))
    }
    #expect(
      daemon.messages.contains("certificate required; it asks for a certificate: tls_cert, tls_key")
    )
    #expect(try daemon.plugin("syslog").delivered == 0)
    _ = try SyslogPluginTests.configuration(scratch, lines)
    daemon.reload()
    try await eventually("all is confirmed", detail: { daemon.messages }) {
      try daemon.plugin("syslog").delivered == 1000
    }
    // Its host has acknowledged all; the server writes it in its own time.
    try await eventually("all is stored") { server.stored.count >= 1000 }
    #expect(difference(server.stored, TestEvent.stream(1..<1001).records) == nil)
    try await daemon.finish()
  }

  @Test(arguments: [
    ["-Verify", "1", "-num_tickets", "0"], ["-Verify", "1"], ["-num_tickets", "0"],
  ])
  func `sends to a server that accepts it, with tickets or without`(_ manner: [String])
    async throws
  {
    let scratch = try Scratch()
    try await Certificates.make(in: scratch)
    let port = try freePort()
    // It ends a connection at the end of its input.
    let ends = try UnixSocket.pair()
    let near = ends.ours
    let far = ends.theirs
    let server = try Child(
      "/usr/bin/openssl",
      [
        "s_server", "-quiet", "-tls1_3", "-accept", "127.0.0.1:\(port)", "-CAfile",
        scratch("ca.pem"), "-cert", scratch("server.pem"), "-key", scratch("server.key"),
      ] + manner, input: far.number, output: scratch("out"), error: scratch("out"))
    try await eventually("it listens") { Rsyslogd.listens(on: port, datagrams: false) }
    let file = try SyslogPluginTests.configuration(
      scratch,
      ["server = tls://127.0.0.1:\(port)"]
        + ["ca = ca.pem", "cert = client.pem", "key = client.key"].map {
          "tls_" + $0.replacing("= ", with: "= \(scratch.path)/")
        })
    let daemon = try await Audispatchd(
      [PluginFile("syslog", SyslogPluginTests.program, ["--config", file], "confirm = yes")],
      scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<11))
    try await eventually("all is confirmed", detail: { daemon.messages }) {
      try daemon.plugin("syslog").delivered == 10
    }
    try await eventually("all is there") { scratch.text("out").contains("part=0") }
    try await daemon.finish()
    server.signal(SIGKILL)
    _ = near.number
  }

  @Test func `is replaced by the next server, and comes back`() async throws {
    let first = try Scratch()
    let second = try Scratch()
    let scratch = try Scratch()
    let preferred = try await Rsyslogd(.relp, first)
    let other = try await Rsyslogd(.relp, second)
    let file = try SyslogPluginTests.configuration(
      scratch,
      [
        "server = \(preferred.server)", "server = \(other.server)", "retry_delay = 0.05",
        "retry_delay_max = 0.2",
      ])
    let daemon = try await Audispatchd(
      [PluginFile("syslog", SyslogPluginTests.program, ["--config", file], "confirm = yes")],
      scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<101))
    try await eventually("the first has them") { preferred.stored.count == 100 }
    try await preferred.kill()
    try await daemon.send(TestEvent.stream(101..<201))
    try await eventually("the second has the next", detail: { daemon.messages }) {
      other.stored.count >= 100
    }
    let again = try await Rsyslogd(.relp, first, port: preferred.port)
    try await other.kill()
    try await daemon.send(TestEvent.stream(201..<301))
    try await eventually("the first has the last", detail: { daemon.messages }) {
      Set(again.stored).isSuperset(of: TestEvent.stream(201..<301).records)
    }
    try await eventually("all is confirmed") { try daemon.plugin("syslog").delivered == 300 }
    try await daemon.finish()
    #expect(daemon.messages.contains("\(preferred.server): ended the connection"))
    #expect(daemon.messages.contains("sending to \(other.server)"))
  }
}
