import CAudispatch
import Glibc

/// A file that is open for reading.
public struct OpenFile: ~Copyable, Sendable {
  private let descriptor: Descriptor

  init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

  public func facts() throws(Errno) -> FileFacts {
    var raw = ad_file_facts()
    guard unsafe ad_file_facts_at(descriptor.number, "", &raw) == 0 else { throw .current }
    return FileFacts(raw)
  }

  /// The bits that chattr(1) sets; `nil` where the file system has none.
  public func inodeFlags() throws(Errno) -> UInt32? {
    var flags: UInt32 = 0
    if unsafe ad_inode_flags(descriptor.number, &flags) == 0 { return flags }
    if [ENOTTY, EOPNOTSUPP, EINVAL].contains(errno) { return nil }
    throw .current
  }

  /// The digest that fs-verity keeps of the file, and the number of its algorithm; `nil` where
  /// there is none. Costs no reading.
  public func verityDigest() throws(Errno) -> (algorithm: UInt16, digest: [UInt8])? {
    var algorithm: UInt16 = 0
    var digest = [UInt8](repeating: 0, count: 64)
    let count = unsafe digest.withUnsafeMutableBytes { bytes in
      unsafe ad_verity_digest(
        descriptor.number, &algorithm, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self),
        bytes.count)
    }
    if count >= 0 { return (algorithm, Array(digest.prefix(count))) }
    if [ENODATA, ENOTTY, EOPNOTSUPP, EINVAL].contains(errno) { return nil }
    throw .current
  }

  public func attributeNames() throws(Errno) -> [[UInt8]] {
    try ExtendedAttributes.names(descriptor.number, FileName([]))
  }

  public func attribute(_ attribute: [UInt8]) throws(Errno) -> [UInt8] {
    try ExtendedAttributes.value(descriptor.number, FileName([]), attribute)
  }

  /// Tells the system that all is about to be read, from the start on.
  public func readAhead() { posix_fadvise(descriptor.number, 0, 0, POSIX_FADV_SEQUENTIAL) }

  /// Reads on; 0 at the end.
  public func read(into buffer: inout [UInt8]) throws(Errno) -> Int {
    let result = unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe Transfer.read(descriptor.number, into: bytes)
    }
    switch result {
    case .bytes(let count): return count
    case .end: return 0
    case .wouldBlock: throw .again
    case .failed(let errno): throw errno
    }
  }

  /// Goes back to the start.
  public func rewind() throws(Errno) {
    guard lseek(descriptor.number, 0, SEEK_SET) == 0 else { throw .current }
  }
}

enum ExtendedAttributes {
  static func names(_ fd: Int32, _ name: FileName) throws(Errno) -> [[UInt8]] {
    let list: [UInt8]
    do throws(Errno) {
      list = try Folder.growing(from: 1024) { buffer in
        unsafe name.withCString { name in
          unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe ad_attribute_names(
              fd, name, bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
          }
        }
      }
    } catch {
      if error.number == EOPNOTSUPP { return [] }
      throw error
    }
    if list.isEmpty { return [] }
    return list.split(separator: 0).map(Array.init)
  }

  static func value(
    _ fd: Int32, _ name: FileName, _ attribute: [UInt8]
  ) throws(Errno) -> [UInt8] {
    try Folder.growing(from: 512) { buffer in
      unsafe name.withCString { name in
        unsafe FileName(attribute).withCString { attribute in
          unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe ad_attribute(fd, name, attribute, bytes.baseAddress!, bytes.count)
          }
        }
      }
    }
  }
}
