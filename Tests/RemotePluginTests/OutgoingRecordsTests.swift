import AuditRecord
import Testing

@testable import AudispatchPlugin
@testable import audispatch_remote

@Suite("Records that wait for a server") struct OutgoingRecordsTests {
  private func batch(_ lines: [String], place: UInt64, first: UInt64? = nil) -> RecordBatch {
    var batch = RecordBatch()
    var types = TypeNames()
    for line in lines.map({ Array($0.utf8) }) {
      guard let header = RecordHeader(line.span) else { continue }
      let type = RecordType(rawValue: types.number(of: line.span.extracting(header.typeName)))
      batch.append(
        line.span, header, type, number: first.map { $0 + UInt64(batch.records.count) } ?? 0)
    }
    batch.token = DeliveryToken(place: place)
    return batch
  }

  private func next(_ queue: inout OutgoingRecords) -> String? {
    queue.next().map { String(decoding: $0.line, as: UTF8.self) }
  }

  @Test func `go in order, and again in order`() {
    var queue = OutgoingRecords()
    _ = queue.append(batch(records(1...2), place: 1))
    _ = queue.append(batch(records(3...3), place: 2))
    #expect(queue.count == 3 && queue.unsent == 3)
    #expect((0..<3).map { _ in next(&queue) } == records(1...3))
    #expect(next(&queue) == nil)
    #expect(queue.finish() == nil)
    queue.startOver()
    #expect((0..<2).map { _ in next(&queue) } == records(2...3))
  }

  @Test func `are done with their batch, when its last is stored`() {
    var queue = OutgoingRecords()
    _ = queue.append(batch(records(1...2), place: 1))
    _ = queue.append(batch(records(3...3), place: 2))
    while queue.next() != nil {}
    #expect(queue.finish() == nil)
    #expect(queue.finish() == DeliveryToken(place: 1))
    #expect(queue.finish() == DeliveryToken(place: 2))
    #expect(queue.count == 0 && queue.bytes == 0)
  }

  @Test func `are no EOE, whose batch is done with the one before it`() {
    let end = "type=EOE msg=audit(1700000000.000:1): "
    var queue = OutgoingRecords()
    let alone = queue.append(batch([end], place: 1))
    _ = queue.append(batch(records(1...1), place: 2))
    let behind = queue.append(batch([end], place: 3))
    #expect(!alone && behind && queue.count == 1)
    _ = queue.next()
    #expect(queue.finish() == DeliveryToken(place: 3))
  }

  @Test func `take no more memory the longer it goes on`() {
    var queue = OutgoingRecords()
    for number in 1...5000 {
      _ = queue.append(batch(records(number...number), place: UInt64(number)))
      #expect(next(&queue) == records(number...number)[0])
      if number > 3 { #expect(queue.finish() == DeliveryToken(place: UInt64(number - 3))) }
    }
    #expect(queue.count == 3)
  }

  @Test func `have the dispatcher's numbers, over those of records that are not sent`() {
    let end = "type=EOE msg=audit(1700000000.000:1): "
    var queue = OutgoingRecords(first: 41)
    #expect(queue.nextNumber == 41)
    _ = queue.append(batch(records(1...1) + [end] + records(2...2), place: 1, first: 41))
    #expect(queue.nextNumber == 41)
    #expect(queue.next()?.number == 41)
    #expect(queue.nextNumber == 43)
    #expect(queue.next()?.number == 43)
    #expect(queue.nextNumber == 44)
    // A gap record has none.
    _ = queue.append(batch(records(3...3), place: 2))
    #expect(queue.next()?.number == 0)
    queue.startOver()
    #expect(queue.next()?.number == 41)
  }

  private func lines(_ numbers: ClosedRange<Int>) -> [[UInt8]] {
    records(numbers).map { Array($0.utf8) }
  }

  @Test func `wait behind those that are put in front, a part at a time, and go again so`() {
    var queue = OutgoingRecords(first: 7)
    queue.awaitsFront = true
    queue.putInFront(lines(1...2))
    _ = queue.append(batch(records(100...101), place: 1, first: 7))
    #expect((0..<2).map { _ in next(&queue) } == records(1...2))
    #expect(next(&queue) == nil && queue.unsent == 2)
    #expect(queue.finish() == nil)
    queue.putInFront(lines(3...4))
    queue.startOver()
    #expect((0..<3).map { _ in next(&queue) } == records(2...4))
    #expect(next(&queue) == nil)
    for _ in 2...4 { #expect(queue.finish() == nil) }
    queue.putInFront(lines(5...5))
    queue.awaitsFront = false
    #expect((0..<3).map { _ in next(&queue) } == records(5...5) + records(100...101))
    for _ in 0..<2 { #expect(queue.finish() == nil) }
    #expect(queue.finish() == DeliveryToken(place: 1))
    #expect(queue.count == 0 && queue.bytes == 0 && queue.nextNumber == 9)
  }

  @Test func `take no more memory the more is put in front`() {
    var queue = OutgoingRecords()
    queue.awaitsFront = true
    _ = queue.append(batch(records(9000...9000), place: 1))
    for number in 1...2000 {
      queue.putInFront(lines(number...number))
      #expect(next(&queue) == records(number...number)[0])
      #expect(queue.finish() == nil)
    }
    queue.awaitsFront = false
    #expect(next(&queue) == records(9000...9000)[0])
    #expect(queue.finish() == DeliveryToken(place: 1))
  }

  @Test func `are counted where the dispatcher numbers none`() {
    var queue = OutgoingRecords()
    _ = queue.append(batch(records(1...3), place: 1))
    #expect((0..<3).map { _ in queue.next()?.number } == [1, 2, 3])
  }
}
