import CAudispatch
import Glibc

/// Messages with descriptors between two processes. The socket is of type
/// `SOCK_SEQPACKET`: each message is whole.
public struct MessageChannel: ~Copyable {
  private let descriptor: Descriptor
  public var number: Int32 { descriptor.number }

  public init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

  /// Two ends.
  public static func pair() throws(SystemError) -> (Int32, Int32) {
    var ends: (Int32, Int32) = (0, 0)
    let result = unsafe withUnsafeMutableBytes(of: &ends) { raw in
      unsafe ad_message_pair(raw.bindMemory(to: Int32.self).baseAddress!)
    }
    guard result == 0 else { throw SystemError("create", "a socket pair", .current) }
    return ends
  }

  /// Connects to who listens there, without waiting.
  public static func connect(_ path: String) throws(SystemError) -> MessageChannel {
    let fd = retryingInterrupts { unsafe ad_message_connect(path) }
    guard fd >= 0 else { throw SystemError("connect to", path, .current) }
    return MessageChannel(owning: Descriptor(owning: fd))
  }

  /// Listens at a path that must not exist; each that `UnixSocket.accept` gives is such a channel.
  public static func listen(_ path: String, mode: UInt32) throws(SystemError) -> Descriptor {
    let fd = unsafe ad_message_listen(path, mode, 16)
    guard fd >= 0 else { throw SystemError("listen at", path, .current) }
    return Descriptor(owning: fd)
  }

  /// Nothing goes either way any more: the other side's messages fail, and those that came before
  /// are still to be received. The corresponding call is `shutdown`.
  public func hangUp() { _ = shutdown(number, Int32(SHUT_RDWR)) }

  /// Never blocks; `false` when the other side is gone or does not read.
  @discardableResult
  public func send(_ text: String, _ descriptors: [Int32] = []) -> Bool {
    let bytes = Array(text.utf8)
    return unsafe bytes.withUnsafeBytes { bytes in
      unsafe descriptors.withUnsafeBufferPointer { fds in
        unsafe ad_send_message(
          number, bytes.baseAddress!, bytes.count, fds.baseAddress, Int32(fds.count)) == 0
      }
    }
  }

  public enum Received: ~Copyable {
    case message(String, Descriptor?, Descriptor?)
    case nothing
    case ended
  }

  /// The next message and up to two descriptors that came with it. Never blocks.
  public func receive() -> Received {
    // No message is longer than all that wait together.
    var bytes = [UInt8](repeating: 0, count: max(256, UnixSocket.unread(number) ?? 16 << 10))
    var fds: (Int32, Int32) = (-1, -1)
    var count = -1
    // That the other side has ended without reading all is said first, once, and before what it had
    // sent.
    for _ in 0..<2 where count < 0 {
      count = unsafe bytes.withUnsafeMutableBytes { bytes in
        unsafe withUnsafeMutableBytes(of: &fds) { fds in
          unsafe ad_receive_message(
            number, bytes.baseAddress!, bytes.count, fds.bindMemory(to: Int32.self).baseAddress!)
        }
      }
      guard count < 0, errno == ECONNRESET else { break }
    }
    if count < 0 { return errno == EAGAIN || errno == EINTR ? .nothing : .ended }
    if count == 0 { return .ended }
    let first = fds.0 >= 0 ? Descriptor(owning: fds.0) : nil
    let second = fds.1 >= 0 ? Descriptor(owning: fds.1) : nil
    return .message(String(decoding: bytes[..<count], as: UTF8.self), first, second)
  }
}
