import TestSupport
import Testing

@testable import RemoteProtocol

/// The file has, in front of the log, all that is said of what the log has.
@Suite("The file of the ledger of senders")
struct SenderFileTests {
  /// Memory that outlives a ledger, and the file beside it.
  @safe
  private final class Place {
    private let bytes: UnsafeMutableRawPointer
    var file: [UInt8]

    init(file: [UInt8] = []) {
      unsafe bytes = .allocate(byteCount: SenderLedger.byteCount, alignment: 4096)
      unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: SenderLedger.byteCount)
      let count = SenderLedger.slots * SenderLedger.slotSize
      self.file = file + [UInt8](repeating: 0, count: count - file.count)
    }

    deinit { unsafe bytes.deallocate() }

    var ledger: SenderLedger { unsafe SenderLedger(bytes) }

    /// As `begin` gets it.
    var slots: [(slot: Int, bytes: [UInt8])] {
      (0..<SenderLedger.slots).compactMap { slot in
        let start = slot * SenderLedger.slotSize
        guard file[start] != 0 || file[start + 1] != 0 else { return nil }
        return (slot, Array(file[start..<start + SenderLedger.slotSize]))
      }
    }

    /// - Returns: how many bytes were written.
    @discardableResult
    func write(_ ledger: SenderLedger) -> Int {
      var written = 0
      unsafe ledger.takeChanges { place, bytes in
        unsafe file.replaceSubrange(place..<place + bytes.count, with: bytes)
        written += bytes.count
      }
      return written
    }
  }

  private let key = Array("sender a b".utf8)
  private func text(_ number: Int) -> [UInt8] { Array("type=USER n=\(number)".utf8) }

  @Test func `is all that is left when nobody has the memory any more`() {
    let place = Place()
    let ledger = place.ledger
    ledger.begin(with: [], logEnd: 0)
    for number in 1...100 {
      ledger.note(key, number: UInt64(number), text(number), place: UInt64(number) + 10)
    }
    ledger.noteLast(Array("host x".utf8), connection: 3, text(7), place: 60)
    place.write(ledger)
    // What was noted and not written had no record in the log.
    ledger.note(key, number: 101, text(101), place: 111)
    let next = Place(file: place.file)
    let again = next.ledger
    #expect(!again.hasRead)
    again.begin(with: next.slots, logEnd: 60)
    #expect(again.hasRead)
    for number in 1...101 {
      // A place is one more than the record's number.
      #expect(again.has(key, number: UInt64(number), text(number)) == (number <= 50))
    }
    #expect(again.hasLast(Array("host x".utf8), text(7)))
    // That they are forgotten is written, before others have their places in the log.
    next.write(again)
    let last = Place(file: next.file)
    last.ledger.begin(with: last.slots, logEnd: 1000)
    #expect(!last.ledger.has(key, number: 60, text(60)))
    #expect(last.ledger.has(key, number: 50, text(50)))
  }

  @Test func `gets an entry a record once it has the slot`() {
    let place = Place()
    let ledger = place.ledger
    ledger.begin(with: [], logEnd: 0)
    ledger.note(key, number: 1, text(1), place: 1)
    #expect(place.write(ledger) == SenderLedger.slotSize)
    // The same one again, of which the last counts.
    let host = Array("host x y".utf8)
    ledger.noteLast(host, connection: 1, text(1), place: 1)
    place.write(ledger)
    for number in 1...100 { ledger.noteLast(host, connection: 1, text(number), place: 2) }
    #expect(place.write(ledger) == SenderLedger.entrySize)
    for number in 2...11 { ledger.note(key, number: UInt64(number), text(number), place: 2) }
    #expect(place.write(ledger) == 10 * SenderLedger.entrySize)
    #expect(place.write(ledger) == 0)
    // Nobody had written for long.
    for number in 1...200_000 {
      ledger.note(key, number: UInt64(number), text(number), place: 3)
    }
    #expect(place.write(ledger) <= 2 * SenderLedger.slotSize + 65536 * SenderLedger.entrySize)
    let next = Place(file: place.file)
    next.ledger.begin(with: next.slots, logEnd: 1000)
    #expect(next.ledger.has(key, number: 200_000, text(200_000)))
  }

  /// A peer that names another node in each record has little written for it.
  @Test func `has of one that numbers nothing its last entries alone`() {
    let place = Place()
    let ledger = place.ledger
    func host(_ number: Int) -> [UInt8] { Array("host 192.0.2.1 \(number)".utf8) }
    ledger.begin(with: [], logEnd: 0)
    // What the slots had before is of no effect.
    for number in 0..<SenderLedger.slots {
      let former = Array("sender 192.0.2.1 \(number)".utf8)
      for record in 1...16 { ledger.note(former, number: UInt64(record), text(record), place: 1) }
    }
    while place.write(ledger) > 0 {}
    for number in 0..<SenderLedger.slots {
      ledger.noteLast(host(number), connection: 3, text(number), place: 1)
      #expect(place.write(ledger) == 1024 + 8 * SenderLedger.entrySize)
    }
    let next = Place(file: place.file)
    let again = next.ledger
    again.begin(with: next.slots, logEnd: 1)
    #expect(again.senders == SenderLedger.slots)
    for number in 0..<SenderLedger.slots {
      #expect(again.hasLast(host(number), text(number)))
      #expect((1...16).allSatisfy { !again.hasLast(host(number), text(2000 + $0)) })
    }
    let sender = Array("sender 192.0.2.2 a".utf8)
    again.note(sender, number: 1, text(1), place: 1)
    #expect((9...16).allSatisfy { !again.has(sender, number: UInt64($0), text($0)) })
    #expect(again.last(of: sender) == 1)
  }

  /// It dies with the memory that the record is in.
  @Test func `has nothing of what no log has`() {
    let place = Place()
    let ledger = place.ledger
    ledger.note(key, number: 1, text(1), place: 0)
    ledger.begin(with: [], logEnd: 0)
    ledger.note(key, number: 2, text(2), place: 0)
    place.write(ledger)
    ledger.note(key, number: 3, text(3), place: 0)
    ledger.note(key, number: 4, text(4), place: 4)
    place.write(ledger)
    let next = Place(file: place.file)
    next.ledger.begin(with: next.slots, logEnd: 1000)
    let known = (1...4).map { next.ledger.has(key, number: UInt64($0), text($0)) }
    #expect(known == [false, false, false, true])
    #expect((1...4).allSatisfy { ledger.has(key, number: UInt64($0), text($0)) })
  }

  @Test func `is written whole by a successor, some senders at once`() {
    let place = Place()
    func key(_ number: Int) -> [UInt8] { Array("sender \(number)".utf8) }
    let ledger = place.ledger
    ledger.begin(with: [], logEnd: 0)
    for number in 0..<100 { ledger.note(key(number), number: 1, text(1), place: 1) }
    // Its process died before it was written.
    let next = place.ledger
    #expect(next.hasRead)
    next.begin(with: [], logEnd: 1)
    var turns = 0
    while place.write(next) > 0 { turns += 1 }
    #expect(turns > 2)
    let last = Place(file: place.file)
    last.ledger.begin(with: last.slots, logEnd: 1)
    #expect((0..<100).allSatisfy { last.ledger.has(key($0), number: 1, text(1)) })
  }

  /// Whatever happens in whatever order: what the file says is what the ledger says.
  @Test(arguments: 1...2)
  func `says what the ledger says`(_ seed: Int) {
    var random = Seeded(UInt64(seed))
    let place = Place()
    var ledger = place.ledger
    ledger.begin(with: [], logEnd: 0)
    func key(_ number: Int) -> [UInt8] { Array("sender \(number)".utf8) }
    for _ in 0..<400 {
      let sender = Int.random(in: 0..<60, using: &random)
      let number = UInt64.random(in: 1...4, using: &random)
      switch Int.random(in: 0..<20, using: &random) {
      case 0: ledger.drop(key(sender), number: number)
      case 1: ledger.noteLast(key(sender), connection: number, text(sender), place: 1)
      case 2: place.write(ledger)
      case 3:
        // A successor.
        ledger = place.ledger
        ledger.begin(with: [], logEnd: 1)
      default: ledger.note(key(sender), number: number, text(sender), place: 1)
      }
    }
    while place.write(ledger) > 0 {}
    let last = Place(file: place.file)
    last.ledger.begin(with: last.slots, logEnd: 1)
    for sender in 0..<60 {
      for number in UInt64(1)...4 {
        #expect(
          last.ledger.has(key(sender), number: number, text(sender))
            == ledger.has(key(sender), number: number, text(sender)))
      }
      #expect(
        last.ledger.hasLast(key(sender), text(sender)) == ledger.hasLast(key(sender), text(sender)))
    }
  }
}
