import Testing

@testable import AudispatchPlugin
@testable import EventDocument

@Suite("What is known of a field's name")
struct FieldTraitsTests {
  private func traits(_ name: [UInt8], _ traits: inout FieldTraits) -> FieldTraits.Traits {
    var text = EventText()
    text.begin(name)
    let field = Field(
      name: 0..<name.count, value: 0..<0, quoting: .none, section: .record, key: NameKey(name))
    return traits.of(field, 1300, text)
  }

  /// Of sixteen bytes, with the key of another such name.
  private func name(_ first: String, like other: [UInt8]) -> [UInt8] {
    func word(_ bytes: [UInt8], _ start: Int) -> UInt64 {
      (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64($1 * 8) }
    }
    let start = Array(first.utf8)
    let end =
      NameKey.mixed(16 ^ word(start, 0)) ^ NameKey.mixed(16 ^ word(other, 0)) ^ word(other, 8)
    return start + (0..<8).map { UInt8(truncatingIfNeeded: end >> UInt64($0 * 8)) }
  }

  @Test func `is not said of another name that was made to have its key`() {
    let plain = Array("an_honest_name_1".utf8)
    let made = name("another1", like: plain)
    #expect(NameKey(plain) == NameKey(made) && plain != made)
    for names in [[plain, made], [made, plain]] {
      var known = FieldTraits()
      for _ in 0..<2 {
        for name in names {
          #expect(traits(name, &known).hasPlainName == (name == plain))
        }
      }
    }
  }

  @Test func `is found for long names each time`() {
    var known = FieldTraits()
    for length in [8, 31, 32, 200] {
      let name = [UInt8](repeating: 0x61, count: length)
      for _ in 0..<2 { #expect(traits(name, &known).hasPlainName) }
      for _ in 0..<2 { #expect(!traits(name.dropLast() + [0x2e], &known).hasPlainName) }
    }
  }
}
