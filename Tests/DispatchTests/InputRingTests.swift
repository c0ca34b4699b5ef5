import AuditRecord
import Journal
import Linux
import Testing

@testable import AuditDispatch

@Suite("The ring of input")
struct InputRingTests {
  private let ring = UInt64(Survivor.ringBytes)

  /// A ring that goes on at a byte, of which everything before `end` was read.
  private func makeRing(settled: UInt64, end: UInt64) throws -> Intake {
    Intake(
      try Survivor(held: nil),
      settled: .init(byte: InputOffset(settled), record: RecordNumber(0), reader: RecordReader()),
      end: InputOffset(end),
      awaitedFrom: RecordNumber(0))
  }

  private func feed(_ intake: inout Intake, _ bytes: [UInt8]) throws {
    let pipe = try Pipe()
    let written = unsafe bytes.withUnsafeBytes { unsafe Transfer.write(pipe.writing.number, $0) }
    guard case .bytes(bytes.count) = written else {
      Issue.record("the pipe took \(written)")
      return
    }
    guard case .bytes(bytes.count) = intake.fill(pipe.reading.number, isSocket: false) else {
      Issue.record("the ring did not read all")
      return
    }
  }

  private func taken(_ intake: inout Intake, _ count: Int = .max) -> [UInt8] {
    var bytes: [UInt8] = []
    intake.take { span, position in
      position = min(count, span.count)
      for index in 0..<position { bytes.append(span[index]) }
    }
    return bytes
  }

  @Test func `gives what was read in one piece, across its end, too`() throws {
    var intake = try makeRing(settled: ring - 3, end: ring - 3)
    try feed(&intake, [1, 2, 3, 4, 5])
    try feed(&intake, [6, 7])
    let pending = intake.pendingBytes
    #expect(pending == 7)
    let first = taken(&intake, 4)
    let rest = taken(&intake)
    #expect(first == [1, 2, 3, 4] && rest == [5, 6, 7])
    let end = intake.start.value
    #expect(end == ring + 4)
  }

  @Test func `keeps what the log does not have, batch by batch`() throws {
    var intake = try makeRing(settled: 0, end: 0)
    try feed(&intake, Array(1...30))
    for batch in 1...3 {
      _ = taken(&intake, 10)
      intake.note(next: RecordNumber(UInt64(batch * 2)), reader: RecordReader(), isNeeded: true)
    }
    var places: [Intake.Settled] = []
    for below: UInt64 in [1, 3, 6] {
      intake.settle(below: RecordNumber(below))
      places.append(intake.settled)
    }
    #expect(places.map(\.byte.value) == [0, 10, 30])
    #expect(places.map(\.record.value) == [0, 2, 6])
  }

  @Test func `needs nothing any more where there is no log`() throws {
    var intake = try makeRing(settled: 0, end: 0)
    try feed(&intake, [1, 2, 3])
    _ = taken(&intake, 2)
    intake.note(next: RecordNumber(1), reader: RecordReader(), isNeeded: false)
    let (settled, pending) = (intake.settled.byte.value, intake.pendingBytes)
    #expect(settled == 2 && pending == 1)
  }

  @Test func `goes on when a slow disk has filled it, with what is no record yet`() throws {
    var intake = try makeRing(settled: 0, end: ring - 1000)
    intake.goOn(at: InputOffset(ring - 1010))
    intake.note(next: RecordNumber(5), reader: RecordReader(), isNeeded: true)
    let before = intake.settled.byte.value
    try feed(&intake, [1, 2, 3])
    let (settled, pending) = (intake.settled, intake.pendingBytes)
    #expect(before == 0 && settled.byte.value == ring - 1010 && settled.record == RecordNumber(5))
    #expect(pending == 13)
  }

  /// What lies between that and what is needed is in no safe place, and other hosts send it again.
  @Test func `knows from which record on only other hosts' can be gone`() throws {
    var intake = try makeRing(settled: 0, end: 0)
    var places: [(awaited: UInt64, needed: UInt64)] = []
    func note(_ next: UInt64, isNeeded: Bool = false, isForeign: Bool = false) {
      intake.note(
        next: RecordNumber(next), reader: RecordReader(), isNeeded: isNeeded, isForeign: isForeign)
      look()
    }
    func look() {
      places.append((intake.awaitedFrom.value, intake.settled.record.value))
    }
    // Where there is no log nothing of this host's own is anywhere else.
    note(2)
    note(5, isForeign: true)
    // Of its own the ring has what the log has not.
    note(7, isNeeded: true)
    intake.settle(below: RecordNumber(7))
    look()
    note(9, isForeign: true)
    intake.told(below: RecordNumber(8))
    look()
    // Nobody is told less than before.
    intake.told(below: RecordNumber(3))
    look()
    #expect(places.map(\.awaited) == [2, 2, 2, 7, 7, 8, 8])
    #expect(places.map(\.needed) == [2, 5, 5, 7, 9, 9, 9])
  }

  @Test func `begins anew when much was used and nothing is needed`() throws {
    var intake = try makeRing(settled: 600 << 10, end: 600 << 10)
    let wasUsedUp = intake.isUsedUp
    intake.beginAnew()
    let (start, settled, isUsedUp) = (
      intake.start.value, intake.settled.byte.value, intake.isUsedUp
    )
    #expect(wasUsedUp && start == ring && settled == ring && !isUsedUp)
    try feed(&intake, [9])
    let bytes = taken(&intake)
    #expect(bytes == [9])
  }

  @Test func `forgets what is no record yet when another stream begins`() throws {
    var intake = try makeRing(settled: 0, end: 0)
    try feed(&intake, [1, 2, 3])
    intake.clear()
    let bytes = taken(&intake)
    #expect(bytes.isEmpty)
  }
}
