import Testing

@testable import RemoteProtocol

/// What comes again is known; what only looks alike is not.
@Suite("The ledger of senders")
struct SenderLedgerTests {
  /// Memory that outlives a ledger, as a file does.
  @safe
  private final class Memory {
    let bytes: UnsafeMutableRawPointer

    init() {
      unsafe bytes = .allocate(byteCount: SenderLedger.byteCount, alignment: 4096)
      unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: SenderLedger.byteCount)
    }

    deinit { unsafe bytes.deallocate() }

    var ledger: SenderLedger { unsafe SenderLedger(bytes) }
  }

  private func text(_ number: Int) -> [UInt8] { Array("type=USER n=\(number)".utf8) }
  private let key = Array("sender a b".utf8)

  @Test func `knows the latest numbers of a sender of ours, also after a death`() {
    let memory = Memory()
    let ledger = memory.ledger
    for number in 1...5000 {
      ledger.note(key, number: UInt64(number), text(number), place: 1)
    }
    let next = memory.ledger
    for number in 5000 - SenderLedger.entries + 1...5000 {
      #expect(next.has(key, number: UInt64(number), text(number)))
      #expect(!next.has(key, number: UInt64(number), text(number + 1)))
    }
    #expect(!next.has(key, number: 5001, text(5001)))
    #expect(!next.has(key, number: 1, text(1)))
    #expect(!next.has(Array("sender a c".utf8), number: 5000, text(5000)))
    #expect(next.last(of: key) == 5000)
    #expect(next.senders == 1)
  }

  @Test func `finds senders by the end of what they are known by`() {
    let memory = Memory()
    func key(_ text: String) -> [UInt8] { Array(text.utf8) }
    for sender in ["sender 192.0.2.1 a/remote", "sender web1 a/remote", "sender web1 b/remote"] {
      memory.ledger.note(key(sender), number: 1, text(1), place: 1)
    }
    let found = memory.ledger.keys(endingIn: key(" a/remote"))
    #expect(Set(found) == [key("sender 192.0.2.1 a/remote"), key("sender web1 a/remote")])
    #expect(memory.ledger.keys(endingIn: key("x sender web1 a/remote")).isEmpty)
  }

  @Test func `loses no record of a sender that counts anew`() {
    let memory = Memory()
    let ledger = memory.ledger
    for number in 1...100 { ledger.note(key, number: UInt64(number), text(number), place: 1) }
    for number in 1...100 {
      #expect(!ledger.has(key, number: UInt64(number), text(1000 + number)))
      ledger.note(key, number: UInt64(number), text(1000 + number), place: 1)
      #expect(ledger.has(key, number: UInt64(number), text(1000 + number)))
    }
  }

  /// Gap records, and what audisp-remote left behind, have no number.
  @Test func `keeps what it knows when a record comes without a number`() {
    let memory = Memory()
    let ledger = memory.ledger
    let number = UInt64(SenderLedger.entries)
    ledger.note(key, number: number, text(1), place: 1)
    ledger.note(key, number: 0, text(2), place: 1)
    ledger.drop(key, number: 0)
    #expect(ledger.has(key, number: number, text(1)))
    #expect(!ledger.has(key, number: 0, text(2)))
  }

  @Test func `takes equal records with other numbers for what they are`() {
    let memory = Memory()
    let ledger = memory.ledger
    ledger.note(key, number: 1, text(1), place: 1)
    #expect(!ledger.has(key, number: 2, text(1)))
  }

  @Test func `forgets what the log did not get, and nothing else`() {
    let memory = Memory()
    let ledger = memory.ledger
    for number in 1...10 {
      ledger.note(key, number: UInt64(number), text(number), place: UInt64(number) + 100)
    }
    ledger.note(key, number: 11, text(11), place: 1)
    ledger.noteLast(Array("host x ".utf8), connection: 3, text(1), place: 107)
    let next = memory.ledger
    // The log's records end before 106: places are one more.
    next.forget(placesFrom: 106)
    for number in 1...10 {
      #expect(next.has(key, number: UInt64(number), text(number)) == (number <= 6))
    }
    #expect(next.has(key, number: 11, text(11)))
    #expect(!next.hasLast(Array("host x ".utf8), text(1)))
  }

  /// It was in the memory of the process that died, only, and is sent again by whoever was not told.
  @Test func `forgets what no log has with the process that noted it`() {
    let memory = Memory()
    let ledger = memory.ledger
    ledger.note(key, number: 1, text(1), place: 1)
    ledger.note(key, number: 2, text(2), place: 0)
    ledger.noteLast(Array("host x".utf8), connection: 1, text(3), place: 0)
    #expect(ledger.has(key, number: 2, text(2)) && ledger.hasLast(Array("host x".utf8), text(3)))
    let next = memory.ledger
    #expect(next.has(key, number: 1, text(1)))
    #expect(!next.has(key, number: 2, text(2)) && !next.hasLast(Array("host x".utf8), text(3)))
  }

  @Test func `drops what turned out not to be stored`() {
    let memory = Memory()
    let ledger = memory.ledger
    ledger.note(key, number: 1, text(1), place: 1)
    ledger.drop(key, number: 1 + UInt64(SenderLedger.entries))
    #expect(ledger.has(key, number: 1, text(1)))
    ledger.drop(key, number: 1)
    #expect(!ledger.has(key, number: 1, text(1)))
    ledger.noteLast(key, connection: 1, text(2), place: 1)
    ledger.dropLast(key, connection: 1)
    #expect(!ledger.hasLast(key, text(2)))
  }

  @Test func `knows the last record of each of the latest connections (C10)`() {
    let memory = Memory()
    let ledger = memory.ledger
    let host = Array("host 192.0.2.1 web1".utf8)
    for connection in 1...20 {
      ledger.noteLast(host, connection: UInt64(connection), text(connection * 10), place: 1)
      ledger.noteLast(host, connection: UInt64(connection), text(connection * 10 + 1), place: 1)
    }
    let next = memory.ledger
    for connection in 1...20 {
      // The last one only, of the eight latest.
      #expect(!next.hasLast(host, text(connection * 10)))
      #expect(next.hasLast(host, text(connection * 10 + 1)) == (connection > 12))
    }
  }

  @Test func `makes room where the one that was silent longest was`() {
    let memory = Memory()
    let ledger = memory.ledger
    func key(_ number: Int) -> [UInt8] { Array("sender \(number)".utf8) }
    for number in 0..<SenderLedger.slots { ledger.note(key(number), number: 1, text(1), place: 1) }
    #expect(ledger.has(key(0), number: 1, text(1)))
    ledger.note(key(5000), number: 9, text(9), place: 1)
    #expect(ledger.has(key(0), number: 1, text(1)))
    #expect(!ledger.has(key(1), number: 1, text(1)))
    #expect(ledger.has(key(5000), number: 9, text(9)))
    #expect(!ledger.has(key(5000), number: 1, text(1)))
    #expect(memory.ledger.senders == SenderLedger.slots)
    #expect(ledger.forgotten == 1 && memory.ledger.forgotten == 0)
  }

  /// A peer with invented names does not have the others' repeats stored twice.
  @Test func `forgets those of a peer that invents names`() {
    let memory = Memory()
    let ledger = memory.ledger
    func key(_ kind: String, _ owner: String, _ name: Int) -> [UInt8] {
      Array("\(kind) \(owner) \(name)".utf8)
    }
    for number in 0..<100 {
      ledger.note(key("sender", "192.0.2.\(number)", 1), number: 5, text(5), place: 1)
    }
    for number in 0..<3000 {
      ledger.noteLast(
        key("host", "198.51.100.1", number), connection: 1, text(number), place: 1)
    }
    for number in 0..<100 {
      #expect(ledger.has(key("sender", "192.0.2.\(number)", 1), number: 5, text(5)))
    }
    #expect(ledger.hasLast(key("host", "198.51.100.1", 2999), text(2999)))
    #expect(!ledger.hasLast(key("host", "198.51.100.1", 0), text(0)))
    #expect(ledger.forgotten == UInt64(3100 - SenderLedger.slots))
  }

  @Test func `keeps keys apart that are long, and bears an empty one`() {
    let memory = Memory()
    let ledger = memory.ledger
    let long = [UInt8](repeating: 0x61, count: 5000)
    ledger.note(long, number: 1, text(1), place: 1)
    ledger.note([], number: 2, text(2), place: 1)
    let next = memory.ledger
    #expect(next.has(long, number: 1, text(1)))
    #expect(next.has([], number: 2, text(2)))
  }

  @Test func `has other digests for other texts`() {
    var digests: Set<UInt64> = []
    for length in 0..<200 {
      let text = [UInt8](repeating: 0, count: length)
      digests.insert(SenderLedger.digest(text))
      digests.insert(SenderLedger.secondDigest(text))
      guard length > 0 else { continue }
      for place in 0..<length {
        var other = text
        other[place] = 1
        digests.insert(SenderLedger.digest(other))
      }
    }
    #expect(digests.count == 400 + (0..<200).reduce(0, +))
  }
}

@Suite("What receiver and dispatcher say to each other")
struct ReceiverItemTests {
  static let items: [ReceiverItem] = [
    .opened(peer: 1, source: 2, address: "2001:db8::1", port: 60, identity: "web1"),
    .named(peer: 7, Opening(name: "a/b", next: .max)),
    .record(peer: .max, sequence: 9, line: Array("type=A".utf8)),
    .record(peer: 0, sequence: 0, line: []), .closed(peer: 3, isFault: true, reason: "é"),
    .refused(source: 0, address: "", reason: "x"), .objection("y"),
    .warning("z"), .works(3),
  ]
  static let orders: [ReceiverOrder] = [
    .begin(
      ReceiverOrder.Settings(
        connections: 1024, perAddress: 16, firstPort: 1, lastPort: 1023, idleMilliseconds: 5,
        files: [.certificate, .revoked])), .network("192.0.2.0/24"),
    .listener(source: 1, isSecure: true), .sharedKey(identity: "k"), .file(.revoked), .apply,
    .ok(.max), .has(peer: 5, nil), .has(peer: 6, 7), .hold, .goOn, .finish,
    .ask(3),
  ]

  @Test func `is read as it was written`() {
    var packet: [UInt8] = []
    for item in Self.items { item.append(to: &packet) }
    #expect(ReceiverItem.all(in: packet[...]) == Self.items)
    packet = []
    for order in Self.orders { order.append(to: &packet) }
    #expect(ReceiverOrder.all(in: packet[...]) == Self.orders)
  }

  @Test(arguments: ["type=A x=1\n", "type=A", "", "\n", "type=A \u{1b}x\ny", "\u{1d}a\u{1d}b"])
  func `has a peer's payload as the line that is kept of it`(payload: String) {
    let payload = Array(payload.utf8)
    var (packet, expected): ([UInt8], [UInt8]) = ([1], [1])
    ReceiverItem.appendRecord(peer: 7, sequence: .max, payload: payload, to: &packet)
    ReceiverItem.record(peer: 7, sequence: .max, line: PeerText.line(payload)).append(to: &expected)
    #expect(packet == expected)
  }

  @Test func `is refused whole when a part is missing`() {
    for item in Self.items {
      var packet: [UInt8] = []
      item.append(to: &packet)
      for count in 1..<packet.count {
        #expect(ReceiverItem.all(in: packet[..<count]) == nil)
      }
    }
    #expect(ReceiverItem.all(in: [99, 0, 0, 0, 0]) == nil)
    #expect(ReceiverOrder.all(in: [99, 0, 0, 0, 0]) == nil)
    #expect(ReceiverOrder.all(in: [6, 1, 0, 0, 0, 1]) == nil)
  }
}
