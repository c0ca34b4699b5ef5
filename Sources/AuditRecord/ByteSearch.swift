/// Looks for bytes eight at a time.
///
/// Of a word from which a byte was taken by XOR, the lowest byte that became zero is found by its
/// borrow; what is marked above it may be wrong, and is not looked at.
public enum ByteSearch {
  /// What a byte is multiplied by to stand in all eight.
  @inlinable public static var ones: UInt64 { @inline(__always) get { 0x0101_0101_0101_0101 } }
  @inlinable static var highs: UInt64 { @inline(__always) get { 0x8080_8080_8080_8080 } }

  /// The highest bit of the lowest byte that is zero, and perhaps of some above it.
  @inlinable @inline(__always)
  public static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highs }

  /// Where one of two bytes stands first; `end` where neither does.
  ///
  /// - Precondition: 0 ≤ start, and end is not behind the bytes.
  @inlinable @inline(__always)
  public static func first(
    _ one: UInt8, _ other: UInt8, in bytes: borrowing Span<UInt8>, from start: Int, to end: Int
  ) -> Int {
    precondition(start >= 0 && end <= bytes.count, "no such place")
    let (one, other) = (UInt64(one) &* ones, UInt64(other) &* ones)
    return unsafe bytes.withUnsafeBytes { raw in
      var at = start
      let last = raw.count &- 8
      while at < end, at <= last {
        let word = UInt64(
          littleEndian: unsafe raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        let found = zeros(word ^ one) | zeros(word ^ other)
        if found != 0 { return min(at &+ found.trailingZeroBitCount &>> 3, end) }
        at &+= 8
      }
      while at < end {
        let byte = unsafe UInt64(raw[at]) &* ones
        if byte == one || byte == other { break }
        at &+= 1
      }
      return min(at, end)
    }
  }
}
