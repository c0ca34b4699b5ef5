import Linux

/// What the one epoll loop gives to all: its descriptors, its time, and where messages go.
///
/// Whoever waits for a moment says so with `wake`; then everybody is asked what is due.
final class Loop {
  private(set) var poller: Poller
  /// When this turn began.
  private(set) var now = Moment.now
  let started = Moment.now
  private var due = Moment.now
  private var messages = Messages(program: "audispatchd", neverWaits: true)

  init() throws(SystemError) { poller = try Poller() }

  // MARK: Time

  var isDue: Bool { now >= due }

  /// Begins to ask everybody: whoever waits for something says so anew.
  func beginRound() { due = now + .seconds(3600) }

  /// Has everybody asked at that moment at the latest.
  func wake(at moment: Moment) { if moment < due { due = moment } }
  func wake(in duration: Duration) { wake(at: now + duration) }
  func wakeNow() { wake(at: now) }

  /// `wake(in: .seconds(1))`, of every batch.
  @inline(__always)
  func wakeSoon() { wake(at: Moment(nanoseconds: now.nanoseconds + 1_000_000_000)) }

  /// Whether a moment has come; if not, everybody is asked when it has.
  func hasCome(_ moment: Moment) -> Bool {
    if now >= moment { return true }
    wake(at: moment)
    return false
  }

  /// Time has passed in the midst of a turn.
  func readClock() { now = .now }

  // MARK: Descriptors

  /// Waits for descriptors, until somebody is due, or `other` is.
  ///
  /// - Returns: how many `event(_:)` there are.
  func wait(orUntil other: Moment?) -> Int {
    wait(nanoseconds: max(0, min(due, other ?? due).nanoseconds - Moment.now.nanoseconds))
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
  func waitFor(_ fd: Int32, _ token: UInt64, _ interest: Interest) -> Bool {
    poller.add(fd, token, interest) || poller.change(fd, token, interest)
  }

  // MARK: Messages

  var messagesLost: Int { messages.lost }

  func say(_ severity: Severity, _ text: String) { messages.write(severity, text) }

  /// Has all that was said written, as far as that can be waited for.
  func finishMessages() { messages.finish() }
}
