import Glibc

extension Span<UInt8> {
  /// The first newline from `start` on, looking at no more than `limit` bytes.
  @inline(__always)
  package func firstNewline(from start: Int, limit: Int = .max) -> Int? {
    unsafe withUnsafeBytes { raw in
      let length = Swift.min(raw.count - start, limit)
      guard length > 0, let base = raw.baseAddress,
        let found = unsafe memchr(base + start, 0x0a, length)
      else { return nil }
      return unsafe UnsafeRawPointer(found) - base
    }
  }

  /// The first NUL.
  @inline(__always)
  package var firstZero: Int? {
    unsafe withUnsafeBytes { raw in
      guard let base = raw.baseAddress, let found = unsafe memchr(base, 0, raw.count) else {
        return nil
      }
      return unsafe UnsafeRawPointer(found) - base
    }
  }

  func hasZero(_ range: Range<Int>) -> Bool {
    unsafe withUnsafeBytes { raw in
      guard let base = raw.baseAddress else { return false }
      return unsafe memchr(base + range.lowerBound, 0, range.count) != nil
    }
  }

  /// Whether a payload begins as one of that version does.
  func beginsRecord(at position: Int, version: UInt32, size: Int) -> Bool {
    if version == 0 { return size >= 6 && has("audit(", at: position) }
    return size >= 5 && (has("type=", at: position) || has("node=", at: position))
  }
}
