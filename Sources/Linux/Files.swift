import Glibc

/// What kind of thing a path names.
public enum FileKind: String, Equatable, Sendable {
  case regular = "file"
  case directory
  case symbolicLink = "symbolic link"
  case fifo = "FIFO"
  case socket
  case device

  /// From the type bits of a mode (inode(7)).
  init(mode: UInt32) {
    self =
      switch mode & UInt32(S_IFMT) {
      case UInt32(S_IFREG): .regular
      case UInt32(S_IFDIR): .directory
      case UInt32(S_IFLNK): .symbolicLink
      case UInt32(S_IFIFO): .fifo
      case UInt32(S_IFSOCK): .socket
      default: .device
      }
  }
}

/// Kind, owner, mode and identity of a file.
public struct FileStatus: Equatable, Sendable {
  public var kind: FileKind
  /// The owner's uid.
  public var owner: UInt32
  /// The group's gid.
  public var group: UInt32
  /// The twelve permission bits.
  public var mode: UInt32
  public var device: UInt64
  public var inode: UInt64
  /// Time of the last change of content, in nanoseconds since 1970.
  public var modified: Int64
  /// Names that it has.
  public var names: UInt64

  public init(
    kind: FileKind, owner: UInt32, group: UInt32 = 0, mode: UInt32, device: UInt64 = 0,
    inode: UInt64 = 0, modified: Int64 = 0, names: UInt64 = 1
  ) {
    self.kind = kind
    self.owner = owner
    self.group = group
    self.mode = mode
    self.device = device
    self.inode = inode
    self.modified = modified
    self.names = names
  }

  public var identity: FileIdentity { FileIdentity(device: device, inode: inode) }

  fileprivate init(_ raw: stat) {
    kind = FileKind(mode: raw.st_mode)
    owner = raw.st_uid
    group = raw.st_gid
    mode = raw.st_mode & 0o7777
    device = UInt64(raw.st_dev)
    inode = UInt64(raw.st_ino)
    modified = Int64(raw.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(raw.st_mtim.tv_nsec)
    names = UInt64(raw.st_nlink)
  }
}

/// Which file it is, by whatever name.
public struct FileIdentity: Hashable, Sendable {
  public let device: UInt64
  public let inode: UInt64

  public init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

/// Questions about files by name. None of them opens a device or waits for a FIFO.
public enum Files {
  /// The folder that a path's last name is in, by the text alone: `/` for a name directly below it,
  /// and `.` for a name without a slash.
  public static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// A path's last name.
  public static func lastPart(of path: String) -> String {
    String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
  }

  /// The corresponding calls are `stat` and, not following links, `lstat`.
  public static func status(
    of path: String, followingLinks: Bool = true
  ) throws(Errno) -> FileStatus {
    var raw = stat()
    let result = unsafe followingLinks ? stat(path, &raw) : lstat(path, &raw)
    guard result == 0 else { throw .current }
    return FileStatus(raw)
  }

  /// The corresponding call is `fstat`.
  public static func status(of descriptor: Int32) throws(Errno) -> FileStatus {
    var raw = stat()
    guard unsafe fstat(descriptor, &raw) == 0 else { throw .current }
    return FileStatus(raw)
  }

  /// The names in a folder without `.` and `..`, in the order the system gives them. A name that
  /// is not UTF-8 has U+FFFD in the place of the bytes that are not.
  public static func names(in folder: String) throws(Errno) -> [String] {
    guard let directory = unsafe opendir(folder) else { throw .current }
    defer { unsafe _ = closedir(directory) }
    var names: [String] = []
    errno = 0
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw .current }
    return names
  }

  /// The path without links, `.` and `..`. The corresponding call is `realpath`.
  public static func resolved(_ path: String) throws(Errno) -> String {
    guard let resolved = unsafe realpath(path, nil) else { throw .current }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// What a regular file holds, at most `limit` bytes, and the status of what was opened.
  ///
  /// Anything but a regular file is not opened: its status comes back without content.
  public static func contents(
    of path: String, limit: Int
  ) throws(Errno) -> (status: FileStatus, bytes: [UInt8]?) {
    let before = try status(of: path)
    guard before.kind == .regular else { return (before, nil) }
    let bytes: [UInt8]
    let status: FileStatus
    do throws(SystemError) {
      let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
      do throws(Errno) {
        status = try Files.status(of: file.number)
      } catch { throw SystemError("examine", path, error) }
      guard status.kind == .regular else { return (status, nil) }
      bytes = try Transfer.contents(of: file, named: path, limit: limit)
    } catch { throw error.cause }
    return (status, bytes)
  }
}
