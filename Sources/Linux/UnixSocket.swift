import CAudispatch
import Glibc

/// Unix stream sockets.
public enum UnixSocket {
  /// Two connected ends, close-on-exec, blocking.
  public static func pair() throws(SystemError) -> (Int32, Int32) {
    var ends: (Int32, Int32) = (0, 0)
    let result = unsafe withUnsafeMutableBytes(of: &ends) { raw in
      unsafe ad_socketpair_stream(raw.bindMemory(to: Int32.self).baseAddress!)
    }
    guard result == 0 else { throw SystemError("create", "a socket pair", .current) }
    return ends
  }

  /// Connects without waiting (EAGAIN: the listener's backlog is full); the descriptor is blocking.
  public static func connect(_ path: String) throws(SystemError) -> Descriptor {
    let fd = retryingInterrupts { unsafe ad_unix_connect(path) }
    guard fd >= 0 else { throw SystemError("connect to", path, .current) }
    return Descriptor(owning: fd)
  }

  /// Listens at a path that must not exist; the descriptor is non-blocking. The socket has exactly
  /// that mode from the beginning, whatever the mask is.
  public static func listen(_ path: String, mode: UInt32) throws(SystemError) -> Descriptor {
    let fd = unsafe ad_unix_listen(path, mode, 16)
    guard fd >= 0 else { throw SystemError("listen at", path, .current) }
    return Descriptor(owning: fd)
  }

  /// Gives a socket of ours to a group, with CAP_CHOWN or CAP_SETGID. What has taken its place,
  /// a link most likely, stays as it is.
  public static func give(_ path: String, toGroup group: UInt32) throws(SystemError) {
    guard unsafe ad_socket_group(path, group) == 0 else {
      throw SystemError("give to group \(group)", path, .current)
    }
  }

  /// Gives a socket of ours another mode. What has taken its place stays as it is.
  public static func setMode(of path: String, to mode: UInt32) throws(SystemError) {
    guard unsafe ad_socket_mode(path, mode) == 0 else {
      throw SystemError("set the mode of", path, .current)
    }
  }

  /// The next client, non-blocking; `nil` when none waits, or it cannot be had.
  public static func accept(_ fd: Int32) -> Descriptor? {
    do throws(Errno) { return try acceptNext(fd) } catch { return nil }
  }

  /// The next client, non-blocking; `nil` when none waits. One that cannot be had, for want of
  /// descriptors most likely, goes on waiting, and the listener stays readable.
  public static func acceptNext(_ fd: Int32) throws(Errno) -> Descriptor? {
    while true {
      let client = retryingInterrupts { ad_accept(fd) }
      if client >= 0 { return Descriptor(owning: client) }
      switch Errno.current {
      case .again: return nil
      case Errno(ECONNABORTED): continue
      case let failure: throw failure
      }
    }
  }

  /// Bytes that wait to be read. The corresponding request is `FIONREAD`, which for a stream socket
  /// counts exactly what the other side wrote and nobody has read. `nil`: that could not be asked.
  @inline(__always)
  public static func unread(_ fd: Int32) -> Int? {
    let count = retryingInterrupts { ad_unread(fd) }
    return count < 0 ? nil : Int(count)
  }

  /// What waits to be read, without taking it. The flag is `MSG_PEEK`.
  public static func peekAll(_ fd: Int32?) -> [UInt8] {
    guard let fd else { return [] }
    var bytes = [UInt8](repeating: 0, count: max(1, unread(fd) ?? 1 << 20))
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe ad_peek(fd, $0.baseAddress!, $0.count)
    }
    return Array(bytes.prefix(max(0, count)))
  }

  /// Looks at what waits to be read, without taking it.
  public static func peek(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> ReadResult {
    let n = retryingInterrupts { unsafe ad_peek(fd, buffer.baseAddress!, buffer.count) }
    if n > 0 { return .bytes(n) }
    if n == 0 { return .end }
    return errno == EAGAIN ? .wouldBlock : .failed(.current)
  }

  /// Sends what the socket takes now, without SIGPIPE. The corresponding call is `send`.
  @inline(__always)
  public static func send(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> WriteResult {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return .bytes(0) }
    let n = retryingInterrupts { unsafe ad_send(fd, base, bytes.count) }
    if n >= 0 { return .bytes(n) }
    return errno == EAGAIN ? .wouldBlock : .failed(.current)
  }
}

extension Descriptor {
  public borrowing func setNonblocking(_ on: Bool) { _ = ad_set_nonblocking(number, on) }
}

/// Facts about a descriptor that somebody else opened.
public enum DescriptorKind {
  public static func isSocket(_ fd: Int32) -> Bool { ad_is_socket(fd) }
  public static func isPipe(_ fd: Int32) -> Bool { ad_is_fifo(fd) }
  public static func isRegularFile(_ fd: Int32) -> Bool { isKind(fd, S_IFREG) }
  public static func isFolder(_ fd: Int32) -> Bool { isKind(fd, S_IFDIR) }

  private static func isKind(_ fd: Int32, _ kind: mode_t) -> Bool {
    var facts = stat()
    return unsafe fstat(fd, &facts) == 0 && facts.st_mode & S_IFMT == kind
  }
  /// Whether it is closed, or `/dev/null`.
  public static func isNowhere(_ fd: Int32) -> Bool {
    var facts = stat()
    var null = stat()
    guard unsafe fstat(fd, &facts) == 0 else { return true }
    return unsafe stat("/dev/null", &null) == 0 && facts.st_mode & S_IFMT == S_IFCHR
      && facts.st_rdev == null.st_rdev
  }
  /// Opens `/dev/null` for 0, 1 and 2 where they are closed, so that none of them becomes something
  /// else.
  public static func openStandard() {
    while true {
      let fd = unsafe open("/dev/null", O_RDWR)
      guard (0...2).contains(fd) else {
        if fd > 2 { close(fd) }
        return
      }
    }
  }

  /// Has bytes that come with MSG_OOB be read in their place. The option is `SO_OOBINLINE`.
  public static func takeUrgentInPlace(_ fd: Int32) { _ = ad_urgent_inline(fd) }

  /// Clears `O_NONBLOCK`, which belongs to the open file and so to everybody who has it.
  public static func setNonblocking(_ fd: Int32, _ on: Bool) { _ = ad_set_nonblocking(fd, on) }
  /// Closes every descriptor from this number on. The corresponding call is `close_range`.
  public static func closeAll(from first: UInt32) { _ = ad_close_from(first) }
}

extension DescriptorKind {
  /// Whether a read would not block: input, or its end.
  public static func isReadable(_ fd: Int32) -> Bool { ad_has_input(fd) == 1 }
}

/// Puts a pipe that has ended in the place of a descriptor: who reads it is at its end.
public func replaceByEndedPipe(_ fd: Int32) {
  var ends: (Int32, Int32) = (0, 0)
  let result = unsafe withUnsafeMutableBytes(of: &ends) { raw in
    unsafe ad_pipe(raw.bindMemory(to: Int32.self).baseAddress!)
  }
  guard result == 0 else { return }
  dup2(ends.0, fd)
  close(ends.0)
  close(ends.1)
}

/// Pipes.
public enum Pipe {
  /// The reading and the writing end, close-on-exec.
  public static func open() throws(SystemError) -> (Int32, Int32) {
    var ends: (Int32, Int32) = (0, 0)
    let result = unsafe withUnsafeMutableBytes(of: &ends) { raw in
      unsafe ad_pipe(raw.bindMemory(to: Int32.self).baseAddress!)
    }
    guard result == 0 else { throw SystemError("create", "a pipe", .current) }
    return ends
  }

  /// Leaves a pipe room for a page; fails while more is in it. The corresponding call is
  /// `fcntl(F_SETPIPE_SZ)`.
  public static func shrink(_ fd: Int32) -> Bool { ad_pipe_room(fd, 4096) >= 0 }
}
