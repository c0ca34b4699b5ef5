import Linux

/// How the dispatcher ends: what is still read, when the plugins are stopped, and with which status.
///
/// A value without clock or descriptor. Contract: the states follow each other in the order in which
/// they stand here, none is left out, and none is come back to.
struct Shutdown: Equatable {
  enum State: Equatable {
    case running
    /// The input is read for what it still has, until then at the latest.
    case readingRest(until: Moment)
    /// The input is closed. Plugins still run, at most until then: first it must be known what each of
    /// them is to get.
    case settling(until: Moment)
    /// The plugins drain and end.
    case stopping
    case done
  }

  enum Event: Equatable {
    /// Somebody asks for the end, or there is no more input.
    case stop
    /// All files of a replay were read: it ends when every plugin has everything.
    case replayRead
    /// Something was lost that a replay promises not to lose.
    case lost
    /// The input has nothing more now.
    case inputIsEmpty
    /// It is known what every plugin is to get, and none of it can be anybody else's.
    case pluginsAreSettled
    /// Nothing of any plugin is left to do.
    case pluginsHaveEnded
    case tick
  }

  enum Action: Equatable {
    case none
    /// Nothing new is begun; the input is read for the last time.
    case readRest
    case closeInput
  }

  /// How long the input is read for what it still has.
  static let rest = Duration.seconds(1)
  /// How long the end waits for the runtime folder and the spool. A predecessor whose plugins do not
  /// end takes 11 s.
  static let settling = Duration.seconds(20)

  private(set) var state = State.running
  private(set) var isReplayRead = false
  /// A replay could not give every plugin everything.
  private(set) var isIncomplete = false

  var isRunning: Bool { state == .running }
  var isDone: Bool { state == .done }
  var stopsPlugins: Bool { state == .stopping }
  var endsWhenDelivered: Bool { isRunning && isReplayRead }

  /// Whether the input is read.
  var readsInput: Bool {
    switch state {
    case .running, .readingRest: true
    case .settling, .stopping, .done: false
    }
  }

  /// When to look again at what is waited for; `nil`: something else wakes us.
  func nextLook(_ now: Moment) -> Moment? {
    switch state {
    case .readingRest: now + .milliseconds(1)
    case .settling: now + .milliseconds(20)
    case .running: isReplayRead ? now + .milliseconds(2) : nil
    case .stopping, .done: nil
    }
  }

  /// Takes what happened, and says what is to be done.
  mutating func handle(_ event: Event, now: Moment) -> Action {
    switch (state, event) {
    case (_, .lost): isIncomplete = true
    case (.running, .replayRead): isReplayRead = true
    case (.running, .stop):
      state = .readingRest(until: now + Self.rest)
      return .readRest
    case (.readingRest, .inputIsEmpty): return closeInput(now)
    case (.readingRest(let until), .tick) where now >= until: return closeInput(now)
    case (.settling, .pluginsAreSettled): state = .stopping
    case (.settling(let until), .tick) where now >= until: state = .stopping
    case (.stopping, .pluginsHaveEnded): state = .done
    default: break
    }
    return .none
  }

  private mutating func closeInput(_ now: Moment) -> Action {
    state = .settling(until: now + Self.settling)
    return .closeInput
  }
}
