import Configuration
import Linux
import Testing

@testable import AuditDispatch
@testable import Journal

@Suite("What a plugin's reading shows")
struct PluginValueTests {
  private func at(_ seconds: Double) -> Moment { Moment(nanoseconds: Int64(seconds * 1e9)) }

  private func counters(
    delivered: UInt64 = 0, queued: UInt64 = 0, full: UInt64 = 0, suspended: UInt64 = 0
  ) -> Counters {
    Counters(
      received: delivered + queued + full + suspended, delivered: delivered, redelivered: 0,
      queued: queued, queuedBytes: 0, queuedMax: queued, bytes: 0, droppedEvents: 0,
      dropped: DropReason.allCases.map {
        $0 == .queueFull ? full : $0 == .suspended ? suspended : 0
      })
  }

  @Test func `a stall is said once, and again only after it has read`() {
    var progress = ReadingProgress(at(0))
    var said: [Int] = []
    for second in 0..<40 {
      progress.look(counters(delivered: second >= 20 ? 5 : 0, queued: 9), at(Double(second)))
      if progress.beginsToStall(after: .seconds(10), at(Double(second))) { said.append(second) }
    }
    #expect(said == [10, 30])
    #expect(progress.isStalled)
  }

  @Test func `what waits for nothing, or may wait without end, does not stall`() {
    var idle = ReadingProgress(at(0))
    idle.look(counters(delivered: 3), at(100))
    let isIdle = !idle.beginsToStall(after: .seconds(10), at(101))
    var patient = ReadingProgress(at(0))
    patient.look(counters(queued: 1), at(100))
    let isPatient = !patient.beginsToStall(after: .zero, at(100))
    #expect(isIdle && isPatient)
  }

  @Test func `an overflowing queue is looked at a thousand times a second`() {
    var pace = ReadingPace()
    var looks = 0
    for step in 1...10_000 where pace.beginLook(at(1 + Double(step) * 0.0001)) { looks += 1 }
    #expect(looks <= 1000 && looks >= 900)
  }

  @Test func `one with as much unread as may be is written to less often while it does not read`() {
    var pace = ReadingPace()
    var now = at(5)
    var pauses: [Double] = []
    for _ in 0..<12 {
      let next = pace.writesAgain(read: StreamOffset(7), now)
      // Others have something done before: it waits no longer by that.
      let meanwhile = pace.writesAgain(read: StreamOffset(7), now + .microseconds(900))
      #expect(meanwhile == next)
      pauses.append((next - now) / .milliseconds(1))
      now = next
    }
    #expect(pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000])
    let next = pace.writesAgain(read: StreamOffset(8), now)
    #expect(next == now + .milliseconds(1))
  }

  @Test func `drops are said at a low rate, all of them in the end`() {
    var report = LossReport()
    let said = [
      report.news(counters(queued: 2, full: 3), .syslog, at(1)),
      report.news(counters(full: 8), .syslog, at(2)),
    ]
    #expect(said == ["records dropped: 3 queue_full; 3 in all, 2 are queued", nil])
    #expect(report.isBehind(counters(full: 8)))
    let last = report.news(counters(full: 8), .syslog, at(12))
    #expect(last == "records dropped: 5 queue_full; 8 in all, 0 are queued")
    #expect(!report.isBehind(counters(full: 8)))
  }

  @Test func `what died and is sent again is not said to be dropped`() {
    var report = LossReport()
    func counters(_ died: UInt64) -> Counters {
      Counters(
        received: died, delivered: 0, redelivered: 0, queued: 0, queuedBytes: 0, queuedMax: 0,
        bytes: 0, droppedEvents: 0, dropped: [0, 0, 0, 0, 0, 0, died])
    }
    report.comeAgain(3)
    let said = [
      report.news(counters(3), .lossless, at(1)), report.news(counters(5), .lossless, at(2)),
    ]
    #expect(said == [nil, "records dropped: 2 dispatcher_died; 5 in all, 0 are queued"])
    report.comeAgain(1)
    let mixed = report.news(counters(8), .lossless, at(20))
    #expect(mixed == "records dropped: 2 dispatcher_died; 8 in all, 0 are queued")
  }

  @Test(arguments: [OverflowAction.ignore, .dropOldest, .suspend])
  func `an action that is not to report is silent of full queues, and keeps count`(
    action: OverflowAction
  ) {
    var report = LossReport()
    let said = report.news(counters(full: 3, suspended: 2), action, at(1))
    #expect(said == nil)
    #expect(!report.isBehind(counters(full: 3, suspended: 2)))
  }

  @Test func `an overflow is acted on once while it lasts`() {
    var report = LossReport()
    let first = [report.beginAction(), report.beginAction()]
    report.overflowEnded()
    let second = report.beginAction()
    #expect(first == [true, false] && second)
  }

  @Test func `starts that may do better do not count as failed`() {
    var past = PluginPast()
    past.failedToStart("no such file", passes: false)
    past.failedToStart("no such file", passes: false)
    #expect(past.failedStarts == (2, "no such file"))
    past.failedToStart("no memory", passes: true)
    #expect(past.failedStarts == (0, "no memory"))
    #expect(past.lastMessage?.value == "no memory")
  }
}

@Suite("Records of other hosts that are not safe yet")
struct UnsafeRecordsTests {
  private func record(_ count: UInt64, _ number: UInt64) -> UnsafeRecords.Record {
    .init(
      count: count, record: RecordNumber(number), place: nil, key: [], number: 0, isNumbered: false)
  }

  @Test func `become safe in order, and once`() {
    var records = UnsafeRecords()
    for number in 1...10_000 { records.append(record(UInt64(number), UInt64(number / 2))) }
    var safe: [UInt64] = []
    for end in stride(from: 0, through: 5001, by: 7) {
      records.takeSafe(below: RecordNumber(UInt64(end))) { safe.append($0.count) }
    }
    records.takeSafe(below: .max) { safe.append($0.count) }
    #expect(safe == Array(1...10_000))
    #expect(records.isEmpty)
  }

  @Test func `are all taken when none will be safe`() {
    var records = UnsafeRecords()
    for number: UInt64 in 1...5 { records.append(record(number, number)) }
    records.takeSafe(below: RecordNumber(3)) { _ in }
    #expect(records.takeAll().map(\.count) == [3, 4, 5])
    #expect(records.isEmpty)
  }
}
