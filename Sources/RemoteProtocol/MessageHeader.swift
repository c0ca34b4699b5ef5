/// What stands in front of every message between audisp-remote and auditd, in both directions:
///
///     offset  0  magic             fe 00 00 ff
///             4  header version    0, not looked at
///             5  message version   0, not looked at
///             6  type              32 bits
///            10  length            16 bits: bytes of the payload behind the header
///            12  sequence          32 bits: a reply has its request's
///
/// Numbers are little endian. A record's payload is its text with a newline, without NUL.
public struct MessageHeader: Equatable, Sendable {
  /// Bytes of a header.
  public static let size = 16
  static let magic: [UInt8] = [0xfe, 0, 0, 0xff]
  private static let magicNumber: UInt32 = 0xff00_00fe

  public var type: MessageType
  /// Bytes of the payload.
  public var length: Int
  public var sequence: UInt32

  /// - Parameter length: at most 65,535.
  public init(_ type: MessageType, length: Int = 0, sequence: UInt32 = 0) {
    precondition((0...Int(UInt16.max)).contains(length), "no message has such a length")
    self.type = type
    self.length = length
    self.sequence = sequence
  }

  /// Reads a header; `nil` when it does not begin with the magic.
  ///
  /// - Parameter bytes: 16 at least.
  public init?(_ bytes: ArraySlice<UInt8>) {
    precondition(bytes.count >= Self.size, "a header is read before it is there")
    let (low, high) = unsafe bytes.withUnsafeBytes {
      unsafe (
        UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)),
        UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
    guard UInt32(truncatingIfNeeded: low) == Self.magicNumber else { return nil }
    type = MessageType(
      rawValue: UInt32(truncatingIfNeeded: low >> 48) | UInt32(truncatingIfNeeded: high) << 16)
    length = Int(high >> 16 & 0xffff)
    sequence = UInt32(truncatingIfNeeded: high >> 32)
  }

  public func append(to bytes: inout [UInt8]) {
    let low = UInt64(Self.magicNumber) | UInt64(type.rawValue & 0xffff) << 48
    let high = UInt64(type.rawValue >> 16) | UInt64(length) << 16 | UInt64(sequence) << 32
    let words = (low.littleEndian, high.littleEndian)
    unsafe withUnsafeBytes(of: words) { unsafe bytes.append(contentsOf: $0) }
  }

  /// Changes the length in a header that stands there.
  static func setLength(_ length: Int, of start: Int, in bytes: inout [UInt8]) {
    precondition((0...Int(UInt16.max)).contains(length), "no message has such a length")
    bytes[start + 10] = UInt8(truncatingIfNeeded: length)
    bytes[start + 11] = UInt8(truncatingIfNeeded: length >> 8)
  }
}

/// The kinds of messages; a reply has bits that say how it stands with the server.
public struct MessageType: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// A record.
  public static let record = MessageType(rawValue: 0)
  /// Nothing but a question whether the server is there.
  public static let heartbeat = MessageType(rawValue: 1)

  /// The record is written, or the heartbeat heard.
  public static let acknowledgement = MessageType(rawValue: 0x4000_0000)
  /// The server ends now.
  public static let ending = MessageType(rawValue: 0x4000_0001)
  /// The record is written, and there is little room for more.
  public static let diskLow = MessageType(rawValue: 0x5000_0001)
  /// The record is not written: the disk is full.
  public static let diskFull = MessageType(rawValue: 0x6000_0001)
  /// The record is not written, for another reason.
  public static let diskError = MessageType(rawValue: 0x6000_0002)

  public var isReply: Bool { rawValue & 0x4000_0000 != 0 }
  /// What was asked for is not done.
  public var isFailure: Bool { isReply && rawValue & 0x2000_0000 != 0 }
  /// What was asked for is done, but not all is well.
  public var isWarning: Bool { isReply && !isFailure && rawValue & 0x1000_0000 != 0 }
}

/// What receivers bear.
public enum MessageLimit {
  /// The longest payload that auditd up to 4.2.1 takes whole. Of a longer one it writes these
  /// bytes, acknowledges them, and closes the connection.
  public static let auditd = 8954
  /// The longest record that audisp-remote sends.
  public static let sender = 8970
  /// The longest payload of a reply; audisp-remote bears no longer one either.
  public static let reply = 8970
}
