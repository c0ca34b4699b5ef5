import Linux

/// When other hosts' records have their turn beside a source of this host's own; a value without
/// clock.
///
/// Records of this host that the log has not got are made again by a successor, from the ring, under
/// the numbers that they had. Records of other hosts are not in the ring: one among them would move
/// the numbers. So other hosts have their turn when the log has all that came from here. A busy source
/// could put that off for ever: after `patience` it rests, for `longestRest` of `period` at the most,
/// so that the log can catch up. With a disk that takes longer than that nobody is held up but
/// other hosts, which keep what they send.
struct Turns {
  static let patience = Duration.milliseconds(5)
  static let longestRest = Duration.milliseconds(20)
  static let period = Duration.milliseconds(100)

  private enum State {
    case idle
    /// The log is waited for; this host's source may rest from then on.
    case waiting(mayRest: Moment)
    case resting(since: Moment)
  }

  private var state = State.idle
  /// Since when other hosts wait.
  private(set) var since: Moment?

  /// Whether nothing is read of this host's source now.
  var holdsSource: Bool { if case .resting = state { true } else { false } }

  /// Whether other hosts have their turn; until it is taken this host's source rests.
  ///
  /// - Parameter isSettled: the log has all that came from this host.
  mutating func look(isSettled: Bool, _ now: Moment) -> Bool {
    if isSettled {
      if !holdsSource { state = .resting(since: now) }
      return true
    }
    since = since ?? now
    switch state {
    case .idle: state = .waiting(mayRest: now + Self.patience)
    case .waiting(let mayRest): if now >= mayRest { state = .resting(since: now) }
    case .resting(let began):
      if now - began >= Self.longestRest {
        state = .waiting(mayRest: began + Self.period)
      }
    }
    return false
  }

  /// Other hosts had their turn, or have none to take any more: this host's source goes on.
  mutating func end() { self = Turns() }
}
