import COpenSSL
import Linux

/// Digests of a file's content, all made in one reading, by OpenSSL.
@safe struct Hashing: ~Copyable {
  private var sha256: OpaquePointer?
  private var sha512: OpaquePointer?
  private var blake2b: OpaquePointer?

  init(_ wanted: AttributeSet) {
    unsafe sha256 = wanted.contains(.sha256) ? Self.begin(EVP_sha256()) : nil
    unsafe sha512 = wanted.contains(.sha512) ? Self.begin(EVP_sha512()) : nil
    unsafe blake2b = wanted.contains(.blake2b) ? Self.begin(EVP_blake2b512()) : nil
  }

  deinit {
    unsafe EVP_MD_CTX_free(sha256)
    unsafe EVP_MD_CTX_free(sha512)
    unsafe EVP_MD_CTX_free(blake2b)
  }

  private static func begin(_ algorithm: OpaquePointer?) -> OpaquePointer {
    guard let context = unsafe EVP_MD_CTX_new(),
      unsafe EVP_DigestInit_ex(context, algorithm, nil) == 1
    else { fatalError("OpenSSL has no memory, or lacks a digest that every build of it has") }
    return unsafe context
  }

  /// Starts all of them anew.
  mutating func restart() {
    unsafe [sha256, sha512, blake2b].forEach { unsafe EVP_DigestInit_ex($0, nil, nil) }
  }

  mutating func take(_ bytes: borrowing [UInt8], count: Int) {
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe [sha256, sha512, blake2b].forEach { context in
        if unsafe context != nil { unsafe EVP_DigestUpdate(context, bytes.baseAddress, count) }
      }
    }
  }

  /// Puts the digests into a state.
  consuming func finish(into state: inout FileState) {
    unsafe state.sha256 = Self.end(sha256, 32)
    unsafe state.sha512 = Self.end(sha512, 64)
    unsafe state.blake2b = Self.end(blake2b, 64)
  }

  private static func end(_ context: OpaquePointer?, _ size: Int) -> [UInt8]? {
    guard let context = unsafe context else { return nil }
    var digest = [UInt8](repeating: 0, count: size)
    unsafe digest.withUnsafeMutableBytes { bytes in
      unsafe _ = EVP_DigestFinal_ex(
        context, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), nil)
    }
    return digest
  }

  /// The SHA-256 of what was taken; that must have been asked for.
  consuming func digest() -> [UInt8] { unsafe Self.end(sha256, 32) ?? [] }

  /// The digest of some bytes in memory.
  static func sha256(of bytes: [UInt8]) -> [UInt8] {
    var hashing = Hashing(.sha256)
    hashing.take(bytes, count: bytes.count)
    return hashing.digest()
  }
}
