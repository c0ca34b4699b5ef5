public import CAudispatch

/// What is done with every byte of a record.
public enum Bytes {
  /// CRC-32C (Castagnoli, RFC 3720 B.4) that goes on from `seed`, which is 0 for the plain one.
  @inlinable @inline(__always)
  public static func crc32c(_ seed: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
    unsafe bytes.withUnsafeBytes { raw in
      guard let start = raw.baseAddress else { return seed }
      return unsafe ad_crc32c(seed, start, raw.count)
    }
  }

  /// Copies bytes and tells, in one pass, whether they are free of newlines and NULs.
  ///
  /// - Parameter place: has room for all of them.
  @inlinable @inline(__always)
  public static func copyIsPlain(
    _ bytes: Span<UInt8>, to place: UnsafeMutableRawPointer
  ) -> Bool {
    unsafe bytes.withUnsafeBytes { raw in
      guard let start = raw.baseAddress else { return true }
      return unsafe ad_copy_is_plain(place, start, raw.count)
    }
  }
}
