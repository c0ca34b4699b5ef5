import CAudispatch
import Glibc

/// One end of a connection to another process of ours, over which packets of bytes go whole and in
/// their order, each with up to two descriptors. The socket is one of `SOCK_SEQPACKET`.
public struct PacketChannel: ~Copyable {
  /// The longest packet.
  public static let limit = 64 << 10

  private let descriptor: Descriptor
  public var number: Int32 { descriptor.number }

  public init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

  /// Never blocks: a packet goes whole, or not at all.
  public func send(_ bytes: [UInt8], _ descriptors: [Int32] = []) -> WriteResult {
    precondition(bytes.count <= Self.limit, "a packet that is too long")
    if Self.send(number, bytes, descriptors) == 0 { return .bytes(bytes.count) }
    return errno == EAGAIN || errno == ENOBUFS ? .wouldBlock : .failed(.current)
  }

  /// 0: it went, whole; else `errno` says why not.
  static func send(_ number: Int32, _ bytes: [UInt8], _ descriptors: [Int32]) -> Int32 {
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe descriptors.withUnsafeBufferPointer { fds in
        unsafe ad_pass(
          number, bytes.baseAddress!, bytes.count, fds.baseAddress, Int32(fds.count), false)
      }
    }
  }

  public enum Received: ~Copyable {
    /// So many bytes of the buffer, and descriptors that came with them.
    case packet(Int, Descriptor?, Descriptor?)
    case nothing
    /// The other side is gone.
    case ended
  }

  /// The next packet; never blocks.
  ///
  /// - Parameter buffer: of `limit` bytes.
  public func receive(into buffer: inout [UInt8]) -> Received {
    receive(into: &buffer, despiteReset: false)
  }

  /// - Parameter despiteReset: takes what the other side had sent before it ended. That it has not
  ///   read all is said first, once.
  func receive(into buffer: inout [UInt8], despiteReset: Bool) -> Received {
    var fds: (Int32, Int32) = (-1, -1)
    var count = next(&buffer, &fds)
    if count < 0, despiteReset, errno == ECONNRESET { count = next(&buffer, &fds) }
    if count < 0 { return errno == EAGAIN ? .nothing : .ended }
    if count == 0 { return .ended }
    let first = fds.0 >= 0 ? Descriptor(owning: fds.0) : nil
    let second = fds.1 >= 0 ? Descriptor(owning: fds.1) : nil
    return .packet(count, first, second)
  }

  private func next(_ buffer: inout [UInt8], _ fds: inout (Int32, Int32)) -> Int {
    unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe withUnsafeMutableBytes(of: &fds) { fds in
        unsafe ad_passed(
          number, bytes.baseAddress!, bytes.count, fds.bindMemory(to: Int32.self).baseAddress!, 2,
          false)
      }
    }
  }
}
