import Foundation
import Glibc
import Testing

import class PluginHarness.StandInIndex

/// audispatch-elastic behind the dispatcher, into what stands in for Elasticsearch.
@Suite("audispatch-elastic and its index", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ElasticTests {
  static func plugin(_ scratch: Scratch, _ url: String) throws -> PluginFile {
    let lines = [
      "server = \(url)", "node = host", "names = lines", "flush_interval = 0.05",
      "retry_time = 0.05", "retry_time_max = 0.2", "bulk_documents = 100", "workers = 2",
      "refused_file = \(scratch("refused"))",
    ]
    let file = try scratch.write(
      lines.map { $0 + "\n" }.joined(), to: "elastic.conf", mode: 0o600)
    return PluginFile(
      "elastic", Programs.product("audispatch-elastic"), ["--config", file], "confirm = yes",
      "overflow_action = lossless", "restart_delay = 0.010\nmax_restarts = 100000",
      "held_delay = 0.010")
  }

  private static let stream = "logs-audispatch-default"

  /// Of a thousand events one is refused by its mapping, and is stored as text; one for ever. Their ids
  /// go on behind the serial, as they have no end.
  private static func isRefused(_ serial: Int) -> Bool { serial % 1000 == 750 }

  @Test func `has every event stored once, whatever fails and is killed`() async throws {
    let (count, kills) = Faults.isFull ? (1_000_000, 200) : (100_000, 12)
    let scratch = try Scratch()
    let server = try StandInIndex(["--seed", "\(Faults.seed)"])
    try server.ask(["stream": Self.stream])
    try server.set([
      "die_after": 50, "die_before": 50, "garbage": 20, "half": 20, "item_429": 50, "item_503": 20,
      "refuse": "500:", "refuse_always": "750:",
    ])
    let records = TestEvent.stream(1..<count + 1).records
    let daemon = try await Audispatchd(
      [try Self.plugin(scratch, server.url)],
      settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch)
    let feeding = daemon.feed(records, at: 100, every: .milliseconds(10))
    defer { feeding.cancel() }
    var random = Seeded(Faults.seed)
    try await eventually("something is stored") { try server.count() > 0 }
    for number in 0..<kills {
      try await random.pause(50...400)
      switch number % 4 {
      case 0:
        // In a long run for minutes, now and then.
        let isLong = Faults.isFull && number % 40 == 0
        try server.set(["away": true])
        try await random.pause(isLong ? 60_000...180_000 : 50...1000)
        try await Self.killPlugin(of: daemon)
        // What the dead one sent is done by now, or never: what rolls over before it is done may have
        // a document twice, which nobody is left to count.
        try server.ask(["quiet": true, "rollover": Self.stream])
        try await random.pause(50...1000)
        try server.set(["away": false])
      case 2:
        // What is asked meanwhile is answered so much later, perhaps to one who is dead by then.
        try server.set(["slow": Double.random(in: 0.1...0.6, using: &random)])
        try await random.pause(100...500)
        try await Self.killPlugin(of: daemon)
        try await random.pause(100...500)
        try server.set(["slow": 0])
      default:
        try await Self.kill("the dispatcher") { daemon.worker }
      }
    }
    try await feeding.value
    try await eventually("it is there again") { daemon.files.stateIfAny() != nil }
    try await daemon.takenIn()
    #expect(try daemon.state().source.records == count)
    try await eventually(
      "all is confirmed", within: .seconds(180),
      detail: { daemon.messages.suffix(2000).description }
    ) { daemon.files.stateIfAny()?.plugins.first?.delivered == count }
    try await daemon.finish()
    let refused = (1...count).filter(Self.isRefused)
    let report = try server.ask([:])
    #expect(report["ids"] as? Int == count - refused.count, "seed \(Faults.seed)")
    #expect(report["documents"] as? Int == count - refused.count, "seed \(Faults.seed)")
    let generations = (report["streams"] as? [String: [String]])?[Self.stream]?.count
    #expect(generations == 1 + (kills + 3) / 4)
    // A refused one may have been written when its plugin was killed, and be written again.
    let written = scratch.lines("refused").compactMap { line in
      line.firstMatch(of: #/^{"id":"host:1700000000\.000:(\d+):/#).flatMap { Int($0.1) }
    }
    #expect(Set(written) == Set(refused))
    Faults.report(
      "\(kills) kills and \((kills + 3) / 4) rollovers before an index: \(count) events, 0 missing, "
        + "0 twice")
  }

  private static func killPlugin(of daemon: Audispatchd) async throws {
    try await kill("the plugin") { daemon.files.stateIfAny()?.plugins.first?.pid }
  }

  /// Kills a process as soon as it is there.
  private static func kill(_ what: String, _ find: () -> pid_t?) async throws {
    var pid: pid_t = 0
    try await eventually("\(what) is there") {
      pid = find() ?? 0
      return pid > 0
    }
    Glibc.kill(pid, SIGKILL)
  }
}
