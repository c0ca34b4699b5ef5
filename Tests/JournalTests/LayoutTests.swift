import AuditRecord
import Testing

@testable import Journal

/// A record as a source gives it, and the bytes that plugins of each kind get; D1 to D7 of the table
/// of conformance cases.
private struct Layout: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var version: UInt32 = 1
  var type: UInt32 = 1300
  var payload: String
  var node: String?
  /// The line, without its newline.
  var text: String
  /// What a binary plugin gets: version and payload.
  var binary: (version: UInt32, payload: String)
}

private let layouts: [Layout] = [
  Layout(
    testDescription: "D1 version 0", version: 0, payload: "audit(1.0:1): x=1",
    text: "type=SYSCALL msg=audit(1.0:1): x=1", binary: (0, "audit(1.0:1): x=1")),
  Layout(
    testDescription: "D2 an unknown type", version: 0, type: 9999, payload: "audit(1.0:1): x=1",
    text: "type=UNKNOWN[9999] msg=audit(1.0:1): x=1", binary: (0, "audit(1.0:1): x=1")),
  Layout(
    testDescription: "D3 newlines", payload: "a=b\nc=d\n", text: "a=b c=d ",
    binary: (1, "a=b\nc=d\n")),
  Layout(
    testDescription: "D4 the separator and bytes from 0x80 up",
    payload: "type=A msg=audit(1.0:1): ü\u{1d}UID=\"é\"",
    text: "type=A msg=audit(1.0:1): ü\u{1d}UID=\"é\"",
    binary: (1, "type=A msg=audit(1.0:1): ü\u{1d}UID=\"é\"")),
  Layout(
    testDescription: "D5 a NUL", payload: "abc\u{0}def", text: "abc", binary: (1, "abc\u{0}def")),
  Layout(testDescription: "an empty payload", payload: "", text: "", binary: (1, "")),
  Layout(
    testDescription: "an empty payload, version 0", version: 0, payload: "",
    text: "type=SYSCALL msg=",
    binary: (0, "")),
  Layout(
    testDescription: "D6 the full length with a final NUL",
    payload: String(repeating: "x", count: 8969) + "\u{0}",
    text: String(repeating: "x", count: 8969),
    binary: (1, String(repeating: "x", count: 8969) + "\u{0}")),
  Layout(
    testDescription: "a line longer than binary records are",
    payload: "type=A msg=audit(1.0:1): " + String(repeating: "x", count: 12_000),
    text: "type=A msg=audit(1.0:1): " + String(repeating: "x", count: 12_000),
    binary: (1, "type=A msg=audit(1.0:1): " + String(repeating: "x", count: 8945))),
  Layout(
    testDescription: "D10 a node for version 0 of the full length", version: 0,
    payload: "audit(1.0:1): " + String(repeating: "x", count: 8956), node: "web1",
    text: "node=web1 type=SYSCALL msg=audit(1.0:1): " + String(repeating: "x", count: 8956),
    binary: (
      1, "node=web1 type=SYSCALL msg=audit(1.0:1): " + String(repeating: "x", count: 8929)
    )),
  Layout(
    testDescription: "D10 a node for version 0", version: 0, payload: "audit(1.0:1): x=1",
    node: "web1", text: "node=web1 type=SYSCALL msg=audit(1.0:1): x=1",
    binary: (1, "node=web1 type=SYSCALL msg=audit(1.0:1): x=1")),
  Layout(
    testDescription: "D10 none for version 1", payload: "type=A msg=audit(1.0:1): x=1",
    node: "web1",
    text: "type=A msg=audit(1.0:1): x=1", binary: (1, "type=A msg=audit(1.0:1): x=1")),
]

@Suite("A record in the journal")
struct LayoutTests {
  private static func words(_ values: [UInt32]) -> [UInt8] {
    values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) } }
  }

  /// The stream of a plugin that takes `piece` bytes at a time.
  private func stream(
    _ records: [Layout], _ encoding: Encoding, piece: Int = .max
  ) -> (bytes: [UInt8], counters: Counters) {
    let journal = Journal(node: records.first?.node)
    var subscription = Subscription(
      name: "p", limits: .init(records: 100, bytes: 1 << 20, whenFull: .dropNewest),
      encoding: encoding, announcesGaps: true, node: nil, journal: journal)
    journal.beginBatch()
    for record in records {
      let bytes = Array(record.payload.utf8)
      let form: RecordFrame.Form = record.version == 0 ? .bare : .finished
      journal.append(
        RecordFrame(form: form, type: record.type, payload: 0..<bytes.count), of: bytes.span)
    }
    subscription.admit(journal.batch, journal: journal, now: 1)
    var bytes: [UInt8] = []
    var scratch: [UInt8] = []
    while let taken = unsafe subscription.withNextBytes(
      journal: journal, now: 1, scratch: &scratch, { unsafe Array($0.prefix(piece)) })
    {
      bytes += taken
      subscription.wrote(taken.count)
      subscription.setUnread(min(7, subscription.outstanding))
    }
    subscription.setUnread(0)
    return (bytes, subscription.counters)
  }

  private func expected(_ record: Layout, _ encoding: Encoding) -> [UInt8] {
    let payload = Array(record.binary.payload.utf8)
    let binary =
      Self.words([record.binary.version, 16, record.type, UInt32(payload.count)]) + payload
    switch encoding {
    case .string: return Array((record.text + "\n").utf8)
    case .compact: return binary
    case .fixed: return binary + [UInt8](repeating: 0, count: 8986 - binary.count)
    }
  }

  @Test(arguments: layouts, [Encoding.string, .compact, .fixed])
  private func `is given as its plugin expects it`(_ record: Layout, _ encoding: Encoding) {
    let (bytes, counters) = stream([record], encoding)
    #expect(bytes == expected(record, encoding))
    #expect(counters.delivered == 1)
  }

  @Test(arguments: [1, 3, 16, 17, 1000, 8985, 8986, 8987])
  private func `comes out the same however little is taken at a time`(_ piece: Int) {
    let records = layouts.filter { $0.node == nil && (piece > 100 || $0.payload.utf8.count < 100) }
    for encoding in [Encoding.string, .compact, .fixed] where encoding != .fixed || piece > 100 {
      let (bytes, counters) = stream(records, encoding, piece: piece)
      #expect(bytes == records.flatMap { expected($0, encoding) })
      #expect(counters.delivered == UInt64(records.count))
      #expect(counters.queuedBytes == 0)
    }
  }

  @Test func `frees its segment when everybody has read it`() {
    let journal = Journal()
    var subscription = Subscription(
      name: "p", limits: .init(records: 100_000, bytes: 1 << 30, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: nil, journal: journal)
    for serial in 1...20_000 {
      journal.beginBatch()
      journal.appendLine("type=USER_LOGIN msg=audit(1700000000.001:\(serial)): pid=1")
      subscription.admit(journal.batch, journal: journal, now: 1)
    }
    #expect(journal.bytes > 2 * Segment.capacity)
    var scratch: [UInt8] = []
    while let count = unsafe subscription.withNextBytes(
      journal: journal, now: 1, scratch: &scratch, { $0.count })
    {
      subscription.wrote(count)
      subscription.setUnread(0)
    }
    subscription.forgetHistory()
    #expect(journal.bytes == Journal.idleBytes)
  }

  /// Without a word, with one from the start, and with one that comes when it waits in the queue.
  @Test(arguments: [(nil, nil), ("w1", "w1"), (nil, "w2"), ("w1", "w2")] as [(String?, String?)])
  func `announces a gap in these words`(before: String?, after: String?) {
    let journal = Journal(node: "web1")
    var subscription = Subscription(
      name: "slow", limits: .init(records: 2, bytes: 1 << 20, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: "web1", journal: journal)
    subscription.setGapMark(before)
    var stream = ""
    var scratch: [UInt8] = []
    for serial in 1...9 {
      journal.beginBatch()
      journal.appendLine("type=USER_LOGIN msg=audit(1700000000.001:\(serial)): pid=1")
      subscription.admit(journal.batch, journal: journal, now: 1_700_000_001_042)
      guard serial == 5 else { continue }
      while let part = unsafe subscription.withNextBytes(
        journal: journal, now: 1, scratch: &scratch,
        { unsafe String(decoding: $0, as: UTF8.self) })
      {
        stream += part
        subscription.wrote(part.utf8.count)
      }
      subscription.setUnread(0)
      stream = ""
    }
    subscription.setGapMark(after)
    while let part = unsafe subscription.withNextBytes(
      journal: journal, now: 1, scratch: &scratch, { unsafe String(decoding: $0, as: UTF8.self) })
    {
      stream += part
      subscription.wrote(part.utf8.count)
    }
    #expect(
      stream.split(separator: "\n").first.map(String.init)
        == "node=web1 type=DAEMON_ERR msg=audit(1700000001.042:5): op=queue-drop plugin=slow "
        + "dropped=3 events=3 reason=queue_full res=failed" + (after.map { " gap=\($0)" } ?? ""))
  }
}
