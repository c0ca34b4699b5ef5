import AudispatchPlugin
import Glibc
import Linux

/// The socket that clients connect to. It takes the place of a dead socket, and of nothing else.
final class ListeningSocket {
  /// Why there is none.
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  let path: String
  private let socket: Descriptor
  private let inode: UInt64
  private let device: UInt64
  /// Given up for a moment when no descriptor is left: a client that cannot be had can be turned
  /// away, and does not wait for ever.
  private var reserve: Descriptor?

  var number: Int32 { socket.number }

  /// Listens at a path: at nothing, or at a socket of ours that nobody listens at.
  init(_ path: String, mode: UInt32, group: UInt32?) throws(Refusal) {
    self.path = path
    do throws(SystemError) {
      try Self.removeDead(path)
      socket = try UnixSocket.listen(path, mode: mode)
      if let group { try Self.give(path, to: group) }
    } catch let error {
      throw Refusal(description: error.cause == Errno(EADDRINUSE) ? Self.inUse(path) : "\(error)")
    }
    let status = try? Files.status(of: path, followingLinks: false)
    inode = status?.inode ?? 0
    device = status?.device ?? 0
    keepReserve()
  }

  private static func give(_ path: String, to group: UInt32) throws(SystemError) {
    do throws(SystemError) {
      try UnixSocket.give(path, toGroup: group)
    } catch {
      unsafe unlink(path)
      throw error
    }
  }

  private func keepReserve() {
    do throws(SystemError) {
      reserve = try Descriptor.anonymousFile("reserve")
    } catch { reserve = nil }
  }

  private static func inUse(_ path: String) -> String {
    "cannot listen at \(path): another program does, or it is not a socket of ours"
  }

  /// A socket of our user that refuses a connection is what a crash has left.
  private static func removeDead(_ path: String) throws(SystemError) {
    guard let status = try? Files.status(of: path, followingLinks: false),
      status.kind == .socket, status.owner == geteuid()
    else { return }
    do throws(SystemError) {
      _ = try UnixSocket.connect(path)
    } catch {
      guard error.cause == Errno(ECONNREFUSED),
        let again = try? Files.status(of: path, followingLinks: false),
        again.inode == status.inode, again.device == status.device
      else { return }
      try Files.remove(path)
    }
  }

  /// Whether the path still leads to it.
  var isInPlace: Bool {
    guard let now = try? Files.status(of: path, followingLinks: false) else { return false }
    return now.inode == inode && now.device == device
  }

  /// The next client; `nil` when none waits.
  func accept() throws(Errno) -> Descriptor? { try UnixSocket.acceptNext(socket.number) }

  /// Lets the next client go, for which there is no descriptor.
  ///
  /// - Returns: `false` when none waits, which the system does not look at as long as there is none.
  func turnAway() throws(Errno) -> Bool {
    reserve = nil
    defer { keepReserve() }
    guard let client = try accept() else { return false }
    _ = consume client
    return true
  }

  /// Removes the path if it is still this socket's.
  func remove() { if isInPlace { unsafe unlink(path) } }
}
