import AuditRecord
import TestSupport
import Testing

@testable import Journal

@Suite("Confirming")
struct ConfirmTests {
  /// Plugins that confirm now and then and die now and then, against a list.
  @Test func `gives each record its number until it is confirmed`() {
    for seed in 0..<300 { run(Seeded(UInt64(seed))) }
  }

  /// Nothing confirms an announcement but the next record: where none comes, a stop would wait.
  @Test func `has everything when it has read an announcement behind the last record`() {
    let journal = Journal(firstRecord: RecordNumber(2))
    var subscription = Subscription(
      name: "p", limits: .init(records: 10, bytes: 1 << 20, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: nil, journal: journal)
    subscription.confirms = true
    let log = LogKnowledge()
    subscription.goOn(in: log, beyond: subscription.limits, waitsForSync: false)
    log.wentOn(from: RecordNumber(2))
    subscription.restore(
      [RecordNumber(0)..<RecordNumber(2)], bytes: 80, firstNumber: StreamNumber(1))
    // Neither of the two can be read.
    subscription.readBack([], through: RecordNumber(2), now: 1)
    var scratch: [UInt8] = []
    while let count = unsafe subscription.withNextBytes(
      journal: journal, now: 1, scratch: &scratch, { $0.count })
    {
      subscription.wrote(count)
    }
    let hasUnread = subscription.outstanding > 0 && !subscription.isEmpty
    subscription.setUnread(0)
    let hasEverything = subscription.isEmpty
    #expect(hasUnread && hasEverything && subscription.counters.dropped == 2)
  }

  private func run(_ generator: Seeded) {
    var random = generator
    let journal = Journal()
    var subscription = Subscription(
      name: "p", limits: .init(records: 10_000, bytes: 1 << 24, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: nil, journal: journal)
    subscription.confirms = true
    var put = 0
    var written = 0  // Records given to this generation whole, from `confirmed` on.
    var confirmed = 0
    var rest = ""
    for _ in 0..<200 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4:
        journal.beginBatch()
        for _ in 0..<Int.random(in: 1...20, using: &random) {
          journal.appendLine("type=A msg=audit(1700000000.001:\(put)): n=\(put)")
          put += 1
        }
        subscription.admit(journal.batch, journal: journal, now: 1)
      case 4..<7:
        var scratch: [UInt8] = []
        let limit = Int.random(in: 1...400, using: &random)
        let piece = unsafe subscription.withNextBytes(journal: journal, now: 1, scratch: &scratch) {
          unsafe String(decoding: $0.prefix(limit), as: UTF8.self)
        }
        guard let piece else { continue }
        subscription.wrote(piece.utf8.count)
        rest += piece
        while let newline = rest.firstIndex(of: "\n") {
          #expect(rest[..<newline].hasSuffix("n=\(confirmed + written)"))
          rest.removeSubrange(...newline)
          written += 1
        }
      case 7..<9:
        let count = Int.random(in: 0...written, using: &random)
        let isKnown = subscription.confirm(upTo: StreamNumber(UInt64(confirmed + count)))
        #expect(isKnown)
        confirmed += count
        written -= count
        let isUnknown = !subscription.confirm(
          upTo: StreamNumber(UInt64(confirmed + written + 1)))
        #expect(isUnknown)
      default:
        subscription.restart(unread: 0, journal: journal)
        written = 0
        rest = ""
      }
      #expect(subscription.firstNumber == StreamNumber(UInt64(confirmed + 1)))
      #expect(subscription.counters.delivered == UInt64(confirmed))
      #expect(subscription.counters.queued == UInt64(put - confirmed))
      #expect(subscription.counters.isBalanced)
    }
  }
}
