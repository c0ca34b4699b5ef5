import Glibc

extension Descriptor {
  /// Takes the file's exclusive lock if nobody has it. The corresponding call is `flock`.
  public borrowing func tryLock() -> Bool { flock(number, LOCK_EX | LOCK_NB) == 0 }

  /// Gives the lock back, also where others have copies of this descriptor.
  public borrowing func unlock() { _ = flock(number, LOCK_UN) }
}

extension Files {
  /// Whether another process has locked a part of the file for writing. Takes no lock itself. The
  /// corresponding call is `fcntl` with `F_GETLK`.
  public static func hasRecordLock(_ path: String) -> Bool {
    guard let file = try? Descriptor.open(path, O_RDONLY | O_NONBLOCK) else { return false }
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    guard unsafe fcntl(file.number, F_GETLK, &lock) == 0 else { return false }
    return lock.l_type != Int16(F_UNLCK)
  }
}
