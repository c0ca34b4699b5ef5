/// A field's name as a number, so that names are compared by one instruction.
///
/// A name of at most seven bytes is its key, so that no other name has that one; of longer ones it is
/// a hash, and names with the same key have to be compared (`isExact`).
public struct NameKey: Hashable, Sendable {
  public let bits: UInt64

  @inlinable @inline(__always)
  public static func == (a: NameKey, b: NameKey) -> Bool { a.bits == b.bits }

  /// Whether only one name has this key.
  @inlinable @inline(__always)
  public var isExact: Bool { bits >> 63 == 0 }

  /// The key of the name that stands at a place.
  @inlinable @inline(__always)
  public init(_ bytes: borrowing Span<UInt8>, _ name: Range<Int>) {
    precondition(name.lowerBound >= 0 && name.upperBound <= bytes.count, "no such name")
    bits = unsafe bytes.withUnsafeBytes { all in
      guard name.count > 0 else { return 0 }
      let start = unsafe all.baseAddress! + name.lowerBound
      if name.count > 7 { return unsafe Self.hash(start, name.count) }
      // Nearly always there are eight bytes to be read at once.
      if name.lowerBound + 8 <= all.count {
        return Self.short(unsafe Self.eight(start, 0), name.count)
      }
      return Self.short(unsafe Self.few(start, name.count), name.count)
    }
  }

  /// The key of a name in the code, which is made when that is compiled.
  @inlinable @inline(__always)
  public init(_ name: StaticString) {
    let count = name.utf8CodeUnitCount
    let start = unsafe UnsafeRawPointer(name.utf8Start)
    bits =
      count > 7
      ? unsafe Self.hash(start, count) : Self.short(unsafe Self.few(start, count), count)
  }

  /// The key of a name of one to seven bytes, which a word of eight begins with.
  @inlinable @inline(__always)
  init(short eight: UInt64, count: Int) { bits = Self.short(eight, count) }

  @inlinable @inline(__always)
  static func short(_ eight: UInt64, _ count: Int) -> UInt64 {
    eight & ((1 &<< UInt64(count &* 8)) &- 1) | UInt64(count) &<< 56
  }

  @inlinable @inline(__always)
  static func few(_ start: UnsafeRawPointer, _ count: Int) -> UInt64 {
    var all: UInt64 = 0
    for place in 0..<count {
      all |= UInt64(unsafe start.load(fromByteOffset: place, as: UInt8.self)) &<< UInt64(place &* 8)
    }
    return all
  }

  @inlinable @inline(__always)
  static func eight(_ start: UnsafeRawPointer, _ place: Int) -> UInt64 {
    UInt64(littleEndian: unsafe start.loadUnaligned(fromByteOffset: place, as: UInt64.self))
  }

  /// Of all bytes, eight at a time; the last eight may overlap those before.
  @inlinable @inline(__always)
  static func hash(_ start: UnsafeRawPointer, _ count: Int) -> UInt64 {
    var hash = UInt64(count)
    var place = 0
    while place + 8 < count {
      let word = unsafe eight(start, place)
      hash = mixed(hash ^ word)
      place += 8
    }
    let last = unsafe eight(start, count - 8)
    return mixed(hash ^ last) | 1 &<< 63
  }

  @inlinable @inline(__always)
  static func mixed(_ bits: UInt64) -> UInt64 {
    let product = bits &* 0x9E37_79B9_7F4A_7C15
    return product ^ product &>> 29
  }
}

extension NameKey {
  /// The key of a name whose bytes are somewhere else than in a record.
  @inlinable
  public init(_ name: [UInt8]) { self.init(name.span, 0..<name.count) }
}
