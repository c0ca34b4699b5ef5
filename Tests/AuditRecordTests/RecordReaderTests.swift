import TestSupport
import Testing

@testable import AuditRecord

/// What a reader made of an input: the records' bytes, and what it skipped.
private enum Found: Equatable, CustomStringConvertible {
  case record(RecordFrame.Form, UInt32, String)
  case malformed(MalformedInput)

  var description: String {
    switch self {
    case .record(let form, let type, let text): "\(form) \(type) \(text.prefix(60))"
    case .malformed(let kind): "malformed: \(kind.rawValue)"
    }
  }
}

/// Feeds an input in pieces of those sizes (then the rest), as a caller with a buffer does.
private func read(
  _ input: [UInt8], pieces: [Int] = [], framing: RecordReader.Framing = .undecided
) -> [Found] {
  var reader = RecordReader(framing: framing)
  var buffer: [UInt8] = []
  var found: [Found] = []
  var fed = 0
  var sizes = pieces[...]
  while true {
    let count = min(sizes.popFirst() ?? input.count, input.count - fed)
    buffer += input[fed..<fed + count]
    fed += count
    let ended = fed == input.count
    var position = 0
    let held = buffer
    steps: while true {
      switch reader.next(held.span, &position, ended: ended) {
      case .record(let frame):
        found.append(
          .record(frame.form, frame.type, String(decoding: held[frame.payload], as: UTF8.self)))
      case .malformed(let kind, let sample):
        #expect(sample.lowerBound >= 0 && sample.upperBound <= held.count)
        found.append(.malformed(kind))
      case .needsMore: break steps
      }
    }
    buffer.removeFirst(position)
    if ended { return found }
    // Another process may go on from here.
    let kept = reader.kept
    reader = RecordReader(kept)
    #expect(reader.kept == kept)
  }
}

private func words(_ values: UInt32...) -> [UInt8] {
  values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) } }
}

/// A record in the binary protocol; `fixed` pads it with what looks like older records.
private func binary(
  _ text: String, version: UInt32 = 1, type: UInt32 = 1300, fixed: Bool = false
) -> [UInt8] {
  let payload = Array(text.utf8)
  var bytes = words(version, 16, type, UInt32(payload.count)) + payload
  if fixed {
    let stale = Array("ld=1 type=PATH msg=audit(1.0:9): stale \u{0}\u{0}\u{1}".utf8)
    while bytes.count < 8986 { bytes.append(stale[bytes.count % stale.count]) }
  }
  return bytes
}

private let first = "type=SYSCALL msg=audit(1700000000.123:41): arch=c000003e key=(null)"
private let second = "node=web1 type=PATH msg=audit(1700000000.123:41): item=0 name=\"/x\""
private let third = "type=EOE msg=audit(1700000000.123:41):"
private let long = "type=PROCTITLE msg=audit(1.0:2): p=" + String(repeating: "a", count: 8935)

private func lines(_ texts: String...) -> [Found] { texts.map { .record(.line, 0, $0) } }
private func finished(_ texts: String...) -> [Found] { texts.map { .record(.finished, 1300, $0) } }

/// An input and what must be found in it.
private struct Sample: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var input: [UInt8]
  var expected: [Found]

  init(_ name: String, _ input: [UInt8], _ expected: [Found]) {
    testDescription = name
    self.input = input
    self.expected = expected
  }
}

private let samples: [Sample] = [
  Sample("nothing", [], []),
  Sample("lines", Array("\(first)\n\(second)\n\(third)\n".utf8), lines(first, second, third)),
  Sample("a last line without newline", Array("\(first)\n\(second)".utf8), lines(first, second)),
  Sample(
    "CRLF and blank lines", Array("\(first)\r\n\r\n\n\(second)\r\n".utf8), lines(first, second)),
  Sample(
    "bytes from 0x80 up and the separator",
    Array("type=A msg=audit(1.0:1): ".utf8) + [0x1d, 0x80, 0xc3, 0xbc] + Array("\n\(first)\n".utf8),
    [
      .record(
        .line, 0,
        String(
          decoding: Array("type=A msg=audit(1.0:1): ".utf8) + [0x1d, 0x80, 0xc3, 0xbc],
          as: UTF8.self)),
      .record(.line, 0, first),
    ]),
  Sample(
    "lines that are no records", Array("----\n\(first)\ntype=X foo\n\(second)\n".utf8),
    [.malformed(.notARecord)] + lines(first) + [.malformed(.notARecord)] + lines(second)),
  Sample(
    "a line of more than 16 KiB",
    Array("type=A msg=audit(1.0:1): ".utf8) + [UInt8](repeating: 0x61, count: 40_000)
      + Array("\n\(first)\n".utf8), [.malformed(.lineTooLong)] + lines(first)),
  Sample(
    "compact", binary(first) + binary(second) + binary(third), finished(first, second, third)),
  Sample(
    "compact, version 0", binary("audit(1.0:1): x=1", version: 0) + binary(first),
    [.record(.bare, 1300, "audit(1.0:1): x=1")] + finished(first)),
  Sample("compact, an empty payload", binary("") + binary(first), finished("", first)),
  Sample("compact, odd payloads", binary("abc") + binary("a\nb"), finished("abc", "a\nb")),
  Sample(
    "fixed with stale padding",
    binary(first, fixed: true) + binary(second, fixed: true) + binary(third, fixed: true),
    finished(first, second, third)),
  Sample(
    "fixed after a record of the full length",
    binary(long, fixed: true) + binary(first, fixed: true) + binary(second, fixed: true),
    finished(long, first, second)),
  Sample(
    "an unknown version between good records",
    binary(first) + binary("x", version: 7) + binary(second),
    finished(first) + [.malformed(.unknownVersion)] + finished(second)),
  Sample(
    "a bad header between good records",
    binary(first) + words(1, 20, 1300, 5) + [1, 2, 3, 4, 5] + binary(second) + binary(third),
    finished(first) + [.malformed(.badHeader)] + finished(second, third)),
  Sample(
    "a size that is too large",
    binary(first) + binary(second) + words(1, 16, 1300, 9000)
      + binary(third), finished(first, second) + [.malformed(.badHeader)] + finished(third)),
  Sample(
    "lines after a broken binary record",
    binary(first) + binary(second) + words(9, 9, 9, 9) + Array("\n\(third)\n".utf8),
    finished(first, second) + [.malformed(.badHeader)] + lines(third)),
  Sample(
    "a last line without newline after a broken binary record",
    binary(first) + binary(second) + words(9, 9, 9, 9) + Array("\n\(third)".utf8),
    finished(first, second) + [.malformed(.badHeader)] + lines(third)),
  Sample(
    "binary records after a line", Array("\(first)\n".utf8) + binary(second) + binary(third),
    lines(first) + [.malformed(.badHeader)] + finished(second, third)),
  Sample(
    "an end inside a record", binary(first) + binary(second).dropLast(4),
    finished(first) + [.malformed(.truncated)]),
]

@Suite("A record reader")
struct RecordReaderTests {
  @Test(arguments: samples)
  private func `finds every record in one piece`(_ sample: Sample) {
    #expect(read(sample.input) == sample.expected)
  }

  @Test(arguments: samples)
  private func `finds the same in single bytes`(_ sample: Sample) {
    #expect(read(sample.input, pieces: sample.input.map { _ in 1 }) == sample.expected)
  }

  @Test(arguments: samples.filter { $0.input.count < 600 })
  private func `finds the same whatever the one cut`(_ sample: Sample) {
    for cut in 0...sample.input.count {
      #expect(read(sample.input, pieces: [cut]) == sample.expected, "cut at \(cut)")
    }
  }

  @Test(arguments: samples)
  private func `finds the same in random pieces`(_ sample: Sample) {
    var random = Seeded(of: "finds the same in random pieces")
    for _ in 0..<10 {
      let pieces = (0..<200).map { _ in
        Int.random(in: 0...max(1, sample.input.count / 8), using: &random)
      }
      #expect(read(sample.input, pieces: pieces) == sample.expected, "\(pieces)")
    }
  }

  @Test func `gives the first record as soon as its own bytes are there`() {
    var reader = RecordReader()
    var position = 0
    let bytes = binary(first)
    guard case .record = reader.next(bytes.span, &position, ended: false) else {
      Issue.record("held back")
      return
    }
    #expect(reader.framing == .undecided)
  }

  @Test(arguments: [true, false])
  func `knows the framing when the second record begins`(_ fixed: Bool) {
    var reader = RecordReader()
    var position = 0
    let bytes = binary(first, fixed: fixed) + binary(second, fixed: fixed)
    for _ in 0..<2 { _ = reader.next(bytes.span, &position, ended: false) }
    #expect(reader.framing == (fixed ? .fixed : .compact))
  }

  @Test func `follows a framing that it was given`() {
    let input = binary(first) + binary(second)
    #expect(read(input, framing: .compact) == finished(first, second))
  }

  @Test func `loses no valid record behind random garbage`() {
    var random = Seeded(of: "loses no valid record behind random garbage")
    for _ in 0..<200 {
      let garbage = (0..<Int.random(in: 1...60, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      let input = binary(first) + binary(second) + garbage + binary(third) + binary(first)
      let found = read(input).filter { if case .record = $0 { true } else { false } }
      #expect(found.suffix(2) == finished(third, first)[...], "\(garbage)")
    }
  }
}
