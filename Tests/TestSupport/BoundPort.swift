import Glibc
public import Linux

extension Descriptor {
  /// The port that an IPv4 socket is bound to.
  public borrowing func boundPort() throws -> UInt16 { try TestSupport.boundPort(of: number) }
}

/// The port that an IPv4 socket is bound to.
public func boundPort(of socket: Int32) throws -> UInt16 {
  var address = sockaddr_in()
  var size = socklen_t(MemoryLayout<sockaddr_in>.size)
  let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
      unsafe getsockname(socket, address, &size)
    }
  }
  guard result == 0, address.sin_family == AF_INET else { throw Errno.current }
  return UInt16(bigEndian: address.sin_port)
}
