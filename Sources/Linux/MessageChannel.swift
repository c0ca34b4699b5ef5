import CAudispatch
import Glibc

/// Texts between two processes, each whole, and descriptors that go with them. The socket is one of
/// `SOCK_SEQPACKET`.
public struct MessageChannel: ~Copyable {
  private let packets: PacketChannel
  public var number: Int32 { packets.number }

  public init(owning descriptor: consuming Descriptor) {
    packets = PacketChannel(owning: descriptor)
  }

  /// Two ends.
  public static func pair() throws(SystemError) -> Ends {
    try unsafe Ends { unsafe ad_message_pair($0) }
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
    PacketChannel.send(number, Array(text.utf8), descriptors) == 0
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
    switch packets.receive(into: &bytes, despiteReset: true) {
    case .packet(let count, let first, let second):
      return .message(String(decoding: bytes[..<count], as: UTF8.self), first, second)
    case .nothing: return .nothing
    case .ended: return .ended
    }
  }
}
