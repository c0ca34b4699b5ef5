/// What was said to a server over one connection and is not answered: records and heartbeats, in
/// their order. A server answers in that order.
///
/// The first message goes alone. Only when it is answered may as many be on their way as the window
/// says: whoever takes messages and never answers gets one of them, not hundreds that come again.
public struct SendingWindow: Sendable {
  /// What an answer means.
  public enum Answer: Equatable, Sendable {
    /// The first record without an answer is stored.
    case stored
    /// It is, and the server warns.
    case storedWithWarning(MessageType)
    /// It is not stored.
    case refused(MessageType, text: [UInt8])
    case heard
    /// It has heard who this is.
    case opened
    /// The server ends.
    case ending
  }

  private enum Message { case record, heartbeat, opening }

  private let limit: Int
  private var waiting: [(message: Message, sequence: UInt32)] = []
  private var first = 0
  private var next: UInt32
  private var isAnswered = false
  /// Records without an answer.
  public private(set) var records = 0

  /// - Parameters:
  ///   - limit: messages that may be on their way.
  ///   - first: the number of the first.
  public init(limit: Int, first: UInt32 = 1) {
    precondition(limit > 0, "nothing could be sent")
    self.limit = limit
    next = first
  }

  /// Messages without an answer.
  public var count: Int { waiting.count - first }
  public var hasRoom: Bool { count < (isAnswered ? limit : 1) }

  /// Notes that a record is sent; its number, which is the given one if there is one.
  public mutating func sendRecord(as number: UInt32? = nil) -> UInt32 {
    records += 1
    if let number { next = number }
    return send(.record)
  }

  /// Notes that a heartbeat is sent; its number.
  public mutating func sendHeartbeat() -> UInt32 { send(.heartbeat) }

  /// Notes that a heartbeat is sent that says who this is; its number. Its answer says nothing of how
  /// records fare.
  public mutating func sendOpening() -> UInt32 { send(.opening) }

  private mutating func send(_ message: Message) -> UInt32 {
    defer { next &+= 1 }
    waiting.append((message, next))
    return next
  }

  /// Takes an answer.
  public mutating func take(_ reply: Reply) throws(Violation) -> Answer {
    guard reply.type.isReply else { throw .notAReply(reply.type) }
    if reply.type == .ending { return .ending }
    guard first < waiting.count, waiting[first].sequence == reply.sequence else {
      throw .outOfStep(
        reply.sequence, expected: first < waiting.count ? waiting[first].sequence : nil)
    }
    let message = waiting[first].message
    first += 1
    if first > 1024, first * 2 > waiting.count {
      waiting.removeFirst(first)
      first = 0
    }
    guard !reply.type.isFailure else { return .refused(reply.type, text: reply.text) }
    guard message != .opening else { return .opened }
    isAnswered = true
    guard message == .record else { return .heard }
    records -= 1
    return reply.type.isWarning ? .storedWithWarning(reply.type) : .stored
  }
}
