import Glibc
public import Linux

/// A server's socket on the loopback, which a test plays the server on.
public final class Loopback {
  private let socket: Descriptor
  /// The socket's number.
  public var number: Int32 { socket.number }
  public let port: UInt16

  public init(stream: Bool, waiting: Int32 = 1) throws {
    let type = stream ? SOCK_STREAM : SOCK_DGRAM
    let socket = Descriptor(owning: Glibc.socket(AF_INET, Int32(type.rawValue), 0))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe bind(socket.number, address, size) == 0
      }
    }
    guard isBound, !stream || listen(socket.number, waiting) == 0 else { throw Errno.current }
    port = try socket.boundPort()
    self.socket = socket
  }

  /// The next datagram; blocks until there is one.
  public func receive() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 2048)
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe recv(socket.number, bytes.baseAddress, bytes.count, 0)
    }
    return Array(bytes.prefix(max(0, count)))
  }

  /// Whether somebody has begun a connection.
  public var isAsked: Bool { Poll.wait(socket.number, for: .read, milliseconds: 0) }

  /// The connection that was begun; blocks until there is one.
  public func accept() -> Descriptor { Descriptor(owning: Glibc.accept(socket.number, nil, nil)) }
}

extension Descriptor {
  /// Reads what is there, at most that many bytes.
  public func hear(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let read = unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe recv(number, bytes.baseAddress, bytes.count, 0)
    }
    return Array(bytes.prefix(max(0, read)))
  }

  /// Writes text, as a server's answer.
  public func say(_ text: String) {
    _ = unsafe Array(text.utf8).withUnsafeBytes { unsafe UnixSocket.send(number, $0) }
  }
}
