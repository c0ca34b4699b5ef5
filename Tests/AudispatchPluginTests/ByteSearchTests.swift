import AudispatchPlugin
import AuditRecord
import TestSupport
import Testing

@Suite("Looking for bytes eight at a time")
struct ByteSearchTests {
  /// Bytes that are looked for, those whose bits are near theirs, and plain ones.
  private static let bytes: [UInt8] = [
    0x00, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x3c, 0x3d, 0x3e, 0x61, 0x7f, 0x80, 0x9d,
    0xa0, 0xbd, 0xff,
  ]

  @Test(arguments: [1, 2, 3])
  func `finds what looking at each finds`(_ seed: UInt64) {
    var random = Seeded(seed)
    for _ in 0..<4000 {
      let count = Int.random(in: 0..<40, using: &random)
      let text = (0..<count).map { _ in
        Bool.random(using: &random) ? 0x61 : Self.bytes.randomElement(using: &random)!
      }
      let start = Int.random(in: 0...count, using: &random)
      let end = Int.random(in: start...count, using: &random)
      let plain = text[start..<end].firstIndex { $0 == 0x20 || $0 == 0x1d } ?? end
      #expect(
        ByteSearch.first(0x20, 0x1d, in: text.span, from: start, to: end) == plain, "\(text)")
      let quote = text[start..<end].firstIndex { $0 == 0x22 || $0 == 0x1d } ?? end
      #expect(
        ByteSearch.first(0x22, 0x1d, in: text.span, from: start, to: end) == quote, "\(text)")
    }
  }

  @Test(arguments: [1, 2, 3])
  func `finds where names end`(_ seed: UInt64) {
    var random = Seeded(seed)
    for _ in 0..<4000 {
      let count = Int.random(in: 0..<24, using: &random)
      let text = (0..<count).map { _ in
        Int.random(in: 0..<3, using: &random) > 0
          ? 0x61 : Self.bytes.randomElement(using: &random)!
      }
      let start = Int.random(in: 0...count, using: &random)
      let end = Int.random(in: start...count, using: &random)
      let stop = text[start..<end].firstIndex { $0 == 0x20 || $0 == 0x1d || $0 == 0x3d } ?? end
      let isName = stop > start && stop < end && text[stop] == 0x3d
      let found = ByteSearch.name(in: text.span, from: start, to: end)
      #expect(found.end == stop, "\(text) from \(start) to \(end)")
      #expect(
        found.key == (isName ? NameKey(text.span, start..<stop) : nil),
        "\(text) from \(start) to \(end)")
    }
  }
}
