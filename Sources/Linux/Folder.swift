import CAudispatch
import Glibc

/// An open folder, and what is in it: nothing here resolves a path or follows a link, so that
/// nobody who can rename folders leads it elsewhere. Closed with its last reference.
public final class Folder: Sendable {
  private let descriptor: Descriptor

  /// Opens a folder by its path; the last component may not be a link.
  public init(_ path: some Sequence<UInt8>) throws(Errno) {
    descriptor = try Self.open(AT_FDCWD, FileName(path), isFolder: true)
  }

  /// Opens a folder in another one.
  public init(_ name: FileName, in folder: Folder) throws(Errno) {
    descriptor = try Self.open(folder.descriptor.number, name, isFolder: true)
  }

  /// Opens a file for reading. A FIFO or a device must not be: ask `facts` first.
  public func open(_ name: FileName) throws(Errno) -> OpenFile {
    OpenFile(try Self.open(descriptor.number, name, isFolder: false))
  }

  private static func open(
    _ folder: Int32, _ name: FileName, isFolder: Bool
  ) throws(Errno) -> Descriptor {
    let fd = unsafe name.withCString { name in
      retryingInterrupts { unsafe ad_open_plain(folder, name, isFolder ? 1 : 0) }
    }
    guard fd >= 0 else { throw .current }
    return Descriptor(owning: fd)
  }

  /// The corresponding call is `statx`, which does not follow links.
  public func facts(of name: FileName) throws(Errno) -> FileFacts {
    var raw = ad_file_facts()
    let result = unsafe name.withCString { name in
      unsafe ad_file_facts_at(descriptor.number, name, &raw)
    }
    guard result == 0 else { throw .current }
    return FileFacts(raw)
  }

  /// Of the folder itself.
  public func facts() throws(Errno) -> FileFacts { try facts(of: FileName([])) }

  /// Where a symbolic link leads, as it is written.
  public func target(of name: FileName) throws(Errno) -> [UInt8] {
    try Self.growing(from: 256) { buffer in
      unsafe name.withCString { name in
        unsafe buffer.withUnsafeMutableBytes { bytes in
          unsafe readlinkat(
            descriptor.number, name, bytes.baseAddress!.assumingMemoryBound(to: CChar.self),
            bytes.count)
        }
      }
    }
  }

  /// The entries without `.` and `..`, in the order the system gives them, and what each is where
  /// the file system says so at once. Complexity: O(entries).
  public func entries() throws(Errno) -> [(name: FileName, kind: FileKind?)] {
    guard lseek(descriptor.number, 0, SEEK_SET) == 0 else { throw .current }
    var entries: [(name: FileName, kind: FileKind?)] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe ad_folder_entries(descriptor.number, bytes.baseAddress!, bytes.count)
      }
      guard count >= 0 else { throw .current }
      if count == 0 { return entries }
      // linux_dirent64: inode 8, offset 8, length 2, kind 1, name, NUL (getdents64(2)).
      var at = 0
      while at < count {
        let length = Int(buffer[at + 16]) | Int(buffer[at + 17]) << 8
        let name = buffer[(at + 19)..<(at + length)].prefix { $0 != 0 }
        if !name.elementsEqual([0x2e]), !name.elementsEqual([0x2e, 0x2e]) {
          entries.append((FileName(name), Self.kind(buffer[at + 18])))
        }
        at += length
      }
    }
  }

  private static func kind(_ number: UInt8) -> FileKind? {
    switch Int(number) {
    case Int(DT_REG): .regular
    case Int(DT_DIR): .directory
    case Int(DT_LNK): .symbolicLink
    case Int(DT_FIFO): .fifo
    case Int(DT_SOCK): .socket
    case Int(DT_CHR), Int(DT_BLK): .device
    default: nil
    }
  }

  /// The number that says what kind of file system the folder is on (statfs(2)).
  public func fileSystem() throws(Errno) -> Int64 {
    var magic: Int64 = 0
    guard unsafe ad_file_system(descriptor.number, &magic) == 0 else { throw .current }
    return magic
  }

  /// Names of the extended attributes of an entry that is not opened: a link, a FIFO, a device.
  public func attributeNames(of name: FileName) throws(Errno) -> [[UInt8]] {
    try ExtendedAttributes.names(descriptor.number, name)
  }

  public func attribute(_ attribute: [UInt8], of name: FileName) throws(Errno) -> [UInt8] {
    try ExtendedAttributes.value(descriptor.number, name, attribute)
  }

  /// The folder as an open file, for its own attributes and flags.
  public func asFile() throws(Errno) -> OpenFile {
    let fd = dup(descriptor.number)
    guard fd >= 0 else { throw .current }
    return OpenFile(Descriptor(owning: fd))
  }

  /// Repeats a call with more room until all fits.
  static func growing(
    from size: Int, _ call: (inout [UInt8]) -> Int
  ) throws(Errno) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: size)
    while true {
      let count = call(&buffer)
      if count < 0, errno != ERANGE { throw .current }
      if count >= 0, count < buffer.count { return Array(buffer.prefix(count)) }
      guard buffer.count < 1 << 20 else { throw Errno(E2BIG) }
      buffer = [UInt8](repeating: 0, count: buffer.count * 8)
    }
  }
}
