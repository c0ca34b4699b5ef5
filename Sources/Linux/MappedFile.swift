import CAudispatch
import Glibc

/// Memory that is a file's: what is stored in it is there for whoever maps the file next, also when
/// this process dies the moment after. The corresponding call is `mmap` with `MAP_SHARED`.
@safe
public final class MappedFile {
  public let memory: UnsafeMutableRawPointer
  private let count: Int
  /// Keeps the file's lock.
  private let file: Descriptor

  /// - Parameter file: of so many bytes at least.
  public init(_ file: consuming Descriptor, count: Int) throws(SystemError) {
    let memory = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
      throw SystemError("map", "a file of \(count) bytes", .current)
    }
    unsafe self.memory = memory
    self.count = count
    self.file = file
  }

  deinit { unsafe munmap(memory, count) }

  /// Opens a file to be mapped, which is made if it is not there, and is ours alone for as long as it
  /// is open, with all its room on the disk: `nil` while another process has it. Without room it stays
  /// as it was. May wait as long as the file's disk.
  public static func open(_ path: String, count: Int) throws(SystemError) -> Descriptor? {
    let file = try Descriptor.open(
      path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode: 0o600)
    guard DescriptorKind.isRegularFile(file.number) else {
      throw SystemError("map", path, Errno(EINVAL))
    }
    guard file.tryLock() else {
      if errno == EWOULDBLOCK { return nil }
      throw SystemError("lock", path, .current)
    }
    // A store where the disk has no room would be the end of this process.
    let before = try? file.size()
    guard ftruncate(file.number, off_t(count)) == 0,
      ad_preallocate(file.number, off_t(count)) == 0
    else {
      let cause = Errno.current
      if let before { _ = ftruncate(file.number, off_t(before)) }
      throw SystemError("make room in", path, cause)
    }
    return file
  }

  /// Memory that is nobody else's.
  public static func anonymous(_ name: String, count: Int) throws(SystemError) -> MappedFile {
    let file = try Descriptor.anonymousFile(name)
    guard ftruncate(file.number, off_t(count)) == 0 else {
      throw SystemError("make room in", "memory", .current)
    }
    return try MappedFile(file, count: count)
  }
}
