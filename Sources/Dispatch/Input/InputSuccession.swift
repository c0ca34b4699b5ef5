import Linux

/// When a worker goes on with the next input: a value without clock or descriptor.
struct InputSuccession: Equatable {
  enum Step: Equatable {
    case nothing
    case look(at: Moment)
    /// The present input ends: what was written to it by now is still read.
    case cut
    case goOn
    /// Nobody will bring another one.
    case stop
  }

  /// How long the next input may wait for the present one's end, or for the log to have all of that.
  static let patience = Duration.seconds(1)
  /// A keeper says when it is over, unless it hangs.
  static let keepersPatience = Duration.seconds(2)

  private(set) var wait: Duration?
  /// When the present input ended.
  private(set) var endedAt: Moment?
  /// When the next one came, or the present one was cut for it.
  private var cameAt: Moment?

  init(wait: Duration?) { self.wait = wait }

  mutating func came(_ now: Moment) {
    if cameAt == nil { cameAt = now }
  }

  mutating func presentEnded(_ now: Moment) { endedAt = now }
  mutating func wasCut(_ now: Moment) { cameAt = now }

  /// - Parameter waiting: inputs that are left.
  mutating func wentOn(waiting: Int) {
    cameAt = waiting > 0 ? endedAt : nil
    endedAt = nil
  }

  mutating func keeperIsGone() { wait = nil }

  /// What is to be done.
  ///
  /// - Parameters:
  ///   - waiting: inputs that came and are not read.
  ///   - isSettled: the log has all of the present input.
  ///   - keeperHears: it can be told at once.
  func step(_ now: Moment, waiting: Int, isSettled: Bool, keeperHears: Bool) -> Step {
    guard waiting > 0 else {
      guard let endedAt else { return .nothing }
      guard let wait else { return .stop }
      let end = endedAt + wait + Self.keepersPatience
      return now >= end ? .stop : .look(at: end)
    }
    guard let endedAt else {
      let end = (cameAt ?? now) + Self.patience
      return now >= end ? .cut : .look(at: end)
    }
    let end = max(endedAt, cameAt ?? endedAt) + Self.patience
    return keeperHears && isSettled || now >= end
      ? .goOn : .look(at: min(end, now + .milliseconds(1)))
  }
}
