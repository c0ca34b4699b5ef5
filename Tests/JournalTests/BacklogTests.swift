import Testing
import TestSupport

@testable import Journal

@Suite("A backlog by itself")
struct BacklogTests {
  private func number(_ value: Int) -> RecordNumber { RecordNumber(UInt64(1 << 20 + value)) }
  private func range(_ from: Int, _ to: Int) -> Range<RecordNumber> { number(from)..<number(to) }

  @Test("gives every record one fate, and pends what is queued, whatever is done with it")
  func identity() {
    var random = Seeded(of: "backlog")
    for _ in 0..<200 {
      var backlog = Backlog()
      var end = 0
      for step in 0..<60 {
        operate(&backlog, &end, &random)
        let counters = backlog.counters
        #expect(counters.isBalanced, "step \(step)")
        #expect(Int(counters.queued) == backlog.pending.count, "step \(step)")
        #expect(counters.queuedBytes == backlog.pending.count * 10, "step \(step)")
      }
    }
  }

  /// Does something with it; each record has ten bytes.
  private func operate(_ backlog: inout Backlog, _ end: inout Int, _ random: inout Seeded) {
    let count = 1 + random.number(below: 5)
    switch random.number(below: 6) {
    case 0, 1:
      backlog.queue(range(end, end + count), bytes: count * 10)
      end += count
    case 2:
      backlog.refuse(UInt64(count), events: 1, .queueFull)
      end += count
    case 3:
      guard let next = backlog.pending.stretch(from: backlog.written) else { return }
      backlog.wrote(next.lowerBound..<next.lowerBound + min(count, next.count))
    case 4:
      guard let first = backlog.pending.stretch(from: RecordNumber(0)),
        first.lowerBound < backlog.written
      else { return }
      let read = first.lowerBound..<min(first.upperBound, backlog.written)
      backlog.deliver(read, bytes: read.count * 10, areNumbered: true)
    default:
      guard let next = backlog.pending.stretch(from: backlog.written) else { return }
      let dropped = next.lowerBound..<next.lowerBound + 1
      backlog.drop(dropped, bytes: 10, events: 1, .queueFull)
    }
  }

  @Test(
    "settles what a predecessor had queued: in the log, read, or dead",
    arguments: [0, 3, 5], [0, 2, 9])
  func settled(stored: Int, read: Int) {
    var before = Counters()
    before.received = 15
    before.delivered = 10
    before.queued = 5
    before.queuedBytes = 50
    var backlog = Backlog()
    backlog.adopt(before, firstNumber: StreamNumber(11))
    backlog.queue(range(20, 22), bytes: 20)
    let outcome = backlog.settle(
      queued: (5, 50), stored: stored == 0 ? [] : [range(0, stored)], storedBytes: stored * 10,
      read: UInt64(read))
    let rest = 5 - stored
    #expect(outcome == (UInt64(min(read, rest)), UInt64(rest - min(read, rest))))
    let counters = backlog.counters
    #expect(counters.isBalanced)
    #expect(Int(counters.queued) == stored + 2 && counters.queuedBytes == (stored + 2) * 10)
    #expect(Int(counters.delivered) == 10 + min(read, rest))
    #expect(Int(counters[.dispatcherDied]) == rest - min(read, rest))
    #expect(Int(counters.bytes) == min(read, rest) * 10)
    #expect(backlog.pending.first == (stored == 0 ? number(20) : number(0)))
  }

  @Test("counts as received what the log has more than a predecessor had counted")
  func moreInLog() {
    var backlog = Backlog()
    let outcome = backlog.settle(
      queued: (0, 0), stored: [range(0, 4)], storedBytes: 40, read: 9)
    #expect(outcome == (0, 0))
    #expect(backlog.counters.received == 4 && backlog.counters.isBalanced)
  }

  @Test("tells a gap that was put aside once, with what was dropped meanwhile")
  func gapPutBack() {
    var backlog = Backlog()
    backlog.noteGapAhead(records: 3, events: 1, .queueFull, serial: 7)
    let aside = backlog.takeGapAhead()
    #expect(backlog.gapAhead == Gap())
    backlog.noteGapAhead(records: 2, events: 2, .spoolCorrupt, serial: 9)
    backlog.putBackGapAhead(aside)
    #expect(
      backlog.gapAhead == Gap(records: 5, events: 3, reason: .spoolCorrupt, serial: 9))
    let again = backlog.takeGapAhead()
    backlog.putBackGapAhead(again)
    #expect(backlog.gapAhead == again)
  }
}
