import Foundation
import Linux
import Testing

/// Plugin and server are killed, again and again.
@Suite(
  "audispatch-syslog and an rsyslog, killed", .inTurn, .enabled(if: Rsyslogd.isHere, Rsyslogd.why))
struct SyslogKillTests {
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
        try SyslogServerTests.plugin(
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
    .enabled(if: SyslogServerTests.isFull, "takes minutes; AUDISPATCH_FULL=1 runs it"),
    arguments: [Rsyslogd.Input.relp, .tcp, .tls])
  func `misses nothing of 1,000,000 records in ten kills`(input: Rsyslogd.Input) async throws {
    let (tally, _) = try await run(
      input, records: 1_000_000, kills: 10, killsServer: input == .relp)
    #expect(tally.missing == 0)
    #expect(tally.disordered == 0)
  }
}
