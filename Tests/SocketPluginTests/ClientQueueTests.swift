import AuditRecord
import TestSupport
import Testing

@testable import audispatch_socket

extension ClientQueue {
  fileprivate mutating func offer(_ batch: PreparedBatch, _ tell: (Gap) -> PreparedBatch?) {
    offer(batch, 0..<batch.records.count, tell)
  }
}

@Suite("A client's queue")
struct ClientQueueTests {
  /// Records of ten bytes: event and place in it; `0` is the first of an event.
  static func batch(_ records: [(event: UInt64, place: Int)]) -> PreparedBatch {
    var bytes: [UInt8] = []
    var made: [PreparedBatch.Record] = []
    for (event, place) in records {
      let number = String(event)
      let line = "e" + String(repeating: "0", count: 6 - number.count) + number + "-\(place)\n"
      bytes += line.utf8
      made.append(
        PreparedBatch.Record(
          end: bytes.count, event: event, isFirst: place == 0, serial: 100 + event, type: .path))
    }
    return PreparedBatch(bytes: bytes, records: made)
  }

  static func take(_ queue: inout ClientQueue, _ count: Int) -> [String] {
    var lines: [String] = []
    while lines.count < count, !queue.isEmpty {
      let piece = queue.front
      let now = min(count - lines.count, piece.last - piece.first)
      let bytes = piece.batch.bytes[
        piece.batch.start(of: piece.first)..<piece.batch.start(of: piece.first + now)]
      lines += String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
      queue.take(now)
    }
    return lines
  }

  static func gapLine(_ gap: ClientQueue.Gap) -> PreparedBatch {
    let line = "gap \(gap.records) \(gap.events) \(gap.serial)\n"
    return PreparedBatch(
      bytes: Array(line.utf8),
      records: [
        PreparedBatch.Record(
          end: line.utf8.count, event: 0, isFirst: true, serial: gap.serial, type: .daemonError)
      ])
  }

  @Test func `gives everything in order while it fits`() {
    var queue = ClientQueue(depth: 10, bytes: 1000, start: 0)
    queue.offer(Self.batch([(0, 0), (1, 0), (0, 1)]), Self.gapLine)
    queue.offer(Self.batch([(2, 0)]), Self.gapLine)
    #expect(queue.records == 4 && queue.bytes == 40)
    #expect(Self.take(&queue, 9) == ["e000000-0", "e000001-0", "e000000-1", "e000002-0"])
    #expect(queue.isEmpty && queue.records == 0 && queue.bytes == 0)
  }

  @Test func `drops from the first event that does not fit until it is half empty`() {
    var queue = ClientQueue(depth: 4, bytes: 1000, start: 0)
    queue.offer(Self.batch([(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (4, 1)]), Self.gapLine)
    #expect(queue.records == 4 && queue.isDropping)
    #expect(Self.take(&queue, 1) == ["e000000-0"])
    queue.offer(Self.batch([(5, 0)]), Self.gapLine)
    #expect(queue.records == 3)
    #expect(Self.take(&queue, 1) == ["e000001-0"])
    // What belongs to an event that was dropped stays away, also when there is room again.
    queue.offer(Self.batch([(6, 0), (4, 2), (5, 1), (6, 1)]), Self.gapLine)
    #expect(
      Self.take(&queue, 9) == ["e000002-0", "e000003-0", "gap 3 2 105", "e000006-0", "e000006-1"])
    #expect(queue.dropped == .init(records: 5, events: 2, serial: 105))
    // It is told before the next event, not within one.
    queue.offer(Self.batch([(7, 0)]), Self.gapLine)
    #expect(Self.take(&queue, 9) == ["gap 2 0 105", "e000007-0"])
  }

  @Test func `finishes an event that was begun, beyond the bound`() {
    var queue = ClientQueue(depth: 2, bytes: 1000, start: 0)
    queue.offer(Self.batch([(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (0, 2)]), Self.gapLine)
    #expect(
      Self.take(&queue, 9) == ["e000000-0", "e000001-0", "e000000-1", "e000001-1", "e000000-2"])
    #expect(queue.dropped.records == 2 && queue.dropped.events == 1)
  }

  @Test func `finishes no event that takes more than a MiB beyond the bound`() {
    var queue = ClientQueue(depth: 1 << 30, bytes: 10, start: 0)
    queue.offer(Self.batch([(0, 0)]), Self.gapLine)
    for place in 1...110_000 { queue.offer(Self.batch([(0, place % 9 + 1)]), Self.gapLine) }
    #expect(queue.bytes <= 10 + ClientQueue.finishingBytes)
    #expect(queue.bytes > ClientQueue.finishingBytes)
    #expect(queue.dropped.events == 1)
    #expect(queue.records + queue.dropped.records == 110_001)
  }

  @Test func `begins with the first event that begins behind the client's coming`() {
    var queue = ClientQueue(depth: 10, bytes: 1000, start: 5)
    queue.offer(Self.batch([(4, 1), (5, 0), (4, 2), (5, 1)]), Self.gapLine)
    #expect(Self.take(&queue, 9) == ["e000005-0", "e000005-1"])
    #expect(queue.dropped == .init())
  }

  static let portions = [
    (100, 1000, 0..<20), (10, 1000, 0..<5), (1, 1000, 0..<1), (100, 100, 0..<5),
  ]

  @Test(arguments: portions)
  func `is offered at most half of what it takes at once`(
    _ depth: Int, _ bytes: Int, _ expected: Range<Int>
  ) {
    let queue = ClientQueue(depth: depth, bytes: bytes, start: 0)
    let batch = Self.batch((0..<20).map { ($0, 0) })
    #expect(queue.portion(of: batch, from: 0) == expected)
    #expect(queue.portion(of: batch, from: 19) == 19..<20)
  }

  @Test func `is bound by bytes too`() {
    var queue = ClientQueue(depth: 100, bytes: 35, start: 0)
    queue.offer(Self.batch((0..<6).map { ($0, 0) }), Self.gapLine)
    #expect(queue.records == 3 && queue.dropped.records == 3)
  }

  /// Events that interleave, offered in batches of any size, and taken now and then.
  @Test(arguments: 0..<300)
  func `gives whole events only, in order, and counts the others`(_ seed: Int) {
    var numbers = Seeded(UInt64(seed))
    let depth = Int.random(in: 1...20, using: &numbers)
    var queue = ClientQueue(
      depth: depth, bytes: 10 * Int.random(in: 1...20, using: &numbers), start: 0)
    var open: [(event: UInt64, place: Int, count: Int)] = []
    var next: UInt64 = 0
    var sizes: [UInt64: Int] = [:]
    var got: [String] = []
    var offered = 0
    for _ in 0..<200 {
      var records: [(UInt64, Int)] = []
      for _ in 0..<Int.random(in: 1...12, using: &numbers) {
        var index = Int.random(in: 0..<4, using: &numbers)
        if index >= open.count {
          index = open.count
          let count = Int.random(in: 1...5, using: &numbers)
          open.append((next, 0, count))
          sizes[next] = count
          next += 1
        }
        records.append((open[index].event, open[index].place))
        open[index].place += 1
        if open[index].place == open[index].count { open.remove(at: index) }
      }
      offered += records.count
      queue.offer(Self.batch(records), Self.gapLine)
      #expect(queue.records <= depth + 5 * 4 + 1)
      if Bool.random(using: &numbers) {
        got += Self.take(&queue, Int.random(in: 0...20, using: &numbers))
      }
    }
    let unfinished = Set(open.map(\.event))
    got += Self.take(&queue, .max)
    let gaps = got.filter { $0.hasPrefix("gap") }.map { $0.split(separator: " ").map(String.init) }
    let lines = got.filter { $0.hasPrefix("e") }
    #expect(lines.count + queue.dropped.records == offered)
    #expect(gaps.reduce(0) { $0 + Int($1[1])! } + queue.gap.records == queue.dropped.records)
    #expect(gaps.reduce(0) { $0 + Int($1[2])! } + queue.gap.events == queue.dropped.events)
    var found: [UInt64: [Int]] = [:]
    for line in lines {
      let parts = line.dropFirst().split(separator: "-")
      found[UInt64(parts[0])!, default: []].append(Int(parts[1])!)
    }
    for (event, places) in found where !unfinished.contains(event) {
      #expect(places == Array(0..<sizes[event]!), "event \(event)")
    }
    let firsts = lines.filter { $0.hasSuffix("-0") }
    #expect(firsts == firsts.sorted())
    #expect(found.count + queue.dropped.events == Int(next))
  }
}
