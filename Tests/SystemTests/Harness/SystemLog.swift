import Foundation
import Glibc
import Linux
import Synchronization

/// A socket that takes what programs send to `/dev/log`, whether anybody asks for it or not: who finds it
/// full waits, as auditd's end once did. With `isDrained` false it takes only what it is asked for.
final class SystemLog: Sendable {
  let path: String
  private let socket: Int32
  private let taken: Taken

  /// What has come. Outlives the rest for as long as the thread that fills it.
  private final class Taken: Sendable {
    private let lines = Mutex<[String]>([])
    let isOver = Atomic(false)

    func take(_ socket: Int32) -> [String] {
      lines.withLock { lines in
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
          let n = unsafe recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
          if n <= 0 { return lines }
          lines.append(String(decoding: buffer[..<n], as: UTF8.self))
        }
      }
    }
  }

  init(_ path: String, isDrained: Bool = true) throws {
    self.path = path
    let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let socket = Glibc.socket(AF_UNIX, type, 0)
    self.socket = socket
    guard socket >= 0 else { throw Errno.current }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
      unsafe room.copyBytes(from: Array(path.utf8.prefix(room.count - 1)))
    }
    // That of a daemon before this one, in the same folder.
    unsafe unlink(path)
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe bind(socket, generic, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard bound == 0 else { throw Errno.current }
    let taken = Taken()
    self.taken = taken
    guard isDrained else { return }
    let drained = dup(socket)
    Thread.detachNewThread {
      while Poll.wait(drained, for: .read, milliseconds: -1),
        !taken.isOver.load(ordering: .acquiring)
      { _ = taken.take(drained) }
      close(drained)
    }
  }

  deinit {
    taken.isOver.store(true, ordering: .releasing)
    // Wakes the thread.
    shutdown(socket, Int32(SHUT_RDWR))
    close(socket)
  }

  /// Everything that was sent until now.
  var messages: [String] { taken.take(socket) }
}
