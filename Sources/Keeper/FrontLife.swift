import Linux

/// What a front does, as a value without clock or descriptor.
///
/// It looks for a keeper of an earlier front, hands its input over to it, or starts one of its own;
/// then it stays only to be waited for. Contract: whatever comes, the input has a reader when the front
/// has ended with 0, or `Action.end` has another status; `start` is asked for only while no keeper has
/// the input.
struct FrontLife: Equatable {
  enum State: Equatable {
    case beginning
    /// The keeper is to say whether it goes on for us.
    case offering(since: Moment, look: Moment)
    /// It has been given the input, and is to say that it is its own.
    case handing(since: Moment, look: Moment)
    /// The connection was shut: what was said before that still counts.
    case hungUp(gave: Bool)
    /// A keeper of our own is to be started.
    case starting(at: Moment)
    /// The input has a keeper, since then.
    case served(since: Moment)
    case ended(Int32)
  }

  enum Event: Equatable {
    /// Whether somebody listens at `keeper.sock`.
    case began(hasKeeper: Bool)
    case said(KeeperWord)
    /// The other end is gone: of the connection, or of the link, with keeper and worker.
    case lost
    /// What was left to be read of a connection that was shut.
    case lastWord(KeeperWord?)
    /// A keeper of our own was started, or could not be.
    case started(Bool)
    /// Nothing will follow in the input.
    case inputEnded
    /// So much waits in the input that auditd may soon have to wait.
    case inputFills
    case signal(Signal)
    case tick
  }

  enum Signal: Equatable {
    case stop
    /// For the worker.
    case other(Int32)
  }

  enum Action: Equatable {
    case offer
    case handOver
    /// Looks whether `inputFills`.
    case lookAtInput
    /// Shuts the connection and reads once more, for `lastWord`.
    case hangUp
    case start
    case tell(Int32)
    case end(Int32)
  }

  /// How long a keeper may take for each answer, if auditd waits for it: to be rid of this front, or
  /// for room in the input.
  static let patience = Duration.milliseconds(100)
  /// How long it may take if auditd does not: the keeper that is given up instead has its plugins end
  /// before those of another one may start.
  static let longPatience = Duration.seconds(1)
  /// How often it is then looked whether auditd has to wait.
  private static let look = Duration.milliseconds(10)
  /// A keeper that is lost sooner is not replaced at once again and again.
  private static let shortLife = Duration.seconds(1)
  /// Starts that fail before a front that is to end gives up.
  private static let maximumFailures = 3

  private(set) var state = State.beginning
  /// It is to end as soon as the input has a reader.
  private var isLeaving = false
  /// Signals that came before anybody could be told of them, each once.
  private var held: [Int32] = []
  private var failures = 0

  /// When to look again without anything having come.
  var deadline: Moment? {
    switch state {
    case .offering(_, let moment), .handing(_, let moment), .starting(let moment): moment
    case .beginning, .hungUp, .served, .ended: nil
    }
  }

  /// Takes what happened, and says what is to be done, in order.
  mutating func handle(_ event: Event, now: Moment) -> [Action] {
    if case .ended = state { return [] }
    switch (state, event) {
    case (.beginning, .began(let hasKeeper)):
      guard hasKeeper else { return start(now) }
      state = .offering(since: now, look: now + Self.patience)
      return [.offer]
    case (.offering, .said(.welcome)):
      state = .handing(since: now, look: now + Self.patience)
      return [.handOver]
    case (.handing, .said(.taken)), (.hungUp(gave: true), .lastWord(.taken)): return served(now)
    case (.offering, .said), (.offering, .lost): return hangUp(gave: false)
    case (.handing, .said), (.handing, .lost): return hangUp(gave: true)
    case (.offering(let since, let look), .tick) where now >= look:
      return stillWaits(since, now, gave: false)
    case (.handing(let since, let look), .tick) where now >= look:
      return stillWaits(since, now, gave: true)
    case (.offering, .inputFills): return hangUp(gave: false)
    case (.handing, .inputFills): return hangUp(gave: true)
    case (.hungUp, .lastWord): return start(now)
    case (.starting, .started(true)): return served(now)
    case (.starting, .started(false)): return failed(now)
    case (.starting(let at), .tick) where now >= at: return start(now)
    case (.served, .said(.end(let status))): return end(status)
    case (.served(let since), .lost): return lost(since, now)
    case (.served, .inputEnded), (.served, .signal(.stop)): return end(0)
    case (.served, .signal(.other(let number))): return [.tell(number)]
    case (_, .inputEnded), (_, .signal(.stop)): isLeaving = true
    case (_, .signal(.other(let number))): if !held.contains(number) { held.append(number) }
    default: break
    }
    return []
  }

  private mutating func stillWaits(_ since: Moment, _ now: Moment, gave: Bool) -> [Action] {
    guard !isLeaving, now - since < Self.longPatience else { return hangUp(gave: gave) }
    let look = now + Self.look
    state = gave ? .handing(since: since, look: look) : .offering(since: since, look: look)
    return [.lookAtInput]
  }

  private mutating func hangUp(gave: Bool) -> [Action] {
    state = .hungUp(gave: gave)
    return [.hangUp]
  }

  private mutating func start(_ now: Moment) -> [Action] {
    state = .starting(at: now)
    return [.start]
  }

  private mutating func served(_ now: Moment) -> [Action] {
    state = .served(since: now)
    defer { held = [] }
    let told = held.map { Action.tell($0) }
    return isLeaving ? told + end(0) : told
  }

  private mutating func end(_ status: Int32) -> [Action] {
    state = .ended(status)
    return [.end(status)]
  }

  private mutating func failed(_ now: Moment) -> [Action] {
    failures += 1
    if isLeaving, failures >= Self.maximumFailures { return end(1) }
    state = .starting(at: now + delay)
    return []
  }

  /// Keeper and worker are gone; what they had not read is still in our descriptor.
  private mutating func lost(_ since: Moment, _ now: Moment) -> [Action] {
    if now - since >= Self.shortLife { failures = 0 }
    defer { failures += 1 }
    guard failures > 0 else { return start(now) }
    state = .starting(at: now + delay)
    return []
  }

  private var delay: Duration {
    min(.milliseconds(50) * (1 << min(max(failures, 1) - 1, 8)), .seconds(5))
  }
}
