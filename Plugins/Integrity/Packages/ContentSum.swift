import COpenSSL
import Linux

/// The MD5 of a file, which is what dpkg has to compare with.
enum ContentSum {
  /// `nil` when the file is not the one of that state any more, or cannot be read.
  static func md5(of path: FilePath, in state: FileState) -> [UInt8]? {
    guard state.facts.kind == .regular, let folder = try? Folder(path.folder.bytes),
      let file = try? folder.open(path.name), isSame(file, state)
    else { return nil }
    guard let digest = unsafe EVP_MD_CTX_new() else { return nil }
    defer { unsafe EVP_MD_CTX_free(digest) }
    // A build of OpenSSL may refuse it.
    guard unsafe EVP_DigestInit_ex(digest, EVP_md5(), nil) == 1 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 128 << 10)
    while true {
      guard let count = try? file.read(into: &buffer) else { return nil }
      if count == 0 { break }
      unsafe buffer.withUnsafeBytes { bytes in
        unsafe _ = EVP_DigestUpdate(digest, bytes.baseAddress, count)
      }
    }
    guard isSame(file, state) else { return nil }
    var sum = [UInt8](repeating: 0, count: 16)
    let isMade = unsafe sum.withUnsafeMutableBufferPointer { bytes in
      unsafe EVP_DigestFinal_ex(digest, bytes.baseAddress, nil) == 1
    }
    return isMade ? sum : nil
  }

  private static func isSame(_ file: borrowing OpenFile, _ state: FileState) -> Bool {
    guard let facts = try? file.facts() else { return false }
    return state.isOf(facts)
  }
}
