/// A sender's connections from the first to the last, as decisions: when to connect and to which
/// server, how much may be on its way, when to ask whether the server is there, and when to give a
/// connection up. It has no clock and no descriptor: times are those that it is told.
///
/// It goes on without end, and needs no record to come for it: a connection that is lost is made
/// again by the sender's own deadline. A record is done when a server says that it is stored; what
/// became of it otherwise, nobody knows, and it is sent again.
public struct Sender: Sendable {
  public struct Settings: Equatable, Sendable {
    public var servers: Int
    /// Messages on their way at most.
    public var window: Int
    /// How long a server may say nothing while messages are on their way.
    public var answerTime: Duration
    /// How long nothing is said before the server is asked for a word; `nil`: never asked.
    public var heartbeat: Duration?
    /// Between attempts, at first and at last.
    public var retry: ClosedRange<Duration>
    /// After how many tries of a record that is said.
    public var tries: Int
    /// Whether a connection begins by saying who this is.
    public var opens: Bool

    public init(
      servers: Int, window: Int, answerTime: Duration, heartbeat: Duration?,
      retry: ClosedRange<Duration>, tries: Int, opens: Bool = false
    ) {
      self.servers = servers
      self.window = window
      self.answerTime = answerTime
      self.heartbeat = heartbeat
      self.retry = retry
      self.tries = tries
      self.opens = opens
    }
  }

  /// What is to be done now.
  public enum Step: Equatable, Sendable {
    case connect(server: Int)
    case heartbeat(UInt32)
    /// A heartbeat that says who this is.
    case open(UInt32)
    case giveUp(Loss)
  }

  /// A record is stored.
  public struct Stored: Equatable, Sendable {
    /// What the server warns of.
    public var warning: MessageType?
  }

  /// What a loss means to those who watch.
  public struct Outlook: Equatable, Sendable {
    /// Records that were on their way and are sent again.
    public var again: Int
    /// How long nothing is tried.
    public var delay: Duration
    /// Whether the connection was of use for a while.
    public var wasOfUse: Bool
    /// Whether a record has been tried as often as the settings say, just now.
    public var isExhausted: Bool
  }

  private enum Phase: Equatable {
    /// Nothing is tried before that moment.
    case resting(until: Duration)
    case connecting
    case open
  }

  private let settings: Settings
  private var choice: ServerChoice
  private var phase: Phase
  private var window: SendingWindow
  private var number: UInt32 = 1
  /// When the connection was made, and when it last went forward.
  private var since = Duration.zero
  private var progress = Duration.zero
  private var wasAnswered = false
  private var hasOpened = false
  private var tries = 0

  /// - Parameter seed: of the random part of delays.
  public init(_ settings: Settings, seed: UInt64, now: Duration) {
    self.settings = settings
    choice = ServerChoice(
      servers: settings.servers, from: settings.retry.lowerBound, to: settings.retry.upperBound,
      seed: seed)
    phase = .resting(until: now)
    window = SendingWindow(limit: settings.window)
  }

  /// Records that are on their way.
  public var outstanding: Int { window.records }
  /// Whether a record may be sent now.
  public var hasRoom: Bool {
    phase == .open && window.hasRoom && (hasOpened || !settings.opens)
  }
  /// Whether a server has answered on this connection.
  public var isHeard: Bool { phase == .open && wasAnswered }

  /// What is to be done; to be asked again after each step, until there is none.
  public mutating func step(now: Duration) -> Step? {
    switch phase {
    case .resting(let until):
      guard now >= until else { return nil }
      phase = .connecting
      return .connect(server: choice.server)
    case .connecting: return nil
    case .open:
      if settings.opens, !hasOpened {
        hasOpened = true
        progress = now
        return .open(window.sendOpening())
      }
      if window.count > 0 {
        return now - progress >= settings.answerTime ? .giveUp(.silent(settings.answerTime)) : nil
      }
      guard let heartbeat = settings.heartbeat, now - progress >= heartbeat else { return nil }
      progress = now
      return .heartbeat(window.sendHeartbeat())
    }
  }

  /// When there will be something to do, if nothing comes before.
  public var deadline: Duration? {
    switch phase {
    case .resting(let until): until
    case .connecting: nil
    case .open where settings.opens && !hasOpened: since
    case .open:
      window.count > 0
        ? progress + settings.answerTime : settings.heartbeat.map { progress + $0 }
    }
  }

  /// The server can be talked to.
  public mutating func connected(now: Duration) {
    precondition(phase == .connecting, "a connection that nobody wanted")
    phase = .open
    since = now
    progress = now
    wasAnswered = false
    hasOpened = false
    window = SendingWindow(limit: settings.window, first: number)
  }

  /// Notes that a record is sent; its number, which is the given one if there is one.
  public mutating func sendRecord(as given: UInt32? = nil, now: Duration) -> UInt32 {
    precondition(hasRoom, "more is sent than may be on its way")
    if window.count == 0 { progress = now }
    number = window.sendRecord(as: given)
    defer { number &+= 1 }
    return number
  }

  /// Takes an answer: the first record without one is stored, or it is `nil` and about no record. A
  /// throw is to be followed by `lost`.
  public mutating func take(_ reply: Reply, now: Duration) throws(Loss) -> Stored? {
    let answer: SendingWindow.Answer
    do throws(Violation) {
      answer = try window.take(reply)
    } catch { throw .violation(error) }
    progress = now
    switch answer {
    case .ending: throw .ending
    case .refused(let type, let text): throw .refused(type, text: text)
    case .opened: return nil
    case .heard:
      wasAnswered = true
      return nil
    case .stored:
      wasAnswered = true
      tries = 0
      return Stored()
    case .storedWithWarning(let type):
      wasAnswered = true
      tries = 0
      return Stored(warning: type)
    }
  }

  /// The connection is lost, or could not be made: nothing is on its way any more.
  public mutating func lost(_ loss: Loss, now: Duration) -> Outlook {
    let again = window.records
    let isRefusal: Bool
    if case .refused = loss { isRefusal = true } else { isRefusal = false }
    // One that is lost as soon as it is there must not be made again without end.
    let wasOfUse =
      phase == .open && now - since >= settings.retry.lowerBound && !isRefusal
      && (wasAnswered || window.count == 0)
    let delay = choice.failed(wasOfUse: wasOfUse)
    phase = .resting(until: now + delay)
    window = SendingWindow(limit: settings.window, first: number)
    if !wasOfUse { tries += 1 }
    return Outlook(
      again: again, delay: delay, wasOfUse: wasOfUse,
      isExhausted: !wasOfUse && tries == settings.tries)
  }

  /// What the end of a connection means: whoever turns a peer away does so at once.
  public func meaning(ofEndAt now: Duration) -> Loss {
    phase == .open && !wasAnswered && now - since < .seconds(1) ? .turnedAway : .closed
  }
}
