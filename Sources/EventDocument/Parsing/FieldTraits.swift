import AudispatchPlugin
import AuditRecord

/// What follows from a field's name and the type of its record, each found once: names are few.
///
/// Records of all hosts ask here: what is known of one name is never said of another that somebody has
/// made to have its key.
struct FieldTraits: Sendable {
  struct Traits: Sendable {
    /// Whether the name needs no change.
    var hasPlainName: Bool
    /// Whether the value may be in hexadecimal.
    var mayBeEncoded: Bool
  }

  private struct Known: Sendable {
    var name: UInt64 = .max
    var type: UInt32 = 0
    var traits = Traits(hasPlainName: false, mayBeEncoded: false)
  }

  private static let size = 512
  /// Longer names are looked into each time.
  private static let longest = 32
  private var known = [Known](repeating: Known(), count: size)
  /// Of names whose keys are not exact their bytes, and how many.
  private var names = [UInt8](repeating: 0, count: size * longest)

  @inline(__always)
  mutating func of(_ field: Field, _ type: UInt32, _ text: EventText) -> Traits {
    let key = field.key.bits
    let hash = (key ^ UInt64(type)) &* 0x9E37_79B9_7F4A_7C15
    let first = Int(truncatingIfNeeded: hash &>> 55)
    var place = first
    // A few may have wanted the same place.
    for step in 0..<4 {
      place = (first + step) & (Self.size - 1)
      if known[place].name == key, known[place].type == type,
        field.key.isExact || isKnown(field.name, at: place, text)
      {
        return known[place].traits
      }
      if known[place].name == .max { break }
    }
    let traits = find(field.name, type, text)
    if field.key.isExact || field.name.count < Self.longest {
      known[place] = Known(name: key, type: type, traits: traits)
      if !field.key.isExact { keep(field.name, at: place, text) }
    }
    return traits
  }

  private mutating func keep(_ name: Range<Int>, at place: Int, _ text: EventText) {
    let start = place * Self.longest
    names[start] = UInt8(name.count)
    for (index, at) in name.enumerated() { names[start + 1 + index] = text.bytes[at] }
  }

  private func isKnown(_ name: Range<Int>, at place: Int, _ text: EventText) -> Bool {
    let start = place * Self.longest
    guard names[start] == name.count else { return false }
    let known = names.span.extracting(start + 1..<start + 1 + name.count)
    return known.isSame(as: text.bytes.span.extracting(name))
  }

  private func find(_ name: Range<Int>, _ type: UInt32, _ text: EventText) -> Traits {
    let plain = text.bytes[name].map { Self.isPlain($0) ? $0 : 0x5f }
    return Traits(
      hasPlainName: plain.elementsEqual(text.bytes[name]),
      mayBeEncoded: EncodedFields.contains(plain[...], type: RecordType(rawValue: type)))
  }

  static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7a, 0x30...0x39, 0x5f, 0x2d, 0x41...0x5a, 0x5b, 0x5d: true
    default: false
    }
  }
}
