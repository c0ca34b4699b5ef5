/// What a peer sends to a receiver.
public struct PeerMessage: Equatable, Sendable {
  public var type: MessageType
  public var sequence: UInt32
  public var payload: [UInt8]

  public init(_ type: MessageType, sequence: UInt32, payload: [UInt8] = []) {
    self.type = type
    self.sequence = sequence
    self.payload = payload
  }
}

/// Takes a peer's bytes apart into messages, however they are cut. Between two calls of `append` it
/// holds less than one message.
public struct PeerReader: Sendable {
  /// The longest payload of a record: longer ones audisp-remote does not send.
  public static let longestRecord = MessageLimit.sender
  /// The longest payload of a heartbeat: what an `Opening` has.
  public static let longestHeartbeat = 1024

  private var bytes: [UInt8] = []
  private var start = 0

  public init() {}

  /// Bytes of a message that is not whole.
  public var heldBytes: Int { bytes.count - start }

  /// Bytes that came; to be followed by `next` until it has none.
  public mutating func append(_ more: ArraySlice<UInt8>) { bytes += more }

  /// The next message; `nil` when more bytes are needed.
  public mutating func next() throws(PeerFault) -> PeerMessage? {
    let rest = bytes[start...]
    // What is no message is known by its first bytes, and not waited with.
    guard rest.count >= MessageHeader.size else {
      guard rest.prefix(4).elementsEqual(MessageHeader.magic.prefix(rest.count)) else {
        throw PeerFault(beginningWith: rest)
      }
      settle()
      return nil
    }
    guard let header = MessageHeader(rest) else { throw PeerFault(beginningWith: rest) }
    let longest: Int
    switch header.type {
    case .record: longest = Self.longestRecord
    case .heartbeat: longest = Self.longestHeartbeat
    default: throw .unknownType(header.type)
    }
    guard header.length <= longest else { throw .tooLong(header.length) }
    let end = start + MessageHeader.size + header.length
    guard end <= bytes.count else {
      settle()
      return nil
    }
    defer { start = end }
    return PeerMessage(
      header.type, sequence: header.sequence,
      payload: Array(bytes[start + MessageHeader.size..<end]))
  }

  /// Lets go of what was taken; a peer that is at rest holds no memory.
  private mutating func settle() {
    guard start > 0 else { return }
    bytes = start == bytes.count ? [] : Array(bytes[start...])
    start = 0
  }
}

/// What a peer must not send. The connection is of no use behind it.
public enum PeerFault: Error, Equatable, Sendable, CustomStringConvertible {
  case notTheProtocol
  /// Lines of text, as audisp-remote sends them with `format = ascii`.
  case plainLines
  /// It wants to speak TLS where that is not spoken.
  case clientHello
  case tooLong(Int)
  case unknownType(MessageType)

  init(beginningWith bytes: some Collection<UInt8>) {
    if bytes.starts(with: [0x16, 0x03]) {
      self = .clientHello
    } else if ["type", "node"].contains(where: { bytes.starts(with: $0.utf8) }) {
      self = .plainLines
    } else {
      self = .notTheProtocol
    }
  }

  public var description: String {
    switch self {
    case .notTheProtocol: "what it sends is not the audit protocol"
    case .plainLines:
      "sends lines of text, which nobody could acknowledge: in its audisp-remote.conf set "
        + "format = managed"
    case .clientHello: "speaks TLS, and this address is not for TLS"
    case .tooLong(let count): "a message of \(count) bytes, which is too long"
    case .unknownType(let type):
      "a message of the unknown type 0x\(String(type.rawValue, radix: 16))"
    }
  }
}
