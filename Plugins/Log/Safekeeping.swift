import AudispatchPlugin
import Linux

/// How far what is written is on the disk: what a thread makes safe, since when something is not, and
/// what may be missing though the system takes it for clean.
struct Safekeeping {
  /// The incremental modes synchronise after `freq` records, but not more often than this.
  private static let syncEvery = Duration.milliseconds(20)

  private let thread: SyncThread
  /// What the thread makes safe.
  private(set) var underWay: (bytes: Int, token: DeliveryToken?)?
  /// What may not be on the disk though the system takes it for clean.
  private(set) var doubtful: LogFile.Tail?
  private var lastSync = Duration.zero
  /// When the oldest record that is not safe was written.
  private var unsafeSince: Duration?
  private var confirmed: DeliveryToken?

  /// Starts the thread, which ends with `end`.
  init() throws(SystemError) {
    thread = try SyncThread()
    _ = try WorkThread(thread)
  }

  /// Readable when the thread has an outcome.
  var number: Int32 { thread.number }
  func end() { thread.end() }

  /// Something was written that is not safe yet.
  mutating func wrote() { unsafeSince = unsafeSince ?? MonotonicTime.now }
  /// Nothing is unsafe any more.
  mutating func allIsSafe() { unsafeSince = nil }

  /// When what is written is to be made safe: after `freq` records, but not more often than is
  /// reasonable, and no record waits longer than a second. `nil`: nothing is to be.
  func deadline(_ held: HeldRecords, frequency: Int) -> Duration? {
    guard underWay == nil, held.written > 0, let unsafeSince else { return nil }
    return held.records >= frequency
      ? max(unsafeSince, lastSync + Self.syncEvery) : unsafeSince + .seconds(1)
  }

  /// What is written becomes safe, or is about to.
  mutating func noteSync() {
    unsafeSince = nil
    lastSync = MonotonicTime.now
  }

  /// Has the thread make safe what is written.
  mutating func begin(_ held: HeldRecords, in file: Int32) {
    underWay = (held.written, held.lastWritten)
    noteSync()
    thread.start(file)
  }

  /// The thread's outcome; `nil` while it is at work.
  func outcome() -> SyncThread.Outcome? { underWay == nil ? nil : thread.take() }
  /// The same, which is waited for; `nil` where nothing is under way.
  func awaitedOutcome() -> SyncThread.Outcome? { underWay == nil ? nil : thread.wait() }

  /// The thread is done with that.
  mutating func finish() -> (bytes: Int, token: DeliveryToken?)? { underWay.take() }

  /// The end of a file may not be on the disk.
  mutating func doubt(_ tail: LogFile.Tail?) { doubtful = tail }

  /// Whether that was not confirmed yet; from now on it is.
  mutating func confirms(_ token: DeliveryToken?) -> DeliveryToken? {
    guard let token, token != confirmed else { return nil }
    confirmed = token
    return token
  }
}
