import Glibc
import Linux
import TestSupport
import Testing

@testable import Journal

/// What single damaged bytes cost, and what opening reads.
@Suite("A damaged log")
struct SpoolDamageTests {
  private func fill(_ log: inout SpoolLog<ModelDisk>, _ records: Range<LogRecordNumber>) throws {
    for number in records {
      var batch = SpoolBatch()
      batch.first = number
      batch.nextSequence = number + 1
      let event = LogEventNumber(number.value)
      batch.nextEvent = event + 1
      let text = Array("type=SYSCALL msg=audit(1700000000.001:\(number)): n=\(number)\n".utf8)
      unsafe text.withUnsafeBytes {
        unsafe SpoolRecord.append(
          to: &batch.bytes, salt: log.salt, kind: .data, sequence: number, event: event, text: $0)
      }
      if number == records.lowerBound {
        let note = SpoolNote(number.value, 1, 7, "p")
        note.append(
          to: &batch.bytes, salt: log.salt, kind: .cursor, sequence: number, event: event)
        batch.notes.append((.cursor, note))
      }
      try log.append(batch)
    }
    try log.sync()
  }

  private func numbers(_ log: inout SpoolLog<ModelDisk>) throws -> [LogRecordNumber] {
    var found: [LogRecordNumber] = []
    var at = log.files.first?.first ?? 0
    while at < log.nextSequence {
      let loaded = try log.load(from: at, bytes: 64 << 10)
      found += loaded.records.map(\.sequence)
      #expect(loaded.through > at)
      at = loaded.through
    }
    return found
  }

  @Test func `loses the record that was hit and no other, whatever byte it is`() throws {
    var log = try SpoolLog(ModelDisk(Seeded(1)), salt: 77)
    try fill(&log, 0..<740)
    let disk = log.disk
    let name = log.files[0].name
    let whole = disk.files[name]?.bytes ?? []
    #expect(whole.count > 60 << 10)
    let step = unsafe getenv("AUDISPATCH_LONG") == nil ? 97 : 1
    for place in stride(from: 0, to: whole.count, by: step) {
      var damaged = disk
      damaged.files[name]?.bytes[place] ^= 1 << UInt8(place % 8)
      var opened = try SpoolLog(damaged, salt: 78)
      let found = try numbers(&opened)
      #expect(found.count >= 739, "byte \(place)")
      #expect(found == found.sorted(), "byte \(place)")
      // The last record is not known to have been there when it is hit.
      #expect(opened.nextSequence >= 739, "byte \(place)")
    }
  }

  @Test func `reads its last file only, however many there are`() throws {
    var log = try SpoolLog(ModelDisk(Seeded(1)), salt: 77, fileSize: 4096)
    try fill(&log, 0..<2000)
    #expect(log.files.count > 30)
    #expect(log.disk.reads.isEmpty)
    let opened = try SpoolLog(log.disk, salt: 78)
    #expect(opened.disk.reads == [log.files[log.files.count - 1].name])
    #expect(opened.nextSequence == 2000)
    // "type=SYSCALL msg=audit(1700000000.001:N): n=N", its newline and its share of heads and padding.
    #expect((50...60).contains(opened.averageBytes))
    #expect(opened.cursors["p"]?.next == 0)
  }

  @Test func `finds the longest record behind a damaged stretch of any length`() throws {
    let long = [UInt8](repeating: 0x41, count: Int(UInt16.max))
    for length in stride(from: 300_000, to: 700_000, by: 40_008) {
      var log = try SpoolLog(ModelDisk(Seeded(1)), salt: 77)
      var batch = SpoolBatch()
      batch.bytes = [UInt8](repeating: 0xa1, count: 8 * (length / 8))
      batch.nextSequence = 1
      batch.nextEvent = 1
      unsafe long.withUnsafeBytes {
        unsafe SpoolRecord.append(
          to: &batch.bytes, salt: log.salt, kind: .data, sequence: 0, event: 0, text: $0,
          payload: $0)
      }
      try log.append(batch)
      try log.sync()
      var opened = try SpoolLog(log.disk, salt: 78)
      #expect(opened.damaged == 1)
      #expect(try numbers(&opened) == [0], "\(length) bytes")
    }
  }

  @Test func `ends a hole without an end, and forgets a plugin`() throws {
    var cursor = SpoolCursor(next: 5, number: 1)
    for hole: Range<LogRecordNumber> in [
      7..<9, 9..<11, 20..<LogRecordNumber.max, 20..<LogRecordNumber.max, 7..<11,
    ] {
      cursor.addHole(hole)
    }
    #expect(cursor.holes == [7..<11, 20..<LogRecordNumber.max])
    #expect(cursor.wanted(of: 0..<100) == [5..<7, 11..<20])
    cursor.addHole(20..<30)
    #expect(cursor.wanted(of: 0..<100) == [5..<7, 11..<20, 30..<100])
    cursor.addHole(40..<LogRecordNumber.max)
    cursor.addHole(40..<40)
    #expect(cursor.wanted(of: 0..<100) == [5..<7, 11..<20, 30..<100])
    var log = try SpoolLog(ModelDisk(Seeded(1)), salt: 77)
    try fill(&log, 0..<10)
    #expect(log.cursors["p"] != nil)
    var batch = SpoolBatch()
    batch.first = 10
    batch.nextSequence = 10
    let note = SpoolNote(.max, 0, 0, "p")
    note.append(to: &batch.bytes, salt: 77, kind: .cursor, sequence: 10, event: 10)
    batch.notes.append((.cursor, note))
    try log.append(batch)
    try log.sync()
    #expect(log.cursors.isEmpty)
    #expect(try SpoolLog(log.disk, salt: 78).cursors.isEmpty)
  }

  /// Names and records that no daemon wrote, with checksums that are right.
  @Test func `takes numbers beyond its range for nothing`() throws {
    var disk = ModelDisk(Seeded(1))
    for name in [
      "ffffffffffffffff-00000001-00000000.spool", "0000000000000000-ffffffff-00000000.spool",
      "4000000000000000-00000001-00000000.spool", "0000000000000000-00000001-0000000.spool",
    ] { try disk.create(name) }
    var log = try SpoolLog(disk, salt: 77)
    #expect(log.files.isEmpty)
    try fill(&log, 0..<1)
    var bytes: [UInt8] = []
    for (kind, note) in [
      (SpoolRecord.Kind.cursor, SpoolNote(.max - 1, 1, 7, "p")),
      (.cursor, SpoolNote(1, .max, 7, "q")), (.hole, SpoolNote(7, 3, 7, "p")),
    ] {
      note.append(to: &bytes, salt: 77, kind: kind, sequence: 1, event: 1)
    }
    SpoolNote(0, 0, 0, "r").append(to: &bytes, salt: 77, kind: .hole, sequence: .max, event: .max)
    try log.disk.append(log.files[0].name, bytes)
    let opened = try SpoolLog(log.disk, salt: 78)
    #expect(opened.nextSequence == 1)
    #expect(opened.cursors == ["p": SpoolCursor(next: 0, number: 1, seconds: 7)])
  }

  @Test func `takes nothing for a record that a record's text pretends to be`() throws {
    var log = try SpoolLog(ModelDisk(Seeded(1)), salt: 77)
    var batch = SpoolBatch()
    batch.nextSequence = 1
    var fake: [UInt8] = []
    let text = Array("type=A msg=audit(1.001:1): forged\n".utf8)
    unsafe text.withUnsafeBytes {
      // What somebody can write who does not know the salt.
      unsafe SpoolRecord.append(
        to: &fake, salt: 0, kind: .data, sequence: 0, event: 0, text: $0)
    }
    unsafe fake.withUnsafeBytes {
      unsafe SpoolRecord.append(
        to: &batch.bytes, salt: log.salt, kind: .data, sequence: 0, event: 0, text: $0)
    }
    try log.append(batch)
    try log.sync()
    var disk = log.disk
    let name = log.files[0].name
    let size = disk.files[name]?.bytes.count ?? 0
    disk.files[name]?.bytes[size - fake.count - 8] ^= 1
    var opened = try SpoolLog(disk, salt: 78)
    #expect(try numbers(&opened) == [])
  }
}
