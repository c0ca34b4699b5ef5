/// What a server answers.
public struct Reply: Equatable, Sendable {
  public var type: MessageType
  public var sequence: UInt32
  /// In words, where it has any; not to be trusted.
  public var text: [UInt8]

  public init(_ type: MessageType, sequence: UInt32, text: [UInt8] = []) {
    self.type = type
    self.sequence = sequence
    self.text = text
  }
}

/// Takes a server's bytes apart into replies, however they are cut. Holds one reply at most.
public struct ReplyReader: Sendable {
  private var bytes: [UInt8] = []
  private var start = 0

  public init() {}

  /// Bytes that came; to be followed by `next` until it has none.
  public mutating func append(_ more: ArraySlice<UInt8>) {
    if start == bytes.count {
      bytes.removeAll(keepingCapacity: true)
    } else if start > 0 {
      bytes.removeFirst(start)
    }
    start = 0
    bytes += more
  }

  /// The next reply; `nil` when more bytes are needed.
  public mutating func next() throws(Violation) -> Reply? {
    let rest = bytes[start...]
    guard rest.count >= MessageHeader.size else { return nil }
    guard let header = MessageHeader(rest) else { throw .notTheProtocol }
    guard header.length <= MessageLimit.reply else { throw .tooLong(header.length) }
    let end = start + MessageHeader.size + header.length
    guard end <= bytes.count else { return nil }
    defer { start = end }
    return Reply(
      header.type, sequence: header.sequence,
      text: Array(bytes[start + MessageHeader.size..<end]))
  }
}

/// What a server must not say. The connection is of no use behind it.
public enum Violation: Error, Equatable, Sendable, CustomStringConvertible {
  case notTheProtocol
  case tooLong(Int)
  case notAReply(MessageType)
  /// A reply to something else than to what is the first without one.
  case outOfStep(UInt32, expected: UInt32?)

  public var description: String {
    switch self {
    case .notTheProtocol: "what it says is not the audit protocol"
    case .tooLong(let count): "a reply of \(count) bytes, which is too long"
    case .notAReply(let type): "message 0x\(String(type.rawValue, radix: 16)), which is no reply"
    case .outOfStep(let sequence, let expected):
      expected.map { "a reply to message \(sequence), where that to \($0) was awaited" }
        ?? "a reply to message \(sequence), where none was awaited"
    }
  }
}
