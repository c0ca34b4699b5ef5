import Foundation
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

  @Test func `has every event stored once, whatever fails and is killed`() async throws {
    let kills = Faults.isFull ? 200 : 12
    let scratch = try Scratch()
    let server = try StandInIndex(["--seed", "\(Faults.seed)"])
    try server.ask(["stream": "logs-audispatch-default"])
    try server.set([
      "die_after": 50, "die_before": 50, "garbage": 20, "half": 20, "item_429": 50, "item_503": 20,
      "refuse_always": "part=1",
    ])
    let events = TestEvent.stream(1..<200_001)
    let daemon = try await Audispatchd(
      [try Self.plugin(scratch, server.url)],
      settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch)
    let feeding = daemon.feed(events.records, at: 50, every: .milliseconds(20))
    defer { feeding.cancel() }
    var random = Seeded(Faults.seed)
    var done = 0
    while done < kills {
      try await random.pause(50...400)
      let isPlugin = Bool.random(using: &random)
      if isPlugin {
        guard let pid = daemon.files.stateIfAny()?.plugins.first?.pid, pid > 0 else { continue }
        kill(pid, SIGKILL)
      } else {
        guard let worker = daemon.worker else { continue }
        kill(worker, SIGKILL)
      }
      switch done % 4 {
      case 0:
        try server.set(["away": true])
        // In a long run for minutes, now and then.
        try await random.pause(Faults.isFull && done % 40 == 0 ? 60_000...180_000 : 50...2000)
        try server.set(["away": false])
      case 2:
        // What is asked meanwhile is answered so much later, perhaps to one who is dead by then.
        try server.set(["slow": Double.random(in: 0.1...0.6, using: &random)])
        try await random.pause(100...1000)
        try server.set(["slow": 0])
      default: break
      }
      done += 1
    }
    feeding.cancel()
    _ = try? await feeding.value
    try await eventually("it is there again") { daemon.files.stateIfAny() != nil }
    try await daemon.takenIn()
    let sent = try daemon.state().source.records
    try await eventually(
      "all is confirmed", within: .seconds(180),
      detail: { daemon.messages.suffix(2000).description }
    ) { daemon.files.stateIfAny()?.plugins.first?.delivered == sent }
    try await daemon.finish()
    let report = try server.ask([:])
    #expect(report["ids"] as? Int == sent, "seed \(Faults.seed)")
    #expect(report["documents"] as? Int == sent, "seed \(Faults.seed)")
    Faults.report("\(kills) kills before an index: \(sent) events, 0 missing, 0 twice")
  }
}
