import Testing

@testable import Journal

@Suite("What may lie unread in a plugin's socket")
struct StreamBoundTests {
  /// Small records, and a socket without a bound of its own.
  @Test func `is bounded in records, until the plugin reads`() {
    let journal = Journal()
    var queue = Subscription(
      name: "p", limits: .init(records: .max, bytes: .max, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: nil, journal: journal)
    let records = Subscription.mostUnread + 3000
    journal.beginBatch()
    for serial in 0..<records {
      journal.appendLine("type=A msg=audit(1.000:\(serial)):")
    }
    queue.admit(journal.batch, journal: journal, now: 1)
    var scratch: [UInt8] = []
    var offers: [Int] = []
    func write(_ queue: inout Subscription) -> Subscription.Outcome {
      unsafe queue.write(journal: journal, now: 1, scratch: &scratch) { bytes, offer, _ in
        offers.append(offer.count)
        return .bytes(bytes.count)
      }
    }
    var isFull = if case .full = write(&queue) { true } else { false }
    #expect(isFull)
    #expect(queue.streamPosition.records == UInt64(Subscription.mostUnread))
    #expect(offers.allSatisfy { $0 <= Subscription.mostOffered })
    isFull = if case .full = write(&queue) { true } else { false }
    #expect(isFull)
    queue.setUnread(queue.outstanding / 2)
    let isAll = if case .all = write(&queue) { true } else { false }
    #expect(isAll)
    #expect(queue.streamPosition.things.value == UInt64(records))
  }
}
