import CAudispatch
import Glibc

/// Unix stream sockets.
public enum UnixSocket {
  /// Two connected ends. Urgent bytes are among the others at ours.
  public static func pair() throws(SystemError) -> Ends {
    try unsafe Ends { unsafe ad_socketpair_stream($0) }
  }

  /// Connects without waiting (EAGAIN: the listener's backlog is full); the descriptor is blocking.
  public static func connect(_ path: String) throws(SystemError) -> Descriptor {
    let fd = retryingInterrupts { unsafe ad_unix_connect(path) }
    guard fd >= 0 else { throw SystemError("connect to", path, .current) }
    let socket = Descriptor(owning: fd)
    socket.setNonblocking(false)
    return socket
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
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe peekOnce(fd, $0) }
    return Array(bytes.prefix(max(0, count)))
  }

  /// Looks at what waits to be read, without taking it.
  public static func peek(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> ReadResult {
    unsafe ReadResult(count: peekOnce(fd, buffer))
  }

  private static func peekOnce(_ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    let flags = Int32(MSG_PEEK | MSG_DONTWAIT)
    return retryingInterrupts { unsafe recv(fd, buffer.baseAddress, buffer.count, flags) }
  }

  /// Sends what the socket takes now, without SIGPIPE. The corresponding call is `send`.
  @inline(__always)
  public static func send(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> WriteResult {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return .bytes(0) }
    return WriteResult(count: retryingInterrupts { unsafe ad_send(fd, base, bytes.count) })
  }
}

extension UnixSocket {
  /// The path that a connected socket's other end is bound to; `nil`: none, or no unix socket.
  private static func peerPath(_ fd: Int32) -> String? {
    var path = [CChar](repeating: 0, count: 256)
    let length = unsafe ad_peer_path(fd, &path, path.count)
    guard length > 0 else { return nil }
    return String(decoding: path[..<Int(length)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Whether a connected socket's other end is bound to that path, by whatever links and folders
  /// either is named.
  public static func isConnected(_ fd: Int32, to path: String) -> Bool {
    guard let peer = peerPath(fd) else { return false }
    if peer == path { return true }
    // The socket itself may be gone, or another one by now: its folder says where it was.
    guard let (ours, name) = folderAndName(path), let (theirs, other) = folderAndName(peer) else {
      return false
    }
    return name == other && ours == theirs
  }

  private static func folderAndName(_ path: String) -> (FileIdentity, Substring)? {
    guard let slash = path.lastIndex(of: "/"),
      let folder = try? Files.status(of: slash == path.startIndex ? "/" : String(path[..<slash]))
    else { return nil }
    return (folder.identity, path[path.index(after: slash)...])
  }
}
