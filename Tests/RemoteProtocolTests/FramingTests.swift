import RemoteProtocol
import Testing

func bytes(_ hexadecimal: String) -> [UInt8] {
  hexadecimal.split(separator: " ").map { UInt8($0, radix: 16)! }
}

@Suite("A message's header")
struct MessageHeaderTests {
  /// As audisp-remote and auditd 3.0.9 wrote them.
  static let traces: [(String, MessageHeader)] = [
    ("fe 00 00 ff 00 00 00 00 00 00 2f 00 02 00 00 00", .init(.record, length: 47, sequence: 2)),
    ("fe 00 00 ff 00 00 01 00 00 00 00 00 03 00 00 00", .init(.heartbeat, sequence: 3)),
    ("fe 00 00 ff 00 00 00 00 00 40 00 00 02 00 00 00", .init(.acknowledgement, sequence: 2)),
    ("fe 00 00 ff 00 00 01 00 00 40 00 00 00 00 00 00", .init(.ending)),
    ("fe 00 00 ff 00 00 01 00 00 50 00 00 05 00 00 00", .init(.diskLow, sequence: 5)),
    ("fe 00 00 ff 00 00 01 00 00 60 09 00 09 00 00 00", .init(.diskFull, length: 9, sequence: 9)),
    ("fe 00 00 ff 00 00 02 00 00 60 18 00 05 00 00 00", .init(.diskError, length: 24, sequence: 5)),
  ]

  @Test(arguments: traces.indices)
  func `is read and written as audisp-remote and auditd do`(_ index: Int) {
    let (trace, header) = Self.traces[index]
    #expect(MessageHeader(bytes(trace)[...]) == header)
    var written: [UInt8] = []
    header.append(to: &written)
    #expect(written == bytes(trace))
  }

  @Test func `has versions that nobody looks at`() {
    let other = bytes("fe 00 00 ff 09 07 00 00 00 40 00 00 02 00 00 00")
    #expect(MessageHeader(other[...]) == .init(.acknowledgement, sequence: 2))
  }

  @Test(arguments: 0..<4)
  func `begins with the magic`(place: Int) {
    var wrong = bytes(Self.traces[0].0)
    wrong[place] ^= 1
    #expect(MessageHeader(wrong[...]) == nil)
  }

  @Test func `keeps every bit of its numbers`() {
    let header = MessageHeader(
      MessageType(rawValue: 0xdead_beef), length: 0xfedc, sequence: 0x8765_4321)
    var written: [UInt8] = []
    header.append(to: &written)
    #expect(MessageHeader(written[...]) == header)
  }

  @Test(arguments: [
    (MessageType.record, false, false, false), (.heartbeat, false, false, false),
    (.acknowledgement, true, false, false), (.ending, true, false, false),
    (.diskLow, true, false, true), (.diskFull, true, true, false), (.diskError, true, true, false),
    (MessageType(rawValue: 0x7000_0009), true, true, false),
    (MessageType(rawValue: 0x2000_0001), false, false, false),
  ])
  func `says by its type what became of a record`(
    type: MessageType, isReply: Bool, isFailure: Bool, isWarning: Bool
  ) {
    #expect(type.isReply == isReply)
    #expect(type.isFailure == isFailure)
    #expect(type.isWarning == isWarning)
  }
}

@Suite("A server's bytes")
struct ReplyReaderTests {
  static let stream =
    bytes("fe 00 00 ff 00 00 00 00 00 40 00 00 02 00 00 00")
    + bytes("fe 00 00 ff 00 00 01 00 00 60 09 00 09 00 00 00") + Array("disk full".utf8)
    + bytes("fe 00 00 ff 00 00 01 00 00 40 00 00 00 00 00 00")
  static let replies = [
    Reply(.acknowledgement, sequence: 2),
    Reply(.diskFull, sequence: 9, text: Array("disk full".utf8)),
    Reply(.ending, sequence: 0),
  ]

  @Test(arguments: 1...57)
  func `become the same replies however they are cut`(size: Int) throws {
    var reader = ReplyReader()
    var replies: [Reply] = []
    for start in stride(from: 0, to: Self.stream.count, by: size) {
      reader.append(Self.stream[start..<min(start + size, Self.stream.count)])
      while let reply = try reader.next() { replies.append(reply) }
    }
    #expect(replies == Self.replies)
  }

  @Test func `are refused where no message begins`() {
    var reader = ReplyReader()
    reader.append(Array("HTTP/1.1 400 Bad".utf8)[...])
    #expect(throws: Violation.notTheProtocol) { try reader.next() }
  }

  @Test(arguments: [8970, 8971])
  func `hold no reply that is longer than senders bear`(length: Int) throws {
    var text: [UInt8] = []
    MessageHeader(.acknowledgement, length: length, sequence: 1).append(to: &text)
    text += [UInt8](repeating: 0x20, count: length)
    var reader = ReplyReader()
    reader.append(text[...])
    if length <= 8970 {
      #expect(try reader.next()?.text.count == length)
    } else {
      #expect(throws: Violation.tooLong(length)) { try reader.next() }
    }
  }
}

@Suite("A record's payload")
struct RecordPayloadTests {
  private func payload(_ record: [UInt8], limit: Int = 100) -> (text: [UInt8], cut: Int) {
    var out: [UInt8] = []
    let cut = RecordPayload.append(record, to: &out, limit: limit)
    return (out, cut)
  }

  @Test func `is its line with a newline`() {
    let (text, cut) = payload(Array("type=USER msg=audit(1.000:1): a=b\u{1d}UID=\"x\"".utf8))
    #expect(
      String(decoding: text, as: UTF8.self) == "type=USER msg=audit(1.000:1): a=b\u{1d}UID=\"x\"\n")
    #expect(cut == 0)
  }

  @Test func `is one line whatever is in the record`() {
    let (text, _) = payload(Array("a\nb\0c\n".utf8))
    #expect(text == Array("a b c \n".utf8))
  }

  @Test(arguments: 90...110)
  func `keeps within the limit, with a mark where it was cut`(length: Int) {
    let record = [UInt8](repeating: 0x61, count: length)
    let (text, cut) = payload(record)
    guard length >= 100 else {
      #expect(text == record + [0x0a] && cut == 0)
      return
    }
    #expect(text.count <= 100)
    let kept = text.prefix { $0 == 0x61 }.count
    #expect(cut == length - kept)
    #expect(text.dropFirst(kept) == Array("…[+\(cut) bytes]\n".utf8)[...])
  }

  @Test(arguments: 0..<4)
  func `is cut between characters`(shift: Int) throws {
    let record = Array(
      (String(repeating: "a", count: shift) + String(repeating: "ü€", count: 60)).utf8)
    let (text, _) = payload(record)
    let line = try #require(String(validating: text, as: UTF8.self))
    #expect(line.hasSuffix(" bytes]\n") && text.count > 92)
  }

  @Test func `is cut anywhere where there are no characters`() {
    let (text, cut) = payload([UInt8](repeating: 0x80, count: 300))
    #expect(text.count > 92 && text.count <= 100)
    #expect(cut == 300 - text.prefix { $0 == 0x80 }.count)
  }
}
