import AuditRecord
import Testing

@testable import Journal

/// What a plugin is given before its death, how much of it it reads, and what comes for its
/// successor; events by their numbers, one record each.
private struct Death: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var before: [Int]
  /// Records of `before` that are written, and of these the unread ones.
  var written: Int
  var unread: Int
  var after: [Int]
  /// What the successor is given, and how many of these records its predecessor had read too.
  var successor: [Int]
  var redelivered: UInt64
}

private let deaths: [Death] = [
  Death(
    testDescription: "everything read, no event goes on", before: [1, 2], written: 2, unread: 0,
    after: [3], successor: [3], redelivered: 0),
  Death(
    testDescription: "everything read, an event goes on behind another", before: [1, 2, 2],
    written: 3, unread: 0, after: [3, 2], successor: [3, 2, 2, 2], redelivered: 2),
  Death(
    testDescription: "everything read, an event goes on at once", before: [1, 2], written: 2,
    unread: 0, after: [2, 3], successor: [2, 2, 3], redelivered: 1),
  Death(
    testDescription: "the last record unread", before: [1, 2, 2], written: 3, unread: 1,
    after: [2, 3], successor: [2, 2, 2, 3], redelivered: 1),
  Death(
    testDescription: "nothing read", before: [1, 2], written: 2, unread: 2, after: [3],
    successor: [1, 2, 3], redelivered: 0),
  Death(
    testDescription: "nothing written", before: [1, 2], written: 0, unread: 0, after: [],
    successor: [1, 2], redelivered: 0),
]

@Suite("A successor")
struct RedeliveryTests {
  @Test(arguments: deaths)
  private func `is given what was unread, whole events, and each repeat is counted`(
    _ death: Death
  ) {
    let journal = Journal()
    var subscription = Subscription(
      name: "p", limits: .init(records: 100, bytes: 1 << 20, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: nil, journal: journal)
    func put(_ events: [Int]) {
      journal.beginBatch()
      for event in events { journal.appendLine("type=A msg=audit(1700000000.001:\(event)): x") }
      subscription.admit(journal.batch, journal: journal, now: 1)
    }
    var scratch: [UInt8] = []
    func write(_ records: Int) -> [Int] {
      var lines: [Substring] = []
      while lines.count < records,
        let piece = unsafe subscription.withNextBytes(
          journal: journal, now: 1, scratch: &scratch,
          { unsafe String(decoding: $0, as: UTF8.self) })
      {
        let taken = piece.split(separator: "\n").prefix(records - lines.count)
        subscription.wrote(taken.reduce(0) { $0 + $1.utf8.count + 1 })
        lines += taken
      }
      return lines.compactMap { line in
        line.split(separator: ":").dropFirst().first.flatMap { Int($0.prefix { $0 != ")" }) }
      }
    }

    put(death.before)
    #expect(write(death.written) == Array(death.before.prefix(death.written)))
    let length = "type=A msg=audit(1700000000.001:1): x\n".utf8.count
    subscription.restart(unread: death.unread * length, journal: journal)
    put(death.after)
    #expect(write(.max) == death.successor)
    #expect(subscription.counters.redelivered == death.redelivered)
    #expect(subscription.counters.isBalanced)
  }

  @Test
  func `that confirms is sent again what was read and not confirmed, and not what was unread`() {
    let journal = Journal()
    var subscription = Subscription(
      name: "p", limits: .init(records: 100, bytes: 1 << 20, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: nil, journal: journal)
    subscription.confirms = true
    let line = "type=A msg=audit(1700000000.001:1): x"
    journal.beginBatch()
    for _ in 1...5 { journal.appendLine(line) }
    subscription.admit(journal.batch, journal: journal, now: 1)
    var scratch: [UInt8] = []
    func write(_ records: Int) {
      let piece = unsafe subscription.withNextBytes(journal: journal, now: 1, scratch: &scratch) {
        $0.count
      }
      subscription.wrote(min(piece ?? 0, records * (line.utf8.count + 1)))
    }
    write(4)
    // One is confirmed, two more are read, of the fourth a part, and the last was never written.
    let isKnown = subscription.confirm(upTo: StreamNumber(1))
    #expect(isKnown)
    subscription.restart(unread: line.utf8.count - 5, journal: journal)
    write(5)
    #expect(subscription.counters.redelivered == 2)
  }

  @Test func `that confirms, where its predecessor did not, has each record under one number`() {
    let journal = Journal()
    var subscription = Subscription(
      name: "p", limits: .init(records: 100, bytes: 1 << 20, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: nil, journal: journal)
    func put(_ event: Int) {
      journal.beginBatch()
      journal.appendLine("type=A msg=audit(1700000000.001:\(event)): x")
      subscription.admit(journal.batch, journal: journal, now: 1)
    }
    var scratch: [UInt8] = []
    func write() -> Int {
      var records = 0
      while let piece = unsafe subscription.withNextBytes(
        journal: journal, now: 1, scratch: &scratch, { unsafe String(decoding: $0, as: UTF8.self) })
      {
        subscription.wrote(piece.utf8.count)
        records += piece.split(separator: "\n").count
      }
      return records
    }
    put(1)
    put(1)
    #expect(write() == 2)
    subscription.restart(unread: 0, journal: journal)
    subscription.confirms = true
    // The event goes on; what was read of it has no number.
    put(1)
    #expect(write() == 1)
    #expect(
      subscription.confirm(upTo: StreamNumber(1)) && !subscription.confirm(upTo: StreamNumber(2)))
    #expect(subscription.counters.delivered == 3 && subscription.isEmpty)
  }
}
