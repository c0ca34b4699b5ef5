import Configuration
import Journal
import Linux

/// Whether a plugin reads what waits for it.
struct ReadingProgress {
  private var delivered: UInt64 = 0
  /// When it was last seen to read, or had nothing to read.
  private(set) var since: Moment
  /// That it reads nothing was said.
  private(set) var isStalled = false

  init(_ now: Moment) { since = now }

  /// A predecessor had counted so many.
  mutating func adopt(_ delivered: UInt64) { self.delivered = delivered }

  /// Another child reads from here on.
  mutating func begins(at delivered: UInt64, _ now: Moment) {
    self.delivered = delivered
    since = now
  }

  mutating func look(_ counters: Counters, _ now: Moment) {
    guard counters.delivered > delivered || counters.queued == 0 else { return }
    delivered = counters.delivered
    since = now
    isStalled = false
  }

  /// Whether it has read nothing for that time; once.
  ///
  /// - Parameter timeout: zero: never.
  mutating func beginsToStall(after timeout: Duration, _ now: Moment) -> Bool {
    guard timeout > .zero, !isStalled, now - since >= timeout else { return false }
    isStalled = true
    return true
  }

  /// It cannot be expected to read now.
  mutating func excuse(_ now: Moment) { since = now }
}

/// When a plugin is looked at and waited for, so that one that does not read costs little.
struct ReadingPace {
  private var nextLook = Moment(nanoseconds: 0)
  private var nextLoad = Moment(nanoseconds: 0)
  /// It has read since it was last waited for in vain.
  private(set) var isWorthWaitingFor = true
  /// Behind the last byte that it was seen to have read when it had as much unread as may be; `nil`: it never had.
  private var readWhenFull: StreamOffset?
  private var fullPause = DoublingPause(from: .milliseconds(1), to: .seconds(1))
  private var nextWrite = Moment(nanoseconds: 0)

  mutating func sawReading() { isWorthWaitingFor = true }
  mutating func waited(inVain: Bool) { isWorthWaitingFor = !inVain }

  /// Whether an overflowing queue is looked at now: a thousand times a second at most.
  mutating func beginLook(_ now: Moment) -> Bool {
    guard now >= nextLook else { return false }
    nextLook = now + .milliseconds(1)
    return true
  }

  /// When one is written to again that has as much unread as may be: less and less often while it
  /// reads nothing.
  ///
  /// - Parameter read: behind the last byte of its stream that it has read.
  mutating func writesAgain(read: StreamOffset, _ now: Moment) -> Moment {
    if read != readWhenFull {
      readWhenFull = read
      fullPause.reset()
      nextWrite = now + fullPause.next()
    } else if now >= nextWrite {
      nextWrite = now + fullPause.next()
    }
    return nextWrite
  }

  /// What lies on disk only could not be read.
  mutating func couldNotLoad(_ now: Moment) { nextLoad = now + .seconds(1) }
  func mayLoad(_ now: Moment) -> Bool { now >= nextLoad }
}

/// What was said of records that a plugin lost, and done about it.
struct LossReport {
  private var said = Counters()
  /// Died with a predecessor, and other hosts send them again: nothing is said of those.
  private var comingAgain: UInt64 = 0
  private var rate = RateLimit(every: .seconds(10))
  /// `single` or `halt` was executed for the overflow that lasts.
  private var hasActed = false
  /// Records that were said to be left to a later start.
  private var left: UInt64?

  func isBehind(_ counters: Counters) -> Bool { counters.dropped > said.dropped }

  /// All drops up to here were said.
  mutating func wereSaid(_ counters: Counters) {
    said = counters
    comingAgain = 0
  }

  mutating func comeAgain(_ records: UInt64) { comingAgain += records }

  /// What to say of what was dropped since, at a steady low rate; `nil`: nothing now.
  ///
  /// - Parameter isLast: nothing will be said later.
  mutating func news(
    _ counters: Counters, _ action: OverflowAction, _ now: Moment, isLast: Bool = false
  ) -> String? {
    let saysOverflow = action == .syslog || action.isDurable
    let news = DropReason.allCases.compactMap { reason in
      let dropped = counters[reason] - said[reason]
      let count = reason == .dispatcherDied ? dropped - min(dropped, comingAgain) : dropped
      let isSaid = saysOverflow || reason != .queueFull && reason != .suspended
      return count > 0 && isSaid ? "\(count) \(reason.name)" : nil
    }
    guard !news.isEmpty else {
      wereSaid(counters)
      return nil
    }
    guard rate.pass(now) != nil || isLast else { return nil }
    wereSaid(counters)
    return "records dropped: \(news.joined(separator: ", ")); \(counters.dropped) in all, "
      + "\(counters.queued) are queued"
  }

  /// Whether the action of an overflow that has begun is due.
  mutating func beginAction() -> Bool {
    defer { hasActed = true }
    return !hasActed
  }

  mutating func overflowEnded() { hasActed = false }

  /// Whether what is left for a later start is another number than was said.
  func isNews(left: UInt64) -> Bool { self.left != left }
  mutating func said(left: UInt64) { self.left = left }
}
