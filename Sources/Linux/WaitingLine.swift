import Glibc

/// A place in the line of processes that wait for something, in the order in which they came. The
/// kernel gives it up with the process.
///
/// Each has locked one byte of a file, at the moment at which it came, in nanoseconds of the monotonic
/// clock. The calls are `fcntl` with `F_OFD_SETLK` and `F_OFD_GETLK`.
public struct WaitingLine: ~Copyable {
  private static let getLock: Int32 = 36
  private static let setLock: Int32 = 37

  private let file: Descriptor
  private let place: Moment

  /// Joins the line of that file, which is made.
  ///
  /// - Parameter place: when this process came; nobody else's.
  public init(_ path: String, place: Moment) throws(SystemError) {
    let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o640)
    var lock = Self.lock(from: place.nanoseconds, bytes: 1)
    guard unsafe fcntl(file.number, Self.setLock, &lock) == 0 else {
      throw SystemError("lock", path, .current)
    }
    self.file = file
    self.place = place
  }

  /// Whether nobody who came before is still in the line; also where that cannot be asked.
  public var isFirst: Bool {
    guard place.nanoseconds > 0 else { return true }
    var lock = Self.lock(from: 0, bytes: place.nanoseconds)
    guard unsafe fcntl(file.number, Self.getLock, &lock) == 0 else { return true }
    return Int32(lock.l_type) == F_UNLCK
  }

  private static func lock(from start: Int64, bytes: Int64) -> Glibc.flock {
    var lock = Glibc.flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_start = Int(start)
    lock.l_len = Int(bytes)
    return lock
  }
}
