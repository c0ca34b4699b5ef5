import Glibc

/// A place in the line of processes that wait for something, in the order in which they came. It is
/// kept as long as one process has it; the kernel gives it up with the last.
///
/// Each has locked one byte of a file, at the moment at which it came, in nanoseconds of the monotonic
/// clock. The calls are `fcntl` with `F_OFD_SETLK` and `F_OFD_GETLK`.
public struct WaitingLine: ~Copyable, Sendable {
  private static let getLock: Int32 = 36
  private static let setLock: Int32 = 37

  private let file: Descriptor
  public let place: Moment
  /// What another process is given, to have this place, too.
  public var number: Int32 { file.number }

  /// Joins the line of that file.
  ///
  /// - Parameters:
  ///   - place: when this process came; nobody else's.
  ///   - makes: whether the file is made, which waits for a disk that takes nothing.
  public init(_ path: String, place: Moment, makes: Bool = true) throws(SystemError) {
    let flags = O_RDWR | (makes ? O_CREAT : 0) | O_NOFOLLOW | O_NONBLOCK
    let file = try Descriptor.open(path, flags, mode: 0o640)
    guard Self.set(F_WRLCK, file.number, place) else {
      throw SystemError("lock", path, .current)
    }
    self.file = file
    self.place = place
  }

  /// A place that another process has taken, and has given us.
  public init(given file: consuming Descriptor, place: Moment) {
    self.file = file
    self.place = place
  }

  /// Stands in the line, also where that is done already.
  ///
  /// - Returns: `false`: that place is somebody else's.
  @discardableResult
  public borrowing func join() -> Bool { Self.set(F_WRLCK, number, place) }

  /// Nobody who has this place stands in the line any more.
  public borrowing func leave() { _ = Self.set(F_UNLCK, number, place) }

  private static func set(_ type: Int32, _ file: Int32, _ place: Moment) -> Bool {
    var lock = lock(from: place.nanoseconds, bytes: 1)
    lock.l_type = Int16(type)
    return unsafe fcntl(file, setLock, &lock) == 0
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
