import Linux

/// What the one epoll loop gives to all: its descriptors, its time, and where messages go.
///
/// Whoever waits for a moment states it with `wake`, and is asked when it has come.
final class Loop {
  private(set) var poller: Poller
  /// When this turn began.
  private(set) var now = Moment.now
  let started = Moment.now
  private var deadlines = Deadlines()
  private var messages = Messages(program: "audispatchd", neverWaits: true)

  init() throws(SystemError) {
    poller = try Poller()
    wakeAll()
  }

  // MARK: Time

  /// Whether anybody's moment has come.
  var isDue: Bool { now >= deadlines.least }

  /// Forgets the deadlines that have come: whoever still waits for something states it anew.
  func takeDue() -> Deadlines.Due { deadlines.takeDue(now) }

  /// Has a waiter asked at that moment at the latest.
  func wake(_ waiter: Waiter, at moment: Moment) { deadlines.state(waiter, moment) }
  func wake(_ waiter: Waiter, in duration: Duration) { wake(waiter, at: now + duration) }

  /// Something has happened for which anybody may have waited: all are asked in the next turn.
  func wakeAll() { wake(.everybody, at: now) }

  /// Records came, or wait: all look after them within a second.
  @inline(__always)
  func wakeAllSoon() {
    wake(.everybody, at: Moment(nanoseconds: now.nanoseconds + 1_000_000_000))
  }

  /// Whether a waiter's moment has come; if not, it is asked when it has.
  func hasCome(_ moment: Moment, _ waiter: Waiter) -> Bool {
    if now >= moment { return true }
    wake(waiter, at: moment)
    return false
  }

  /// Time has passed in the midst of a turn.
  func readClock() { now = .now }

  // MARK: Descriptors

  /// Waits for descriptors, until somebody is due, or `other` is.
  ///
  /// - Returns: how many `event(_:)` there are.
  func wait(orUntil other: Moment?) -> Int {
    let first = min(deadlines.least, other ?? deadlines.least, now + .seconds(3600))
    return wait(nanoseconds: max(0, first.nanoseconds - Moment.now.nanoseconds))
  }

  /// Looks which descriptors are ready, without waiting.
  func look() -> Int { wait(nanoseconds: 0) }

  private func wait(nanoseconds: Int64) -> Int {
    let count = poller.wait(nanoseconds: nanoseconds)
    now = .now
    return count
  }

  /// Waits for that at a descriptor that is waited for, or was not.
  ///
  /// - Returns: whether it is waited for now.
  func waitFor(_ fd: Int32, _ token: Token, _ interest: Interest) -> Bool {
    poller.add(fd, token, interest) || poller.change(fd, token, interest)
  }

  // MARK: Messages

  var messagesLost: Int { messages.lost }

  func say(_ severity: Severity, _ text: String) { messages.write(severity, text) }

  /// Has all that was said written, as far as that can be waited for.
  func finishMessages() { messages.finish() }
}
