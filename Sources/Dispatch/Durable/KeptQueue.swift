import Journal
import Linux

/// What the log has for a plugin that is not active.
struct KeptQueue {
  /// The records that it is to get, in the journal's numbers.
  let records: [Range<RecordNumber>]
  /// The number of the first of them in its stream.
  let number: StreamNumber
  /// From here on it is to get nothing while it is not active; `nil` until the log was told so.
  fileprivate(set) var leftOutFrom: RecordNumber?
  /// When it was seen to be gone, in seconds since 1970.
  private(set) var since: UInt64
  /// For how long it had been gone when this process saw it, and when that was: from then on only
  /// the monotonic clock counts, whatever happens to the calendar's.
  private var goneBefore: Duration = .zero
  private var seen = Moment.now

  var count: UInt64 { records.reduce(0) { $0 + UInt64($1.count) } }

  /// The records below a number.
  func records(below end: RecordNumber) -> [Range<RecordNumber>] {
    records.filter { $0.lowerBound < end }.map { $0.lowerBound..<min($0.upperBound, end) }
  }

  /// - Parameter end: behind the last record of the log.
  init(_ cursor: SpoolCursor, of spool: Spool, end: RecordNumber, now: UInt64) {
    let end = spool.logged(end)
    records = cursor.wanted(of: cursor.next..<max(cursor.next, end)).map {
      spool.number($0.lowerBound)..<spool.number($0.upperBound)
    }
    number = cursor.number
    if let last = cursor.holes.last, last.upperBound == .max {
      leftOutFrom = spool.number(last.lowerBound)
    }
    // A clock that was not set yet says nothing.
    since = (1_600_000_000...now).contains(cursor.seconds) ? cursor.seconds : now
    goneBefore = .seconds(Int64(clamping: now - since))
  }

  init(records: [Range<RecordNumber>], number: StreamNumber, now: UInt64) {
    self.records = records
    self.number = number
    since = now
  }

  /// Seconds since 1970.
  static var seconds: UInt64 { UInt64(max(0, WallClock.milliseconds / 1000)) }

  /// It is gone from now on.
  mutating func begins(at seconds: UInt64) {
    since = seconds
    goneBefore = .zero
    seen = .now
  }

  /// For how long it has been gone.
  func age(_ now: Moment) -> Duration { goneBefore + (now - seen) }
}

/// What the log has for plugins that are not active: kept for a time, reported, given up.
final class KeptQueues {
  private var queues: [String: KeptQueue] = [:]
  /// Records of plugins that were gone for too long.
  private(set) var givenUp: UInt64 = 0

  /// In the order of their names.
  var all: [(name: String, queue: KeptQueue)] {
    queues.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  func keep(_ queue: KeptQueue, of plugin: String) { queues[plugin] = queue }

  /// The plugin is active again.
  func take(_ plugin: String) -> KeptQueue? { queues.removeValue(forKey: plugin) }

  /// The log is told to keep nothing for a plugin from that record on; `nil` when it was, or has
  /// nothing of it.
  func leaveBehind(_ plugin: String, from end: RecordNumber) -> KeptQueue? {
    guard var queue = queues[plugin], queue.leftOutFrom == nil else { return nil }
    queue.leftOutFrom = end
    queue.begins(at: KeptQueue.seconds)
    queues[plugin] = queue
    return queue
  }

  /// Gives up what was kept for its time.
  func giveUp(after limit: Duration, _ now: Moment) -> [(name: String, queue: KeptQueue)] {
    let old = all.filter { $0.queue.age(now) >= limit }
    for (name, queue) in old {
      queues[name] = nil
      givenUp += queue.count
    }
    return old
  }

  /// Gives up what is kept for a plugin; `nil`: nothing is.
  func discard(_ plugin: String) -> KeptQueue? {
    let queue = queues.removeValue(forKey: plugin)
    givenUp += queue?.count ?? 0
    return queue
  }

  /// For how long the oldest has been kept.
  func longestAge(_ now: Moment) -> Duration? { queues.values.map { $0.age(now) }.max() }
}
