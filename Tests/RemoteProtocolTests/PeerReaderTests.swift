import RemoteProtocol
import Testing

/// What a peer sends, cut in every way.
@Suite("What a peer sends")
struct PeerReaderTests {
  private static func bytes(_ type: MessageType, _ sequence: UInt32, _ payload: [UInt8]) -> [UInt8]
  {
    var bytes: [UInt8] = []
    MessageHeader(type, length: payload.count, sequence: sequence).append(to: &bytes)
    return bytes + payload
  }

  private static func all(_ reader: inout PeerReader) throws(PeerFault) -> [PeerMessage] {
    var messages: [PeerMessage] = []
    while let message = try reader.next() { messages.append(message) }
    return messages
  }

  static let stream =
    bytes(.heartbeat, 1, []) + bytes(.record, 2, Array("one\n".utf8)) + bytes(.record, 3, [])
    + bytes(.record, 4, [UInt8](repeating: 0x78, count: 8970))
    + bytes(.heartbeat, 5, Opening(name: "a/b", next: 7).payload)

  @Test(arguments: [1, 2, 3, 15, 16, 17, 4096, 100_000])
  func `is the same however it is cut (C2, C3)`(size: Int) throws {
    var reader = PeerReader()
    var messages: [PeerMessage] = []
    var rest = Self.stream[...]
    while !rest.isEmpty {
      reader.append(rest.prefix(size))
      rest = rest.dropFirst(size)
      messages += try Self.all(&reader)
    }
    #expect(messages.map(\.sequence) == [1, 2, 3, 4, 5])
    #expect(messages.map(\.payload.count) == [0, 4, 0, 8970, 18])
    #expect(messages[1].payload == Array("one\n".utf8))
    #expect(reader.heldBytes == 0)
  }

  @Test(
    arguments: [
      ([0x16, 0x03, 0x01], PeerFault.clientHello), (Array("type=USER msg".utf8), .plainLines),
      (Array("node=a type=USER".utf8), .plainLines),
      (Array("GET / HTTP/1.0".utf8), .notTheProtocol),
      ([0], .notTheProtocol), ([0xfe, 0, 1], .notTheProtocol),
      (bytes(.acknowledgement, 1, []), .unknownType(.acknowledgement)),
      (bytes(MessageType(rawValue: 2), 1, []), .unknownType(MessageType(rawValue: 2))),
    ] as [([UInt8], PeerFault)])
  func `is refused at its first bytes when it is something else (C4, C16)`(
    bytes: [UInt8], fault: PeerFault
  ) throws {
    var reader = PeerReader()
    reader.append(bytes[...])
    #expect(throws: fault) { try reader.next() }
  }

  @Test(arguments: [
    (MessageType.record, 8971, PeerFault.tooLong(8971)), (.record, 65_535, .tooLong(65_535)),
    (.heartbeat, 1025, .tooLong(1025)),
  ])
  func `is refused by its header when it is too long (C4)`(
    type: MessageType, length: Int, fault: PeerFault
  ) throws {
    var header: [UInt8] = []
    MessageHeader(type, length: length, sequence: 1).append(to: &header)
    var reader = PeerReader()
    reader.append(header[...])
    #expect(throws: fault) { try reader.next() }
  }

  @Test func `leaves what is before a fault to be taken`() throws {
    var reader = PeerReader()
    reader.append((Self.bytes(.record, 1, [0x61]) + [0x20])[...])
    #expect(try reader.next()?.sequence == 1)
    #expect(throws: PeerFault.notTheProtocol) { try reader.next() }
  }
}

@Suite("A peer's record as a line")
struct PeerTextTests {
  @Test(arguments: [
    ("type=A msg=b\n", "type=A msg=b"), ("type=A msg=b", "type=A msg=b"), ("a\n\n", "a\\x0a"),
    ("a\nb\n", "a\\x0ab"), ("a\0b\n", "a\\x00b"), ("a\u{1d}UID=\"x\"\n", "a\u{1d}UID=\"x\""),
    ("\u{1d}a", "\\x1da"), ("\u{1b}[2J\r\t\u{7f}", "\\x1b[2J\\x0d\\x09\\x7f"), ("é\n", "é"),
    ("", ""),
  ])
  func `has no control characters but what stands before enrichment (C6)`(
    payload: String, line: String
  ) {
    #expect(PeerText.line(Array(payload.utf8)) == Array(line.utf8))
  }

  @Test func `never gets longer than a line may be`() {
    let payload = [UInt8](repeating: 0, count: 8970)
    #expect(PeerText.line(payload).count == 8970)
    #expect(PeerText.line(payload).allSatisfy { $0 == 0x3f })
    #expect(PeerText.line(Array(payload.prefix(3750))).count == 15_000)
    #expect(PeerText.line(Array(payload.prefix(3751))).count == 3751)
  }

  @Test(arguments: [
    ("node=a type=B", "a"), ("node= type=B", nil), ("node=a", nil), ("type=B node=a x", nil),
  ])
  func `names its node first, if at all`(line: String, node: String?) {
    let found = PeerText.node(of: Array(line.utf8)).map { String(decoding: $0, as: UTF8.self) }
    #expect(found == node)
  }

  @Test func `gets its peer in front of what the sender added`() {
    let line = PeerText.adding(peer: "192.0.2.1", to: Array("type=A x=1\u{1d}UID=\"r\"".utf8))
    #expect(line == Array("type=A x=1 peer=192.0.2.1\u{1d}UID=\"r\"".utf8))
    #expect(PeerText.adding(peer: "a", to: Array("x".utf8)) == Array("x peer=a".utf8))
    // Whatever the sender claims, or leaves open, ours is the last in front of the first 0x1d.
    for (text, marked) in [
      ("type=A peer=b", "type=A peer=b peer=a"), ("type=A msg='x", "type=A msg='x peer=a"),
      ("type=A \u{1d} peer=b\u{1d}X=1", "type=A  peer=a\u{1d} peer=b\u{1d}X=1"),
    ] {
      #expect(PeerText.adding(peer: "a", to: Array(text.utf8)) == Array(marked.utf8))
    }
    // A name in a certificate may have anything.
    for (name, value) in [
      ("web 1", "7765622031"), ("a\nb", "610A62"), ("\"", "22"), ("é", "C3A9"), ("w=1", "w=1"),
    ] {
      #expect(
        PeerText.adding(peer: name, to: Array("x".utf8)) == Array("x peer=\(value)".utf8))
    }
  }

  @Test func `gets its peer however long it is`() {
    for length in [15_000, 16_384, 65_536] {
      let line = [UInt8](repeating: 0x78, count: length)
      for name in ["a", String(repeating: "é", count: 1000)] {
        let marked = PeerText.adding(peer: name, to: line)
        #expect(marked.count <= 16 << 10)
        #expect(String(decoding: marked, as: UTF8.self).contains("x peer="))
      }
    }
  }

  @Test(arguments: [
    ("type=A peer=b", true), ("type=A xpeer=", true), ("type=A msg='\u{1d}peer=1'", true),
    ("type=A peer b=", false), ("type=A pee=r", false), ("", false), ("peer=", true),
  ])
  func `may say itself who sent it`(line: String, says: Bool) {
    #expect(PeerText.hasPeer(Array(line.utf8)) == says)
  }
}

@Suite("How a sender of ours begins")
struct OpeningTests {
  @Test func `is read as it was written`() {
    let opening = Opening(name: "host/remote", next: .max)
    #expect(Opening(payload: opening.payload) == opening)
  }

  @Test(arguments: [
    "", "audispatch", "audispatch 2 1 a", "audispatch 1 x a", "audispatch 1 1 ", "audispatch 1 1",
    "audispatch 1 -1 a", "audispatch 1 1 a\n", "audispatch 1 1 é",
  ])
  func `is no other heartbeat`(text: String) {
    #expect(Opening(payload: Array(text.utf8)) == nil)
  }

  @Test func `has a name of bounded length`() {
    let longest = String(repeating: "a", count: Opening.longestName)
    #expect(Opening(payload: Opening(name: longest, next: 1).payload) != nil)
    #expect(Opening(payload: Opening(name: longest + "a", next: 1).payload) == nil)
  }

  @Test(
    arguments: [
      (1, 1), (1, 2), (2, 1), (0xffff_fffe, 0x1_0000_0003), (0x1_0000_0003, 0xffff_fffe),
      (1 << 40, (1 << 40) + 1000), (0, 5), (3, 0x7fff_ffff),
    ] as [(UInt64, UInt64)])
  func `lets numbers be known by their low half`(last: UInt64, number: UInt64) {
    #expect(Opening.number(of: UInt32(truncatingIfNeeded: number), near: last) == number)
  }
}
