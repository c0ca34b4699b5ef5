import AudispatchPlugin

/// Which names there were, by one bit each, so that it is not looked for those that are new.
struct NameFilter: Sendable {
  private var bits = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))

  mutating func removeAll() { bits = (0, 0, 0, 0) }

  /// Whether a name may have been there; it is from now on.
  @inline(__always)
  mutating func insert(_ name: NameKey) -> Bool {
    let hash = (name.bits &* 0x9E37_79B9_7F4A_7C15) &>> 56
    let bit: UInt64 = 1 &<< (hash & 63)
    switch hash &>> 6 {
    case 0: return Self.insert(bit, &bits.0)
    case 1: return Self.insert(bit, &bits.1)
    case 2: return Self.insert(bit, &bits.2)
    default: return Self.insert(bit, &bits.3)
    }
  }

  /// Whether a name may have been there.
  @inline(__always)
  func mayHave(_ name: NameKey) -> Bool {
    var copy = self
    return copy.insert(name)
  }

  @inline(__always)
  private static func insert(_ bit: UInt64, _ bits: inout UInt64) -> Bool {
    let wasThere = bits & bit != 0
    bits |= bit
    return wasThere
  }
}
