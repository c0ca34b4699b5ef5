import CAudispatch
import Glibc

/// An address and a port, as the kernel takes them.
public struct InternetAddress: Equatable, Sendable {
  let bytes: [UInt8]

  /// Why a name has no address.
  public struct Failure: Error, Equatable, CustomStringConvertible, Sendable {
    public let description: String
  }

  /// The addresses of a host, in the order in which they are to be tried.
  ///
  /// - Parameter numeric: only takes addresses that are written as such; without it a name server
  ///   may be asked, which may take many seconds.
  public static func resolve(
    _ host: String, port: UInt16, numeric: Bool
  ) throws(Failure) -> [InternetAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_NUMERICSERV | (numeric ? AI_NUMERICHOST : AI_ADDRCONFIG)
    var found: UnsafeMutablePointer<addrinfo>?
    let result = unsafe getaddrinfo(host, "\(port)", &hints, &found)
    defer { if let found = unsafe found { unsafe freeaddrinfo(found) } }
    guard result == 0 else {
      let reason = unsafe String(cString: gai_strerror(result))
      throw Failure(description: "cannot resolve \(host): \(reason)")
    }
    var addresses: [InternetAddress] = []
    var entry = unsafe found
    while let one = unsafe entry {
      if let address = unsafe one.pointee.ai_addr {
        let raw = unsafe UnsafeRawBufferPointer(
          start: address, count: Int(one.pointee.ai_addrlen))
        unsafe addresses.append(InternetAddress(bytes: Array(raw)))
      }
      unsafe entry = one.pointee.ai_next
    }
    return addresses
  }

  /// Begins to connect a stream; it is writable when that has ended, and `SocketState.error` then
  /// says how. The corresponding call is `connect` on a non-blocking socket.
  ///
  /// - Parameter localPort: the port of this host; 0 for any.
  public func beginStream(localPort: UInt16 = 0) throws(Errno) -> Descriptor {
    try connect(stream: true, localPort: localPort)
  }

  /// A socket whose messages go to this address.
  public func datagrams() throws(Errno) -> Descriptor { try connect(stream: false, localPort: 0) }

  private func connect(stream: Bool, localPort: UInt16) throws(Errno) -> Descriptor {
    let fd = unsafe bytes.withUnsafeBytes { bytes in
      unsafe ad_inet_connect(bytes.baseAddress!, bytes.count, stream, localPort)
    }
    guard fd >= 0 else { throw .current }
    return Descriptor(owning: fd)
  }
}

/// Questions about a socket that somebody else owns.
public enum SocketState {
  /// The error that waits at a socket, and takes it. The corresponding option is `SO_ERROR`.
  public static func error(_ fd: Int32) -> Errno? {
    let error = ad_socket_error(fd)
    return error == 0 ? nil : Errno(error)
  }

  /// Bytes written to a stream that the other host has not acknowledged. The corresponding request
  /// is `SIOCOUTQ`.
  public static func unacknowledged(_ fd: Int32) -> Int { Int(max(0, ad_unacknowledged(fd))) }

  /// Lets nothing be left of a stream when it is closed, so that its port can be used again at once.
  /// What the other host has not acknowledged is given up then. The corresponding option is
  /// `SO_LINGER`.
  public static func resetAtClose(_ fd: Int32) { ad_reset_at_close(fd) }

  /// Sends what is written at once, and gives a connection up when the other host acknowledges
  /// nothing for that long.
  public static func setStreamOptions(_ fd: Int32, timeout: Duration) {
    ad_stream_options(fd, Int32(clamping: timeout.inNanoseconds / 1_000_000))
  }
}
