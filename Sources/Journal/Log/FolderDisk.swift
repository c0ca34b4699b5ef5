import Glibc
import Linux

/// A real folder, 0700, with files of mode 0600; blocks for as long as the disk does.
struct FolderDisk: SpoolDisk, ~Copyable {
  let path: String
  private let folder: Descriptor
  /// The file that is appended to.
  private var file: (name: String, descriptor: Int32)?
  /// So much stays free on the file system, at each write.
  private let reserve: Int64
  /// The file beside the log: synced in front of it.
  var beside: SideDisk?

  /// Makes the folder if it is not there.
  init(_ path: String, reserve: Int64) throws(SystemError) {
    folder = try PrivateFolder.open(path)
    self.path = path
    self.reserve = reserve
  }

  deinit { if let file { close(file.descriptor) } }

  func names() throws(Errno) -> [String] { try Files.names(in: path) }

  mutating func create(_ name: String) throws(Errno) {
    let free = try freeBytes(before: 0)
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW
    let fd = try Descriptor.open(name, in: folder.number, flags).release()
    if let file { close(file.descriptor) }
    file = (name, fd)
    // Without, as on a file system that has no such thing, it is allocated as it goes.
    if free - reserve >= Int64(SpoolFile.size) { FileSystem.allocate(fd, bytes: SpoolFile.size) }
  }

  mutating func append(_ name: String, _ bytes: [UInt8]) throws(Errno) {
    guard let file, file.name == name else { throw Errno(EBADF) }
    _ = try freeBytes(before: bytes.count)
    try Transfer.writeAll(file.descriptor, bytes)
  }

  /// What is free now; fails where a write would take of the reserve, or others have.
  private func freeBytes(before count: Int) throws(Errno) -> Int64 {
    guard let room = FileSystem.room(folder.number) else { return .max }
    let free = Int64(room.free)
    if free - Int64(count) < reserve { throw Errno(ENOSPC) }
    return free
  }

  mutating func sync(_ name: String) throws(Errno) {
    guard let file, file.name == name else { throw Errno(EBADF) }
    beside?.sync()
    guard retryingInterrupts({ fdatasync(file.descriptor) }) == 0 else { throw .current }
  }

  mutating func syncFolder() throws(Errno) {
    guard retryingInterrupts({ fsync(folder.number) }) == 0 else { throw .current }
  }

  func read(_ name: String, from: Int, count: Int) throws(Errno) -> [UInt8] {
    try Self.read(name, in: folder.number, from: from, count: count)
  }

  static func read(
    _ name: String, in folder: Int32 = AT_FDCWD, from: Int, count: Int
  ) throws(Errno) -> [UInt8] {
    let (fd, size) = try open(name, in: folder)
    defer { close(fd) }
    let wanted = max(0, min(count, size - from))
    var bytes = [UInt8](repeating: 0, count: wanted)
    var done = 0
    var isDamaged = false
    while done < wanted {
      // Once it could not be read whole, page by page; a page that cannot be read is zeros.
      let page = min(wanted - done, 4096 - (from + done) % 4096)
      let length = isDamaged ? page : wanted - done
      let n = unsafe bytes.withUnsafeMutableBytes { buffer in
        retryingInterrupts {
          unsafe pread(fd, buffer.baseAddress! + done, length, off_t(from + done))
        }
      }
      if n == 0 { break }
      if n > 0 {
        done += n
      } else if isDamaged {
        done += page
      } else {
        isDamaged = true
      }
    }
    bytes.removeLast(wanted - done)
    return bytes
  }

  func size(_ name: String) throws(Errno) -> Int { try Self.size(name, in: folder.number) }

  static func size(_ name: String, in folder: Int32 = AT_FDCWD) throws(Errno) -> Int {
    let (fd, size) = try open(name, in: folder)
    close(fd)
    return size
  }

  /// Opens a file in the folder that was opened, wherever that is now. What is there in the place of
  /// a file is an invalid argument.
  private static func open(
    _ name: String, in folder: Int32
  ) throws(Errno) -> (fd: Int32, size: Int) {
    let fd: Int32
    do throws(Errno) {
      let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
      fd = try Descriptor.open(name, in: folder, flags).release()
    } catch { throw error == Errno(ELOOP) ? .invalidArgument : error }
    do throws(Errno) {
      guard try Files.status(of: fd).kind == .regular else { throw .invalidArgument }
      let size = lseek(fd, 0, SEEK_END)
      guard size >= 0 else { throw .current }
      return (fd, Int(size))
    } catch {
      close(fd)
      throw error
    }
  }

  func remove(_ name: String) throws(Errno) {
    guard unsafe unlinkat(folder.number, name, 0) == 0 else { throw .current }
  }
}
