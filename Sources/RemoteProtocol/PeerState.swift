/// One peer's connection as decisions: how long it may take to shake hands, to send its first whole
/// message, and to say nothing; and whether more of it is read. It has no clock and no descriptor:
/// times are those that it is told.
public struct PeerState: Sendable {
  public struct Limits: Equatable, Sendable {
    public var handshake: Duration
    public var firstMessage: Duration
    /// How long a peer that has sent a message may say nothing; `nil`: without end, as the kernel
    /// finds out who is gone.
    public var idle: Duration?
    /// How long a message that has begun may take.
    public var wholeMessage: Duration
    /// Messages without an answer, and bytes of answers that it does not take, from which on no more
    /// is read.
    public var unanswered: Int
    public var untaken: Int

    public init(
      handshake: Duration = .seconds(5), firstMessage: Duration = .seconds(30),
      idle: Duration? = nil, wholeMessage: Duration = .seconds(60), unanswered: Int = 2048,
      untaken: Int = 32 << 10
    ) {
      self.handshake = handshake
      self.firstMessage = firstMessage
      self.idle = idle
      self.wholeMessage = wholeMessage
      self.unanswered = unanswered
      self.untaken = untaken
    }
  }

  private enum Phase: Equatable, Sendable {
    case shaking(since: Duration)
    /// It has sent no whole message.
    case new(since: Duration)
    case open
    /// It was told that this receiver ends.
    case ending
  }

  private var phase: Phase
  /// When it last sent anything.
  public private(set) var heard: Duration
  /// When the message began that is not whole.
  private var begun: Duration?

  public init(shakesHands: Bool, now: Duration) {
    phase = shakesHands ? .shaking(since: now) : .new(since: now)
    heard = now
  }

  public var isShaking: Bool { if case .shaking = phase { true } else { false } }
  /// Whether it has sent no whole message yet, nor was told of the end.
  public var isNew: Bool {
    switch phase {
    case .shaking, .new: true
    case .open, .ending: false
    }
  }
  /// Whether it has sent a whole message.
  public var isOpen: Bool { phase == .open }
  public var isEnding: Bool { phase == .ending }

  /// Hands are shaken.
  public mutating func shaken(now: Duration) {
    guard isShaking else { return }
    phase = .new(since: now)
    heard = now
  }

  /// Bytes came.
  ///
  /// - Parameters:
  ///   - messages: how many messages became whole by them.
  ///   - isWhole: whether nothing is left that is not a whole message.
  public mutating func took(messages: Int, isWhole: Bool, now: Duration) {
    heard = now
    if messages > 0, case .new = phase { phase = .open }
    begun = isWhole ? nil : messages > 0 ? now : begun ?? now
  }

  /// It is told that this receiver ends.
  public mutating func end() { phase = .ending }

  /// Whether more of it may be read.
  public func mayRead(unanswered: Int, untaken: Int, _ limits: Limits) -> Bool {
    !isEnding && unanswered < limits.unanswered && untaken < limits.untaken
  }

  /// Why it is let go now; `nil`: it is not.
  ///
  /// - Parameter unanswered: messages; while there are any it is not idle, as it waits for us.
  public func end(now: Duration, unanswered: Int, _ limits: Limits) -> PeerEnd? {
    guard let deadline = deadline(unanswered: unanswered, limits), now >= deadline else {
      return nil
    }
    switch phase {
    case .shaking: return .noHandshake(limits.handshake)
    case .new: return .noMessage(limits.firstMessage)
    case .open:
      if let begun, now >= begun + limits.wholeMessage { return .cutMessage(limits.wholeMessage) }
      return limits.idle.map { .idle($0) }
    case .ending: return nil
    }
  }

  /// When `end` may have something to say, if nothing comes before.
  public func deadline(unanswered: Int, _ limits: Limits) -> Duration? {
    switch phase {
    case .shaking(let since): return since + limits.handshake
    case .new(let since): return since + limits.firstMessage
    case .open:
      if let begun { return begun + limits.wholeMessage }
      guard unanswered == 0 else { return nil }
      return limits.idle.map { heard + $0 }
    case .ending: return nil
    }
  }
}

/// Why a connection of a peer ends.
public enum PeerEnd: Error, Equatable, Sendable, CustomStringConvertible {
  case noHandshake(Duration)
  case noMessage(Duration)
  case cutMessage(Duration)
  case idle(Duration)
  /// It closed it, in the midst of a message or between two.
  case closed(inMessage: Bool)
  case broken(String)
  /// It would not be let in any more.
  case unwanted(String)
  case fault(PeerFault)
  /// Another connection took its place.
  case replaced
  /// It had said nothing, and another one was to have its place.
  case gaveWay
  /// Nothing can be stored now.
  case holding
  /// This receiver ends.
  case finished

  public var description: String {
    switch self {
    case .noHandshake(let time): "did not shake hands within \(time.components.seconds) s"
    case .noMessage(let time): "sent no message within \(time.components.seconds) s"
    case .cutMessage(let time):
      "sent no more of a message that it had begun, for \(time.components.seconds) s"
    case .idle(let time): "was silent for \(time.components.seconds) s (tcp_client_max_idle)"
    case .closed(inMessage: true): "closed the connection in the midst of a message"
    case .closed: "closed the connection"
    case .broken(let reason), .unwanted(let reason): reason
    case .fault(let fault): fault.description
    case .replaced: "came again over another connection"
    case .gaveWay: "had said nothing yet, and gave its place to another peer"
    case .holding: "was told to come again: nothing can be stored now"
    case .finished: "was told that this receiver ends"
    }
  }

  /// Whether it is the peer's fault, and to be said as a warning.
  public var isFault: Bool {
    switch self {
    case .noHandshake, .noMessage, .cutMessage, .gaveWay, .unwanted, .fault,
      .closed(inMessage: true):
      true
    case .idle, .closed, .broken, .replaced, .holding, .finished: false
    }
  }
}
