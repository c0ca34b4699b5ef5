import CAudispatch
import Glibc

/// The name of one entry of a folder: any bytes but NUL and slash.
public struct FileName: Hashable, Comparable, Sendable {
  /// With the NUL that the system wants behind it, so that no call copies the name.
  private let terminated: [UInt8]

  public init(_ bytes: some Sequence<UInt8>) {
    var terminated = Array(bytes)
    precondition(!terminated.contains(0), "a name holds no NUL")
    terminated.append(0)
    self.terminated = terminated
  }

  public var bytes: ArraySlice<UInt8> { terminated.dropLast() }

  /// By bytes, as `LC_ALL=C sort` has it.
  public static func < (a: FileName, b: FileName) -> Bool {
    a.terminated.lexicographicallyPrecedes(b.terminated)
  }

  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    unsafe terminated.withUnsafeBytes { bytes in
      unsafe body(bytes.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }
}

/// What `statx` says of a file. Times are in nanoseconds since 1970.
public struct FileFacts: Equatable, Sendable {
  public var kind: FileKind
  /// The twelve permission bits.
  public var mode: UInt32
  public var user: UInt32
  public var group: UInt32
  public var links: UInt32
  public var size: UInt64
  public var inode: UInt64
  public var device: UInt64
  /// The device that a device file stands for.
  public var special: UInt64
  /// Of block devices, apart from character devices.
  public var isBlockDevice: Bool
  public var modified: Int64
  public var changed: Int64
  /// When the file was made; `nil` where the file system does not keep it.
  public var born: Int64?

  public init(
    kind: FileKind, mode: UInt32, user: UInt32, group: UInt32, links: UInt32, size: UInt64,
    inode: UInt64, device: UInt64, special: UInt64 = 0, isBlockDevice: Bool = false,
    modified: Int64, changed: Int64, born: Int64? = nil
  ) {
    self.kind = kind
    self.mode = mode
    self.user = user
    self.group = group
    self.links = links
    self.size = size
    self.inode = inode
    self.device = device
    self.special = special
    self.isBlockDevice = isBlockDevice
    self.modified = modified
    self.changed = changed
    self.born = born
  }

  fileprivate init(_ raw: ad_file_facts) {
    kind = FileKind(mode: raw.mode)
    isBlockDevice = raw.mode & S_IFMT == S_IFBLK
    mode = raw.mode & 0o7777
    user = raw.user
    group = raw.group
    links = raw.links
    size = raw.size
    inode = raw.inode
    device = raw.device
    special = raw.special
    modified = raw.changed
    changed = raw.altered
    born = raw.born == .min ? nil : raw.born
  }
}

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
          unsafe ad_link_target(
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
  public func readAhead() { ad_read_ahead(descriptor.number) }

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

private enum ExtendedAttributes {
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
