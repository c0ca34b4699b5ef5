import AuditRecord
import TestSupport
import Testing

@Suite("Reading netlink messages")
struct NetlinkReading {
  /// What came out, in order.
  enum Output: Equatable {
    case record(type: UInt16, String)
    case malformed(NetlinkReader.Fault, Int)
  }

  /// A message; its length as it should be, or as given.
  static func message(
    _ type: UInt16, _ text: String, length: Int? = nil
  ) -> [UInt8] {
    let bytes = Array(text.utf8)
    let length = length ?? bytes.count + 16
    let header: [UInt8] = [
      UInt8(length & 255), UInt8(length >> 8 & 255), UInt8(length >> 16 & 255), 0,
      UInt8(type & 255), UInt8(type >> 8), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]
    return header + bytes
  }

  /// Reads `bytes` in pieces that end at `cuts`.
  static func read(_ bytes: [UInt8], cuts: [Int] = []) -> [Output] {
    var reader = NetlinkReader()
    var output: [Output] = []
    var last = 0
    func take(_ type: UInt16, _ text: Span<UInt8>) {
      output.append(
        .record(type: type, String(decoding: text.indices.map { text[$0] }, as: UTF8.self)))
    }
    for cut in cuts + [bytes.count] {
      reader.read(
        bytes.span.extracting(last..<cut), record: take,
        malformed: { output.append(.malformed($0.fault, $0.byteCount)) })
      last = cut
    }
    reader.finish(record: take, malformed: { output.append(.malformed($0.fault, $0.byteCount)) })
    return output
  }

  static let one = message(1300, "audit(1.000:1): a=1")
  static let two = message(1320, "audit(1.000:1): ")
  static let first = Output.record(type: 1300, "audit(1.000:1): a=1")
  static let second = Output.record(type: 1320, "audit(1.000:1): ")

  /// What is between and around two messages, and what is said of it.
  static let cases: [(name: String, bytes: [UInt8], expected: [Output])] = [
    ("nothing", [], []),
    ("two messages", one + two, [first, second]),
    ("garbage in front", [1, 2, 3] + one + two, [.malformed(.length, 3), first, second]),
    (
      "garbage between", one + Array("nonsense".utf8) + two,
      [first, .malformed(.length, 8), second]
    ),
    (
      "zeros between", one + [UInt8](repeating: 0, count: 40) + two,
      [first, .malformed(.length, 40), second]
    ),
    ("alignment between and behind", one + [0] + two, [first, second]),
    ("alignment at the end", two + one + [0], [second, first]),
    (
      "another netlink message between", one + message(1000, "0123456789") + two,
      [first, .malformed(.text, 26), second]
    ),
    ("half a header at the end", one + two[..<9], [first, .malformed(.truncated, 9)]),
    ("half a text at the end", one + two[..<30], [first, .malformed(.truncated, 30)]),
    (
      "a length that swallows the next message",
      message(1300, "audit(1.000:1): a=1", length: 60) + two,
      [.malformed(.length, 35), second]
    ),
    (
      "a length that reaches into the next message",
      message(1300, "audit(1.000:1): a=1", length: 38) + two,
      [.malformed(.length, 35), second]
    ),
    (
      "a length beyond the end",
      message(1300, "audit(1.000:1): a=1", length: 9000) + two,
      [.malformed(.length, 35), second]
    ),
    (
      "an impossible length", message(1300, "audit(1.000:1): a=1", length: 100_000) + two,
      [.malformed(.length, 35), second]
    ),
    (
      "a length that is too short", message(1300, "audit(1.000:1): a=1", length: 30) + two,
      [.record(type: 1300, "audit(1.000:1)"), .malformed(.length, 5), second]
    ),
    (
      "a text that ends with a NUL", message(1300, "audit(1.000:1): \0") + two,
      [.record(type: 1300, "audit(1.000:1): \0"), second]
    ),
    ("a length of 16", message(1300, "") + two, [.malformed(.length, 16), second]),
  ]

  @Test(arguments: cases.map(\.name))
  func `gives every message, and says what is none`(name: String) throws {
    let one = try #require(Self.cases.first { $0.name == name })
    #expect(Self.read(one.bytes) == one.expected)
  }

  @Test(arguments: cases.map(\.name))
  func `gives the same, wherever the input is cut in two or three`(name: String) throws {
    let one = try #require(Self.cases.first { $0.name == name })
    for a in 0...one.bytes.count {
      for b in a...one.bytes.count {
        try #require(Self.read(one.bytes, cuts: [a, b]) == one.expected, "cut at \(a) and \(b)")
      }
    }
  }

  @Test(arguments: cases.map(\.name))
  func `gives the same, byte by byte`(name: String) throws {
    let one = try #require(Self.cases.first { $0.name == name })
    #expect(Self.read(one.bytes, cuts: Array(0..<one.bytes.count)) == one.expected)
  }

  @Test func `gives a message with its last byte`() {
    var reader = NetlinkReader()
    var count = 0
    reader.read(Self.one.span, record: { _, _ in count += 1 }, malformed: { _ in })
    #expect(count == 1)
  }

  @Test func `shows the first bytes of what it skipped`() {
    var reader = NetlinkReader()
    var sample: [UInt8] = []
    let garbage = [UInt8](repeating: 7, count: 50)
    reader.read(
      (garbage + Self.one).span, record: { _, _ in }, malformed: { sample = $0.sample })
    #expect(sample == Array(garbage[..<32]))
  }

  /// Garbage of every kind between good messages: none of them is lost.
  @Test(arguments: 1...40)
  func `loses no message behind garbage`(seed: Int) {
    var random = Seeded(UInt64(seed))
    var bytes: [UInt8] = []
    var expected: [Output] = []
    for serial in 0..<50 {
      let text = "audit(1.000:\(serial)): x=\(random.next() % 1000)"
      for _ in 0..<random.next() % 60 {
        bytes.append(UInt8(truncatingIfNeeded: random.next() >> 40))
      }
      bytes += Self.message(1300, text)
      expected.append(.record(type: 1300, text))
    }
    let records = Self.read(bytes).filter { if case .record = $0 { true } else { false } }
    #expect(records == expected)
  }
}
