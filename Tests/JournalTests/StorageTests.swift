import AuditRecord
import TestSupport
import Testing

@testable import Journal

/// A durable plugin's queue over a disk that is a dictionary.
@Suite("A queue that goes on on disk")
struct StorageTests {
  /// What the disk has, and what it lost.
  private struct Disk {
    var lines: [RecordNumber: (line: String, event: UInt32, isFirst: Bool)] = [:]
    var lost: Set<RecordNumber> = []

    mutating func keep(_ batch: Journal.Batch) {
      for slice in batch.slices {
        for index in slice.start..<slice.end {
          let entry = slice.segment[index]
          let line = unsafe slice.segment.withBytes(entry.offset..<entry.end) {
            unsafe String(decoding: $0, as: UTF8.self)
          }
          lines[slice.segment.first + index] = (line, entry.event, entry.isFirst)
        }
      }
    }
  }

  @Test func `gives everything in order, once, and counts what it cannot`() {
    for seed in [1520, 1761, 3043] + (0..<(environmentAsksForMore ? 20_000 : 150)) {
      run(Seeded(UInt64(seed)))
    }
  }

  @Test func `holds what comes while the disk takes nothing behind what the disk has`() {
    let journal = Journal()
    var subscription = Subscription(
      name: "p", limits: .init(records: .max, bytes: 1 << 20, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: nil, journal: journal)
    let log = LogKnowledge()
    subscription.goOn(
      in: log, beyond: .init(records: 10, bytes: 1 << 20, whenFull: .dropNewest),
      waitsForSync: false)
    log.wentOn(from: journal.nextRecord)
    subscription.restore([], bytes: 0, firstNumber: StreamNumber(1))
    func admit(_ records: Int) {
      journal.beginBatch()
      for _ in 0..<records {
        journal.appendLine("type=A msg=audit(1700000000.001:\(journal.nextRecord.value)): n=1")
      }
      subscription.admit(journal.batch, journal: journal, now: 1)
    }
    for _ in 0..<5 { admit(10) }
    #expect(subscription.storedRecords == 40 && subscription.counters.dropped == 0)
    log.stopped(from: journal.nextRecord)
    subscription.logLost(from: journal.nextRecord, [])
    // Ten are in memory before the forty of the disk already.
    admit(1)
    #expect(subscription.counters.dropped == 1)
    var scratch: [UInt8] = []
    let piece = unsafe subscription.withNextBytes(journal: journal, now: 1, scratch: &scratch) {
      $0.count
    }
    subscription.wrote(piece ?? 0)
    subscription.setUnread(0)
    for _ in 0..<10 { admit(1) }
    #expect(subscription.counters.dropped == 1 && subscription.counters.queued == 50)
    // What is held behind does not keep from reading back what comes before it.
    #expect(subscription.wanted?.records == RecordNumber(10)..<RecordNumber(20))
    admit(1)
    #expect(subscription.counters.dropped == 2 && subscription.storedRecords == 40)
    while subscription.shed(journal: journal) {}
    #expect(subscription.counters.queued == 40 && subscription.counters.isBalanced)
    admit(3)
    subscription.dropHeld(.stopDeadline)
    #expect(subscription.counters.queued == 40 && subscription.counters.isBalanced)
    #expect(subscription.queuedInLog == [RecordNumber(10)..<RecordNumber(50)])
  }

  @Test func `has nothing on disk while that is being opened`() {
    let journal = Journal()
    var subscription = Subscription(
      name: "p", limits: .init(records: .max, bytes: 1 << 20, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: nil, journal: journal)
    subscription.goOn(
      in: LogKnowledge(), beyond: .init(records: 10, bytes: 1 << 20, whenFull: .dropNewest),
      waitsForSync: false)
    journal.beginBatch()
    journal.appendLine("type=A msg=audit(1700000000.001:1): n=1")
    subscription.admit(journal.batch, journal: journal, now: 1)
    #expect(subscription.queuedInMemoryOnly == 1 && subscription.queuedInLog == [])
    subscription.dropHeld(.stopDeadline)
    #expect(subscription.counters[.stopDeadline] == 1 && subscription.counters.isBalanced)
  }

  private func run(_ generator: Seeded) {
    var random = generator
    let journal = Journal()
    var disk = Disk()
    var put = 0
    func append(_ records: Int) {
      journal.beginBatch()
      for _ in 0..<records {
        journal.appendLine("type=A msg=audit(1700000000.001:\(put)): n=\(put)")
        put += 1
      }
    }
    // What another process had left on disk.
    let inherited = Int.random(in: 0...40, using: &random)
    append(inherited)
    if inherited > 0 { disk.keep(journal.batch) }
    let inheritedBytes = inherited > 0 ? journal.batch.bytes : 0
    let spool = Int.random(in: 2_000...20_000, using: &random)
    var subscription = Subscription(
      name: "p", limits: .init(records: .max, bytes: spool, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: nil, journal: journal)
    subscription.confirms = Bool.random(using: &random)
    let window = Subscription.Limits(
      records: Int.random(in: 1...40, using: &random),
      bytes: Int.random(in: 100...2_000, using: &random), whenFull: .dropNewest)
    let log = LogKnowledge()
    let isLossless = Bool.random(using: &random)
    subscription.goOn(in: log, beyond: window, waitsForSync: isLossless)
    var stream = ""
    var delivered = 0
    var leftOut: [Range<RecordNumber>] = []
    // The disk may have failed again before it was known what it has.
    var takes = Bool.random(using: &random)
    append(Int.random(in: 1...12, using: &random))
    subscription.admit(journal.batch, journal: journal, now: 1)
    leftOut += subscription.takeLeftOut()
    let first = RecordNumber(UInt64(inherited))
    if takes {
      log.wentOn(from: first)
      disk.keep(journal.batch)
    } else {
      log.stopped(from: first)
      subscription.logLost(from: first, journal.batch.slices)
    }
    subscription.restore(
      inherited > 0 ? [RecordNumber(0)..<first] : [], bytes: inheritedBytes,
      firstNumber: StreamNumber(1))

    func write(_ limit: Int) {
      var scratch: [UInt8] = []
      let piece = unsafe subscription.withNextBytes(journal: journal, now: 1, scratch: &scratch) {
        unsafe String(decoding: $0.prefix(limit), as: UTF8.self)
      }
      guard let piece else { return }
      subscription.wrote(piece.utf8.count)
      stream += piece
    }

    func readBack() {
      guard let (records, bytes) = subscription.wanted else { return }
      var end = records.lowerBound
      var total = 0
      var segments: [Segment] = []
      var back: Journal?
      while end < records.upperBound, total == 0 || total < bytes {
        if let kept = disk.lines[end], !disk.lost.contains(end) {
          total += kept.line.utf8.count
          let journal = back ?? Journal(firstRecord: end)
          journal.beginBatch()
          journal.appendLine(String(kept.line.dropLast()))
          if back == nil { segments.append(journal.batch.slices[0].segment) }
          back = journal
        } else {
          back = nil
        }
        end = end + 1
      }
      subscription.readBack(segments, through: end, now: 1)
    }

    for _ in 0..<300 {
      switch Int.random(in: 0..<12, using: &random) {
      case 0..<4:
        append(Int.random(in: 1...12, using: &random))
        subscription.admit(journal.batch, journal: journal, now: 1)
        if takes { disk.keep(journal.batch) }
        leftOut += subscription.takeLeftOut()
        if takes {
          log.synced(below: RecordNumber(UInt64(Int.random(in: 0...put, using: &random))))
        }
      case 4..<7: write(Int.random(in: 1...300, using: &random))
      case 7..<9: readBack()
      case 9:
        if subscription.confirms {
          let count = Int.random(in: 0...subscription.stream.records, using: &random)
          _ = subscription.confirm(upTo: subscription.firstNumber + (count - 1))
        } else {
          subscription.setUnread(Int.random(in: 0...subscription.outstanding, using: &random))
        }
      case 10:
        switch Int.random(in: 0..<4, using: &random) {
        case 0: _ = subscription.unload()
        case 1: disk.lost.insert(RecordNumber(UInt64(Int.random(in: 0...put, using: &random))))
        case 2:
          takes.toggle()
          if takes {
            log.wentOn(from: journal.nextRecord)
          } else {
            // Of the last batch nothing may have got there.
            let first = journal.batch.slices.first?.numbers.lowerBound
            let isLost = Bool.random(using: &random)
            let from = isLost ? first ?? journal.nextRecord : journal.nextRecord
            disk.lines = disk.lines.filter { $0.key < from }
            log.stopped(from: from)
            subscription.logLost(from: from, isLost ? journal.batch.slices : [])
          }
        default: break
        }
      default: break
      }
      #expect(subscription.counters.isBalanced)
      #expect(subscription.counters.received == UInt64(put))
      delivered = Int(subscription.counters.delivered)
      guard put.isMultiple(of: 8) else { continue }
      let stored = subscription.queuedInLog
      #expect(stored.allSatisfy { $0.allSatisfy { disk.lines[$0] != nil } })
      #expect(
        stored.reduce(0) { $0 + $1.count } + subscription.queuedInMemoryOnly
          == Int(subscription.counters.queued))
    }
    subscription.setWaitsForSync(false)
    for _ in 0..<10_000 where !subscription.isEmpty {
      readBack()
      write(.max)
      subscription.setUnread(0)
      guard subscription.confirms else { continue }
      _ = subscription.confirm(
        upTo: subscription.firstNumber + (subscription.stream.records - 1))
    }
    leftOut += subscription.takeLeftOut()
    let counters = subscription.counters
    #expect(subscription.isEmpty && counters.queued == 0 && counters.queuedBytes == 0)
    #expect(counters.isBalanced && delivered <= Int(counters.delivered))
    let numbers = stream.split(separator: "\n").compactMap { line in
      line.firstMatch(of: #/ n=(\d+)$/#).flatMap { Int($0.1) }
    }
    let absent = Set(leftOut.flatMap { Array($0) }.map { Int($0.value) })
    #expect(numbers == (0..<put).filter { !absent.contains($0) })
    #expect(absent.count == Int(counters.dropped))
  }
}
