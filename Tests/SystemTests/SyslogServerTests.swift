import Foundation
import Linux
import Testing

/// audispatch-syslog into a real rsyslogd.
@Suite("audispatch-syslog and rsyslog", .inTurn, .enabled(if: Rsyslogd.isHere, Rsyslogd.why))
struct SyslogServerTests {
  static let isFull = ProcessInfo.processInfo.environment["AUDISPATCH_FULL"] != nil

  private func plugin(
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
    let daemon = try await Audispatchd([try plugin(scratch, server)], scratch: scratch)
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
    let daemon = try await Audispatchd([try plugin(scratch, server)], scratch: scratch)
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
    let daemon = try await Audispatchd([try plugin(scratch, server)], scratch: scratch)
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
    let daemon = try await Audispatchd([try plugin(scratch, server, settings)], scratch: scratch)
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
    let near = Descriptor(owning: ends.0)
    let far = Descriptor(owning: ends.1)
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

  /// What came of a long run in which things were killed.
  private struct Tally {
    var missing = 0
    var repeated = 0
    /// Records in front of which a later one stands for the first time.
    var disordered = 0

    init(of stored: [String], sent: Int) {
      var seen = [UInt8](repeating: 0, count: sent + 1)
      var highest = 0
      for body in stored {
        guard let serial = Receipt.serial(body), serial <= sent else { continue }
        if seen[serial] == 0, serial < highest { disordered += 1 }
        highest = max(highest, serial)
        if seen[serial] > 0 { repeated += 1 }
        seen[serial] = min(seen[serial], 200) + 1
      }
      missing = seen.dropFirst().count { $0 == 0 }
    }
  }

  /// Sends records while the server and the plugin are killed in turn, `kills` times each.
  private func run(
    _ input: Rsyslogd.Input, records: Int, kills: Int, killsServer: Bool
  ) async throws -> (tally: Tally, messages: String) {
    let scratch = try Scratch()
    var server = try await Rsyslogd(input, scratch)
    let daemon = try await Audispatchd(
      [
        try plugin(
          scratch, server, [], "confirm = yes\noverflow_action = lossless\nstop_timeout = 60")
      ], settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch)
    let rounds = kills * (killsServer ? 2 : 1)
    let each = records / (rounds + 1)
    for round in 0...rounds {
      let last = round == rounds ? records : (round + 1) * each
      for start in stride(from: round * each + 1, through: last, by: 5000) {
        try await daemon.send(TestEvent.stream(start..<min(start + 5000, last + 1)))
      }
      if round == rounds { break }
      // In the middle of things.
      let before = server.storedBytes
      try await eventually("more is stored") { server.storedBytes > before }
      if killsServer, round % 2 == 0 {
        try await server.kill()
        server = try await Rsyslogd(input, scratch, port: server.port)
      } else {
        let pid = try daemon.plugin("syslog").pid
        if pid > 0 { _ = kill(pid, SIGKILL) }
      }
    }
    try await eventually(
      "all is confirmed", within: .seconds(isFullRun(records) ? 900 : 180),
      detail: { "\((try? daemon.plugin("syslog")).map { "\($0)" } ?? "") \(daemon.messages)" }
    ) { try daemon.plugin("syslog").delivered == records }
    try await daemon.finish(within: .seconds(120))
    try await server.stop()
    let tally = Tally(of: server.stored, sent: records)
    print("\(records) records over \(input.rawValue), \(rounds) kills: \(tally)")
    return (tally, daemon.messages)
  }

  private func isFullRun(_ records: Int) -> Bool { records > 100_000 }

  @Test func `misses nothing over RELP when both are killed again and again`() async throws {
    let (tally, _) = try await run(.relp, records: 20_000, kills: 2, killsServer: true)
    #expect(tally.missing == 0)
    #expect(tally.disordered == 0)
  }

  @Test(arguments: [Rsyslogd.Input.tcp, .tls])
  func `misses nothing over a stream when the plugin is killed`(input: Rsyslogd.Input)
    async throws
  {
    let (tally, _) = try await run(input, records: 20_000, kills: 2, killsServer: false)
    #expect(tally.missing == 0)
    #expect(tally.disordered == 0)
  }

  @Test func `says what a stream's killed server may have lost`() async throws {
    let (tally, messages) = try await run(.tcp, records: 20_000, kills: 1, killsServer: true)
    print("over TCP \(tally.missing) were in a killed server")
    let isSaid = messages.contains("if it died, what it had received and not stored is lost")
    #expect(tally.missing == 0 || isSaid, "\(messages)")
    #expect(
      messages.contains(": ended the connection") || messages.contains("reset by peer")
        || messages.contains(": Broken pipe"))
  }

  @Test(
    .enabled(if: isFull, "takes minutes; AUDISPATCH_FULL=1 runs it"),
    arguments: [Rsyslogd.Input.relp, .tcp, .tls])
  func `misses nothing of 1,000,000 records in ten kills`(input: Rsyslogd.Input) async throws {
    let (tally, _) = try await run(
      input, records: 1_000_000, kills: 10, killsServer: input == .relp)
    #expect(tally.missing == 0)
    #expect(tally.disordered == 0)
  }
}
