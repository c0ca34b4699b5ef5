import COpenSSL
import Glibc
import Linux

/// An Ed25519 key that signs the heads of the chain: a PEM file that only its owner may read.
///
/// With the key on the same host, whoever is root there can sign too: only a head that was kept
/// elsewhere proves something against him.
@safe final class SigningKey {
  private let key: OpaquePointer

  private init(_ key: OpaquePointer) { unsafe self.key = key }

  deinit { unsafe EVP_PKEY_free(key) }

  /// Reads one that is there.
  init(file path: String) throws {
    let (status, bytes): (FileStatus, [UInt8]?)
    do throws(Errno) { (status, bytes) = try Files.contents(of: path, limit: 64 << 10) } catch {
      throw KeyError(path: path, reason: "\(error)")
    }
    guard let bytes else { throw KeyError(path: path, reason: "no regular file") }
    guard status.owner == 0 || status.owner == geteuid() else {
      throw KeyError(path: path, reason: "its owner is uid \(status.owner)")
    }
    guard status.mode & 0o077 == 0 else {
      throw KeyError(path: path, reason: "others may read it; chmod 0400 \(path)")
    }
    let found = unsafe bytes.withUnsafeBytes { bytes -> OpaquePointer? in
      guard let memory = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else {
        return nil
      }
      defer { unsafe BIO_free(memory) }
      return unsafe PEM_read_bio_PrivateKey(memory, nil, nil, nil)
    }
    guard let found = unsafe found else {
      throw KeyError(path: path, reason: "no private key in PEM, without a password")
    }
    guard unsafe EVP_PKEY_get_id(found) == NID_ED25519 else {
      unsafe EVP_PKEY_free(found)
      throw KeyError(path: path, reason: "no Ed25519 key")
    }
    unsafe key = found
  }

  /// Makes one, in a file of mode 0400 that was not there.
  static func make(_ path: String) throws -> SigningKey {
    guard let context = unsafe EVP_PKEY_CTX_new_id(NID_ED25519, nil) else {
      throw KeyError(path: path, reason: "OpenSSL has no Ed25519")
    }
    defer { unsafe EVP_PKEY_CTX_free(context) }
    var made: OpaquePointer?
    guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe EVP_PKEY_keygen(context, &made) == 1,
      let made = unsafe made
    else { throw KeyError(path: path, reason: "OpenSSL made no key") }
    let key = unsafe SigningKey(made)
    let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o400)
    do throws(Errno) {
      try Transfer.writeAll(file.number, key.text)
    } catch { throw KeyError(path: path, reason: "\(error)") }
    guard fsync(file.number) == 0 else { throw KeyError(path: path, reason: "\(Errno.current)") }
    return key
  }

  private var text: [UInt8] {
    guard let memory = unsafe BIO_new(BIO_s_mem()) else { return [] }
    defer { unsafe BIO_free(memory) }
    guard unsafe PEM_write_bio_PrivateKey(memory, key, nil, nil, 0, nil, nil) == 1 else {
      return []
    }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe BIO_read(memory, $0.baseAddress, Int32($0.count))
    }
    return Array(bytes.prefix(max(0, Int(count))))
  }

  /// The 32 bytes that everybody may know.
  var publicKey: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 32)
    var count = 32
    let isRead = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
      unsafe EVP_PKEY_get_raw_public_key(key, bytes.baseAddress, &count) == 1
    }
    return isRead && count == 32 ? bytes : []
  }

  func signature(of text: [UInt8]) -> [UInt8] {
    guard let context = unsafe EVP_MD_CTX_new() else { return [] }
    defer { unsafe EVP_MD_CTX_free(context) }
    guard unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1 else { return [] }
    var signature = [UInt8](repeating: 0, count: 64)
    var count = 64
    let isMade = unsafe signature.withUnsafeMutableBufferPointer { signature in
      unsafe text.withUnsafeBufferPointer { text in
        unsafe EVP_DigestSign(context, signature.baseAddress, &count, text.baseAddress, text.count)
          == 1
      }
    }
    return isMade && count == 64 ? signature : []
  }

  /// Whether the key that belongs to a public one made a signature.
  static func verifies(_ signature: [UInt8], of text: [UInt8], by publicKey: [UInt8]) -> Bool {
    let key = unsafe publicKey.withUnsafeBufferPointer {
      unsafe EVP_PKEY_new_raw_public_key(NID_ED25519, nil, $0.baseAddress, $0.count)
    }
    guard let key = unsafe key else { return false }
    defer { unsafe EVP_PKEY_free(key) }
    guard let context = unsafe EVP_MD_CTX_new() else { return false }
    defer { unsafe EVP_MD_CTX_free(context) }
    guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
    return unsafe signature.withUnsafeBufferPointer { signature in
      unsafe text.withUnsafeBufferPointer { text in
        unsafe EVP_DigestVerify(
          context, signature.baseAddress, signature.count, text.baseAddress, text.count) == 1
      }
    }
  }
}

/// Why a key cannot be used: "cannot use the key /etc/x: no Ed25519 key".
struct KeyError: Error, CustomStringConvertible {
  let path: String
  let reason: String

  var description: String { "cannot use the key \(path): \(reason)" }
}
