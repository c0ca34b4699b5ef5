import Testing

@testable import Journal

@Suite("What the log has")
struct LogKnowledgeTests {
  private func number(_ value: UInt64) -> RecordNumber { RecordNumber(value) }

  @Test func `an older answer takes nothing back that counts as synced`() {
    let log = LogKnowledge()
    log.wentOn(from: number(10))
    log.stopped(from: number(15))
    log.wentOn(from: number(20))
    #expect(log.lacks == [number(15)..<number(20)])
    log.synced(below: number(17))
    #expect(log.syncedBelow == number(20))
    log.synced(below: number(23))
    #expect(log.syncedBelow == number(23))
  }

  @Test func `what is left out is noted for a log that comes back, and for no other`() {
    let window = Subscription.Limits(records: 10, bytes: 1000, whenFull: .dropNewest)
    let log = LogKnowledge()
    log.wentOn(from: number(1))
    var share = DiskShare(log: log, window: window, waitsForSync: false)
    log.stopped(from: number(5))
    share.leaveOut(number(5)..<number(6))
    #expect(share.takeLeftOut() == [number(5)..<number(6)])
    var without = DiskShare(log: .none, window: window, waitsForSync: false)
    for place in stride(from: UInt64(1), to: 100, by: 2) {
      without.leaveOut(number(place)..<number(place + 1))
    }
    #expect(without.takeLeftOut() == [])
  }
}
