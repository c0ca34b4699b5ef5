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
    guard bytes.starts(with: Self.magic) else { return nil }
    let start = bytes.startIndex
    func number(_ offset: Int, _ count: Int) -> UInt32 {
      (0..<count).reduce(0) { $0 | UInt32(bytes[start + offset + $1]) << UInt32(8 * $1) }
    }
    type = MessageType(rawValue: number(6, 4))
    length = Int(number(10, 2))
    sequence = number(12, 4)
  }

  public func append(to bytes: inout [UInt8]) {
    bytes += Self.magic
    bytes += [0, 0]
    Self.append(type.rawValue, 4, to: &bytes)
    Self.append(UInt32(length), 2, to: &bytes)
    Self.append(sequence, 4, to: &bytes)
  }

  /// Changes the length in a header that stands there.
  static func setLength(_ length: Int, of start: Int, in bytes: inout [UInt8]) {
    precondition((0...Int(UInt16.max)).contains(length), "no message has such a length")
    bytes[start + 10] = UInt8(truncatingIfNeeded: length)
    bytes[start + 11] = UInt8(truncatingIfNeeded: length >> 8)
  }

  private static func append(_ number: UInt32, _ count: Int, to bytes: inout [UInt8]) {
    for place in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(8 * place))) }
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
