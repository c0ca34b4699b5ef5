import Linux

/// From whom a keeper takes inputs, and when it is all over: a value without clock or descriptor.
///
/// Contract: `adopt` follows only a `sayTaken` that went out, and none once `isStopping`; then the
/// input is the worker's, or `endIsOurs` is false and the front goes on with it.
struct Succession: Equatable {
  enum Event: Equatable {
    /// A front offers its input; why it is none that this keeper can go on for.
    case offered(objection: String?)
    /// The front that was welcome has given its input.
    case handed
    /// That it is taken was said, or could not be: the front has shut the connection.
    case said(Bool)
    /// The front that was welcome is gone before that.
    case callerLost
    /// The front whose input was taken last is gone.
    case frontLost
    /// The worker has read the input to its end; whether its last record was auditd's farewell.
    case drained(isFarewell: Bool)
    /// The worker reads the next input.
    case wentOn
    /// The worker is dead: its successor reads the same input again.
    case workerDied
    /// No front can find this keeper.
    case unreachable
    /// Somebody else has asked for the end.
    case stopAsked
    case tick
  }

  enum Action: Equatable {
    case none
    case welcome
    case refuse(String)
    /// The front is not the one that was welcome.
    case hangUp
    case sayTaken
    case adopt
    /// The worker is to end, and the keeper with it.
    case stop(String)
    /// Both: whoever came needs the runtime folder, and the spool.
    case refuseAndStop(String)
  }

  /// Inputs that may wait for a worker.
  static let maximumUnread = 16

  /// How long an input that has ended is waited behind for the next one.
  private(set) var wait: Duration
  private(set) var hasFront = true
  private(set) var hasCaller = false
  /// Inputs that were taken, and that no worker reads yet.
  private(set) var unread = 0
  private(set) var isDrained = false
  private(set) var isStopping = false
  private(set) var isPassedBy = false
  /// When it is over unless somebody comes.
  private(set) var deadline: Moment?

  init(wait: Duration) { self.wait = wait }

  /// Whether the worker's end is the end for the front, too: no input was taken that nobody reads.
  var endIsOurs: Bool { unread == 0 }

  /// Takes what happened, and says what is to be done.
  mutating func handle(_ event: Event, now: Moment) -> Action {
    switch event {
    case .offered(let objection): return offered(objection, now)
    case .handed: return hasCaller && !isStopping && !hasFront ? .sayTaken : .hangUp
    case .said(let wasHeard):
      hasCaller = false
      guard wasHeard else {
        passBy(now)
        return .hangUp
      }
      hasFront = true
      unread += 1
      deadline = nil
      return .adopt
    case .callerLost:
      hasCaller = false
      passBy(now)
    case .frontLost: hasFront = false
    case .drained(let isFarewell):
      guard unread == 0, !isStopping else { return .none }
      isDrained = true
      if isFarewell { return stop("auditd has said that it stops") }
      deadline = deadline ?? now + wait
    case .wentOn:
      unread = max(0, unread - 1)
      isDrained = false
      deadline = nil
    case .workerDied: isDrained = false
    case .unreachable: letNobodyIn(now)
    case .stopAsked: _ = stop("")
    case .tick:
      guard let deadline, now >= deadline, !isStopping else { return .none }
      return stop("nobody has brought an input for \(wait.inSeconds) s")
    }
    return .none
  }

  private mutating func offered(_ objection: String?, _ now: Moment) -> Action {
    if isStopping { return .refuse("it is stopping") }
    if hasFront { return .refuse("another one is in front of it") }
    if isPassedBy { return .refuse("another one has its place") }
    if let objection {
      _ = stop("")
      return .refuseAndStop(objection)
    }
    if unread >= Self.maximumUnread {
      passBy(now)
      return .refuse("its worker does not read")
    }
    hasCaller = true
    return .welcome
  }

  /// A front has given up on this keeper, or may have: it has one of its own, whose worker waits for
  /// this one's end. None that comes later may be let in before that.
  private mutating func passBy(_ now: Moment) {
    if !hasFront { letNobodyIn(now) }
  }

  private mutating func letNobodyIn(_ now: Moment) {
    isPassedBy = true
    wait = .zero
    if isDrained, !isStopping { deadline = now }
  }

  private mutating func stop(_ reason: String) -> Action {
    isStopping = true
    hasCaller = false
    deadline = nil
    return .stop(reason)
  }
}
