import CAudispatch
import Glibc

extension InternetAddress {
  /// A socket that takes connections at this address; never blocks. The corresponding calls are
  /// `bind` and `listen`.
  ///
  /// - Parameter backlog: connections that may wait to be taken.
  public func listen(backlog: Int) throws(Errno) -> Descriptor {
    let fd = unsafe bytes.withUnsafeBytes { bytes in
      unsafe ad_inet_listen(bytes.baseAddress!, bytes.count, Int32(clamping: backlog))
    }
    guard fd >= 0 else { throw .current }
    return Descriptor(owning: fd)
  }
}

/// Who is at the other end of a connection.
public struct InternetPeer: Hashable, Sendable {
  public var address: HostAddress
  public var port: UInt16

  public init(address: HostAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  /// `nil` when it is gone already. The corresponding call is `getpeername`.
  public init?(of fd: Int32) {
    var bytes = [UInt8](repeating: 0, count: 16)
    var port: UInt16 = 0
    let count = unsafe bytes.withUnsafeMutableBufferPointer {
      unsafe ad_inet_peer(fd, $0.baseAddress!, &port)
    }
    guard count > 0 else { return nil }
    address = HostAddress(bytes: Array(bytes[..<Int(count)]))
    self.port = port
  }
}

extension SocketState {
  /// Has the kernel end the connection when the other host is gone without a word; the shortest
  /// time is some seconds.
  public static func watchPeer(_ fd: Int32, within time: Duration) {
    ad_watch_peer(fd, Int32(clamping: max(6, time.components.seconds)))
  }
}

extension SocketState {
  /// Says that nothing more comes. The corresponding call is `shutdown` with `SHUT_WR`.
  public static func endWriting(_ fd: Int32) { _ = shutdown(fd, Int32(SHUT_WR)) }
}
