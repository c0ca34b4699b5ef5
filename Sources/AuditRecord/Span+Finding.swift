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
  package var firstZero: Int? { firstZero(from: 0) }

  /// The first NUL from `start` on.
  @inline(__always)
  package func firstZero(from start: Int) -> Int? {
    unsafe withUnsafeBytes { raw in
      guard start >= 0, start < raw.count, let base = raw.baseAddress,
        let found = unsafe memchr(base + start, 0, raw.count - start)
      else { return nil }
      return unsafe UnsafeRawPointer(found) - base
    }
  }

  /// Whether the same bytes stand in another one.
  @inline(__always)
  package func isSame(as other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    return unsafe withUnsafeBytes { mine in
      unsafe other.withUnsafeBytes { theirs in
        guard let one = mine.baseAddress, let another = theirs.baseAddress else { return true }
        return unsafe memcmp(one, another, mine.count) == 0
      }
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
