import CAudispatch
import Glibc

/// A connected socket that takes messages, each whole or not at all.
public struct DatagramSocket: ~Copyable, Sendable {
  private let descriptor: Descriptor
  /// Whether it is a stream, in which a NUL ends each message.
  private let isStream: Bool

  /// Takes over a connected socket.
  public init(owning descriptor: consuming Descriptor) {
    self.descriptor = descriptor
    isStream = false
  }

  /// Connects to a unix socket, such as `/dev/log`.
  ///
  /// - Parameter patience: how long a line waits for room when lines are sent, in milliseconds. A
  ///   reader takes ten datagrams at most into its queue: being woken for each of them in the
  ///   kernel costs half of what waiting in `poll` does.
  /// - Parameter orStream: takes a stream too where there is one, as syslog(3) does.
  public init(path: String, patience: Int32 = 0, orStream: Bool) throws(SystemError) {
    var isStream = false
    let fd =
      unsafe orStream
      ? ad_datagram_connect(path, patience, &isStream) : ad_datagram_connect(path, patience, nil)
    guard fd >= 0 else { throw SystemError("connect to", path, .current) }
    descriptor = Descriptor(owning: fd)
    self.isStream = isStream
  }

  /// Whether it is a stream whose other end is gone: then it is always ready, for nothing.
  public var hasEnded: Bool { isStream && ad_stream_ended(number) }

  public var number: Int32 { descriptor.number }

  /// Sends one message; never blocks. The corresponding call is `send`.
  public func send(_ message: [UInt8]) -> WriteResult {
    unsafe message.withUnsafeBytes { bytes in
      guard isStream, let base = bytes.baseAddress else {
        return unsafe UnixSocket.send(number, bytes)
      }
      return unsafe WriteResult(count: ad_stream_send(number, base, bytes.count))
    }
  }

  /// Where a line stands in bytes that are sent.
  public struct Line: Sendable {
    fileprivate let start: UInt32
    fileprivate let end: UInt32

    public init(_ place: Range<Int>) {
      start = UInt32(place.lowerBound)
      end = UInt32(place.upperBound)
    }
  }

  /// Sends a message for each of some lines, at most 64 at once: `head`, then the line, its last
  /// 0x1d made a space. Copies nothing; waits for room, `patience` for each. The corresponding call is `sendmmsg`.
  ///
  /// - Returns: how many messages were taken.
  public func send(_ head: [UInt8], _ lines: ArraySlice<Line>, of bytes: [UInt8]) -> WriteResult {
    let count = unsafe head.withUnsafeBufferPointer { head in
      unsafe bytes.withUnsafeBufferPointer { bytes in
        unsafe lines.withUnsafeBufferPointer { lines in
          unsafe lines.withMemoryRebound(to: ad_piece.self) { lines in
            unsafe ad_send_lines(
              number, head.baseAddress!, head.count, bytes.baseAddress!, lines.baseAddress!,
              Int32(min(lines.count, 64)), isStream)
          }
        }
      }
    }
    return WriteResult(count: Int(count))
  }
}
