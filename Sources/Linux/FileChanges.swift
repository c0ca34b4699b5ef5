import CAudispatch
import Glibc

extension Descriptor {
  /// Puts what was written onto the disk, and what is needed to find it. Blocks for as long as the
  /// disk takes. The corresponding call is `fdatasync`, or `fsync` with everything about the file.
  public static func sync(_ number: Int32, everything: Bool = false) throws(Errno) {
    let result = retryingInterrupts { everything ? fsync(number) : fdatasync(number) }
    guard result == 0 else { throw .current }
  }

  /// The corresponding call is `ftruncate`.
  public borrowing func truncate(to size: Int) throws(Errno) {
    guard retryingInterrupts({ ftruncate(number, size) }) == 0 else { throw .current }
  }

  /// The corresponding calls are `fchmod` and `fchown`; the owner stays who it is.
  public borrowing func setAccess(mode: UInt32, group: UInt32) throws(Errno) {
    guard fchown(number, uid_t.max, group) == 0, fchmod(number, mode) == 0 else { throw .current }
  }

  /// Bytes in the file, which is where its next byte goes with `O_APPEND`.
  public borrowing func size() throws(Errno) -> Int {
    let size = lseek(number, 0, SEEK_END)
    guard size >= 0 else { throw .current }
    return size
  }

  /// Bytes in the file; where the next is read stays. The corresponding call is `fstat`.
  public borrowing func length() throws(Errno) -> Int {
    var facts = stat()
    guard unsafe fstat(number, &facts) == 0 else { throw .current }
    return Int(facts.st_size)
  }

  /// Where this opening's last write has ended, whatever others have appended behind it.
  public borrowing func position() throws(Errno) -> Int {
    let position = lseek(number, 0, SEEK_CUR)
    guard position >= 0 else { throw .current }
    return position
  }

  /// Reads at a place of a file. The corresponding call is `pread`.
  public borrowing func bytes(at offset: Int, count: Int) throws(Errno) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let n = unsafe bytes.withUnsafeMutableBytes { buffer in
      retryingInterrupts { unsafe pread(number, buffer.baseAddress, buffer.count, offset) }
    }
    guard n >= 0 else { throw .current }
    bytes.removeLast(count - n)
    return bytes
  }

  /// Writes all of it at a place of a file that was not opened for appending. The corresponding
  /// call is `pwrite`.
  public borrowing func write(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(Errno) {
    var done = 0
    while done < bytes.count {
      let n = unsafe bytes.withUnsafeBytes { buffer in
        retryingInterrupts {
          unsafe pwrite(
            number, buffer.baseAddress?.advanced(by: done), buffer.count - done, offset + done)
        }
      }
      guard n > 0 else { throw n == 0 ? Errno(ENOSPC) : .current }
      done += n
    }
  }
}

extension Files {
  /// When the file was made, in nanoseconds since 1970; `nil` where the file system does not keep
  /// that. The corresponding call is `statx`.
  public static func born(_ descriptor: Int32) -> Int64? {
    var facts = ad_file_facts()
    guard unsafe ad_file_facts_at(descriptor, "", &facts) == 0 else { return nil }
    return FileFacts(facts).born
  }

  /// The corresponding call is `rename`.
  public static func rename(_ from: String, to: String) throws(SystemError) {
    guard unsafe Glibc.rename(from, to) == 0 else { throw SystemError("rename", from, .current) }
  }

  /// The corresponding call is `unlink`.
  public static func remove(_ path: String) throws(SystemError) {
    guard unsafe unlink(path) == 0 else { throw SystemError("remove", path, .current) }
  }

  /// Makes a folder of exactly that mode. The corresponding call is `mkdir`.
  public static func makeFolder(_ path: String, mode: UInt32) throws(SystemError) {
    guard unsafe mkdir(path, mode) == 0, unsafe chmod(path, mode) == 0 else {
      throw SystemError("make", path, .current)
    }
  }

  /// Makes names that came and went in a folder last.
  public static func syncFolder(_ path: String) throws(SystemError) {
    let folder = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
    do throws(Errno) {
      try Descriptor.sync(folder.number, everything: true)
    } catch { throw SystemError("sync", path, error) }
  }
}
