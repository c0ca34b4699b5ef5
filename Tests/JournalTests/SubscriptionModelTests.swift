import AuditRecord
import TestSupport
import Testing

@testable import Journal

/// What is tried against the model: a bound, what happens at it, and how the traffic looks.
struct Scenario: CustomTestStringConvertible, Sendable {
  var records: Int
  var bytes: Int
  var whenFull: Subscription.WhenFull
  var interleaved: Bool
  var dies: Bool

  var testDescription: String {
    "\(records) records, \(bytes) bytes, \(whenFull)"
      + (interleaved ? ", interleaved" : "") + (dies ? ", dies" : "")
  }

  static let all: [Scenario] = [1, 2, 5, 50, 1_000_000].flatMap { records in
    [300, 1 << 30].flatMap { bytes in
      [Subscription.WhenFull.dropNewest, .dropOldest, .suspend].flatMap { whenFull in
        [false, true].flatMap { interleaved in
          [false, true].map { dies in
            Scenario(
              records: records, bytes: bytes, whenFull: whenFull, interleaved: interleaved,
              dies: dies)
          }
        }
      }
    }
  }
}

@Suite("A subscription over random traffic")
struct SubscriptionModelTests {
  /// Runs a scenario and gives what was sent, what the plugin read, and the counters.
  private func run(
    _ scenario: Scenario, seed: UInt64, check: (Counters, PluginModel) -> Void = { _, _ in }
  ) -> (sent: [SentRecord], plugin: PluginModel, counters: Counters, unannounced: UInt64) {
    var random = Seeded(seed)
    let journal = Journal()
    var subscription = Subscription(
      name: "p",
      limits: .init(records: scenario.records, bytes: scenario.bytes, whenFull: scenario.whenFull),
      encoding: .string, announcesGaps: true, node: nil, journal: journal)
    var plugin = PluginModel()
    let sent = traffic(events: 80, interleaved: scenario.interleaved, using: &random)
    var rest = sent[...]
    while !rest.isEmpty {
      let batch = rest.prefix(Int.random(in: 1...20, using: &random))
      rest = rest.dropFirst(batch.count)
      journal.take(batch)
      if subscription.look(before: journal.batch) != .notNow {
        subscription.setUnread(plugin.socket.count)
      }
      subscription.admit(journal.batch, journal: journal, now: 1)
      check(subscription.counters, plugin)
      plugin.write(&subscription, journal, capacity: 2000, using: &random)
      plugin.read(Int.random(in: 0...1500, using: &random))
      if scenario.dies, Int.random(in: 0..<12, using: &random) == 0 {
        subscription.restart(unread: plugin.die(), journal: journal)
      }
      if Int.random(in: 0..<30, using: &random) == 0 { subscription.resume(journal: journal) }
      check(subscription.counters, plugin)
    }
    repeat {
      plugin.write(&subscription, journal, capacity: 2000, using: &random)
      plugin.read(.max)
      subscription.setUnread(0)
    } while subscription.hasUnwritten
    return (sent, plugin, subscription.counters, subscription.admission.gap.records)
  }

  private func records(_ lines: [String]) -> [String] {
    lines.filter { !$0.hasPrefix("type=DAEMON_ERR") }
  }

  private static let seeds: [UInt64] = Array(1...(environmentAsksForMore ? 200 : 2))

  @Test(arguments: Scenario.all)
  func `every record has exactly one fate at every moment`(_ scenario: Scenario) {
    for seed in Self.seeds {
      let (sent, _, counters, _) = run(scenario, seed: seed) { counters, _ in
        #expect(counters.isBalanced)
      }
      #expect(counters.received == UInt64(sent.count))
      #expect(counters.queued == 0)
      #expect(counters.queuedBytes == 0)
    }
  }

  @Test(arguments: Scenario.all)
  func `what counts as delivered is what the plugin has read`(_ scenario: Scenario) {
    for seed in Self.seeds {
      let (sent, plugin, counters, _) = run(scenario, seed: seed)
      let read = Set(plugin.generations.flatMap(records))
      #expect(counters.delivered == UInt64(read.count))
      #expect(read.isSubset(of: sent.map(\.line)))
    }
  }

  @Test(arguments: Scenario.all)
  func `each event is complete or absent`(_ scenario: Scenario) {
    for seed in Self.seeds {
      let (sent, plugin, _, _) = run(scenario, seed: seed)
      let read = plugin.generations.map { Set(records($0)) }
      let everRead = read.reduce(into: Set()) { $0.formUnion($1) }
      for event in Dictionary(grouping: sent, by: \.event).values {
        let lines = Set(event.map(\.line))
        let isComplete = read.contains { lines.isSubset(of: $0) }
        #expect(isComplete || everRead.isDisjoint(with: lines), "event \(event[0].event)")
      }
    }
  }

  @Test(arguments: Scenario.all)
  func `no generation begins an event in its middle`(_ scenario: Scenario) {
    for seed in Self.seeds {
      let (sent, plugin, _, _) = run(scenario, seed: seed)
      let byLine = Dictionary(uniqueKeysWithValues: sent.map { ($0.line, $0) })
      for generation in plugin.generations {
        var next: [Int: Int] = [:]
        for line in records(generation) {
          guard let record = byLine[line] else { continue }
          #expect(record.index == next[record.event, default: 0], "event \(record.event)")
          next[record.event] = record.index + 1
        }
      }
    }
  }

  @Test(arguments: Scenario.all.filter { !$0.dies })
  func `a plugin that lives gets everything in order and once`(_ scenario: Scenario) {
    for seed in Self.seeds {
      let (sent, plugin, _, _) = run(scenario, seed: seed)
      let read = records(plugin.generations[0])
      let kept = Set(read)
      #expect(read == sent.map(\.line).filter(kept.contains))
    }
  }

  @Test(arguments: Scenario.all.filter { $0.records == 1_000_000 && $0.bytes > 300 })
  func `a queue with room drops nothing`(_ scenario: Scenario) {
    for seed in Self.seeds {
      let (sent, _, counters, _) = run(scenario, seed: seed)
      #expect(counters.dropped == 0)
      #expect(counters.delivered == UInt64(sent.count))
    }
  }

  @Test(arguments: Scenario.all.filter { !$0.dies && $0.whenFull == .dropNewest })
  func `every gap that an event follows is announced, with its numbers`(_ scenario: Scenario) {
    for seed in Self.seeds {
      let (_, plugin, counters, unannounced) = run(scenario, seed: seed)
      var announced: UInt64 = 0
      for line in plugin.generations[0] where line.hasPrefix("type=DAEMON_ERR") {
        let words = line.split(separator: " ")
        let dropped = words.first { $0.hasPrefix("dropped=") }?.dropFirst(8)
        announced += dropped.flatMap { UInt64($0) } ?? 0
        #expect(words.contains("reason=queue_full"))
      }
      #expect(announced + unannounced == counters.dropped)
    }
  }

  @Test(arguments: Scenario.all.filter { $0.bytes > 300 })
  func `the queue stays within its bound but for events already begun`(_ scenario: Scenario) {
    for seed in Self.seeds {
      _ = run(scenario, seed: seed) { counters, _ in
        // At most six records of each event that is open at once.
        let surplus = 6 * (scenario.interleaved ? 5 : 1)
        #expect(Int(counters.queued) <= scenario.records + surplus)
      }
    }
  }
}
