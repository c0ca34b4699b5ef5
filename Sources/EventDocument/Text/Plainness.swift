import AuditRecord

/// Which texts need no escapes, so that all their bytes are written as they are.
struct Plainness: Sendable {
  /// Whether `%` and `+` need some.
  let isPercent: Bool

  @inline(__always)
  func has(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let raw = UnsafeRawBufferPointer(text)
    let count = raw.count
    if count >= 8 {
      var at = 0
      while at + 8 <= count {
        if hasOther(unsafe raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)) { return false }
        at += 8
      }
      // The last eight may overlap those before.
      return at == count
        || !hasOther(unsafe raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self))
    }
    if count >= 4 {
      let first = unsafe raw.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
      let last = unsafe raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
      return !hasOther(UInt64(first) << 32 | UInt64(last))
    }
    guard count > 0 else { return true }
    return unsafe !hasOther(Self.few(raw, count))
  }

  /// Eight bytes that are one to three of a text, some of them more than once.
  @inline(__always)
  private static func few(_ raw: UnsafeRawBufferPointer, _ count: Int) -> UInt64 {
    if count == 1 { return unsafe UInt64(raw[0]) &* ByteSearch.ones }
    let first = unsafe raw.loadUnaligned(fromByteOffset: 0, as: UInt16.self)
    let last = unsafe raw.loadUnaligned(fromByteOffset: count - 2, as: UInt16.self)
    return (UInt64(first) << 16 | UInt64(last)) &* 0x1_0000_0001
  }

  /// Whether one of eight bytes is not written as it is.
  ///
  /// The highest bit of a byte is set by one that is not ASCII, and by what is taken off or put on where
  /// it is a control character, DEL, or one of the others. A borrow or carry from the byte below says
  /// nothing new: that one is marked.
  @inline(__always)
  func hasOther(_ eight: UInt64) -> Bool {
    let ones = ByteSearch.ones
    var odd = eight | (eight &- 0x20 &* ones) | (eight &+ ones)
    odd |= (eight ^ 0x22 &* ones) &- ones
    odd |= (eight ^ 0x5c &* ones) &- ones
    if isPercent {
      odd |= (eight ^ 0x25 &* ones) &- ones
      odd |= (eight ^ 0x2b &* ones) &- ones
    }
    return odd & 0x8080_8080_8080_8080 != 0
  }
}
