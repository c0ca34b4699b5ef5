public import AuditRecord

extension ByteSearch {
  /// Where a name ends: at the first `=`, space or 0x1d, else at `end`. It has a key if an `=` is what
  /// stands behind it.
  ///
  /// - Precondition: 0 ≤ start, and end is not behind the bytes.
  @inlinable @inline(__always)
  public static func name(
    in bytes: borrowing Span<UInt8>, from start: Int, to end: Int
  ) -> (end: Int, key: NameKey?) {
    precondition(start >= 0 && end <= bytes.count, "no such place")
    if let short = shortName(in: bytes, from: start, to: end) { return (short.end, short.key) }
    var at = start
    while at < end {
      let byte = unsafe bytes[unchecked: at]
      if byte <= 0x3d, byte == 0x3d || byte == 0x20 || byte == 0x1d { break }
      at &+= 1
    }
    guard at > start, at < end, unsafe bytes[unchecked: at] == 0x3d else { return (at, nil) }
    return (at, NameKey(bytes, start..<at))
  }

  /// The same of a name within eight bytes; `nil` where it is to be looked for one by one.
  @inlinable @inline(__always)
  static func shortName(
    in bytes: borrowing Span<UInt8>, from start: Int, to end: Int
  ) -> (end: Int, key: NameKey)? {
    unsafe bytes.withUnsafeBytes { raw in
      guard start &+ 8 <= raw.count else { return nil }
      let word = UInt64(
        littleEndian: unsafe raw.loadUnaligned(fromByteOffset: start, as: UInt64.self))
      let signs = zeros(word ^ (0x3d &* ones))
      guard signs != 0 else { return nil }
      let count = signs.trailingZeroBitCount &>> 3
      // A break in front of the sign.
      let breaks = zeros(word ^ (0x20 &* ones)) | zeros(word ^ (0x1d &* ones))
      guard count > 0, start &+ count < end, breaks & (signs &- 1) & ~signs == 0 else { return nil }
      return (start &+ count, NameKey(short: word, count: count))
    }
  }
}
