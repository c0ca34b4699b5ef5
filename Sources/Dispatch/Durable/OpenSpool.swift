import DequeModule
import Journal
import Linux

/// The spool and what the dispatcher knows of it: which records of its journal it has, and what
/// was said of each durable plugin last.
///
/// Contract: records are handed over in order and once; what `pending` has may not be in the log.
final class OpenSpool {
  enum State: Equatable {
    /// Its folder is being opened; records wait in memory, to be appended then.
    case opening
    case open
    /// The disk takes nothing now; tried again at that moment.
    case failed(retry: Moment)
    /// It cannot be used at all.
    case unusable

    var name: String {
      switch self {
      case .opening: "opening"
      case .open: "open"
      case .failed: "failed"
      case .unusable: "unusable"
      }
    }
  }

  /// What the log was told of a plugin.
  private struct Told: Equatable {
    var next: RecordNumber
    var number: StreamNumber
  }

  private static let pause = Duration.seconds(5)

  let spool: Spool
  /// What the log has, for all queues.
  let log = LogKnowledge()
  private(set) var state = State.opening
  /// What came of the last try after a failure is not known yet.
  private var isRetrying = false
  /// Taken in while the spool was being opened.
  private var early: [(slice: Journal.Slice, nextEvent: EventNumber)] = []
  /// Handed to the log and perhaps not in it yet.
  private var pending: Deque<Journal.Slice> = []
  /// Where plugins stood when it was opened, in its own numbers.
  private(set) var cursors: [String: SpoolCursor] = [:]
  private var told: [String: Told] = [:]
  /// The first record of the journal that the log has.
  private(set) var endAtOpening = RecordNumber(0)
  /// What lies before it and a predecessor's log had not got, all where it had none: this process's
  /// input has nothing of that any more.
  private(set) var lost = RecordNumber(0)..<RecordNumber(0)
  /// Bytes of a record's text, about.
  private(set) var averageBytes = 300
  private(set) var openMicroseconds: Int64 = 0
  /// Plugins that a load is under way for.
  private var loading: Set<PluginID> = []
  private var nextSync = Moment(nanoseconds: 0)
  /// What failed, for the status.
  private(set) var trouble: String?

  init(folder: String, reserve: Int64, mayOpen: Bool, beside: SideFile?) throws(SystemError) {
    spool = try Spool(folder: folder, reserve: reserve, mayOpen: mayOpen, beside: beside)
  }

  var isOpen: Bool { state == .open }
  var isSettled: Bool { state != .opening }
  var isUnusable: Bool { state == .unusable }
  var hasFailed: Bool { if case .failed = state { true } else { false } }
  /// Whether records are appended, now or when it is open.
  var takesRecords: Bool { state == .opening || state == .open }
  /// Whether the log was opened, and can be read, if not appended to.
  var isReadable: Bool { state == .open || hasFailed }

  // MARK: Opening

  /// Begins to append, with what was taken in meanwhile.
  ///
  /// - Parameters:
  ///   - shift: the journal's numbers less the log's, as a predecessor had them.
  ///   - end: the journal's next record.
  /// - Returns: where the log goes on in the journal: there where a predecessor had come with it.
  func begin(
    _ opened: Spool.Opened, shift: LogShift?, end: RecordNumber, nextEvent: EventNumber
  ) -> RecordNumber {
    endAtOpening = place(opened, shift: shift, end: end)
    spool.begin(opened, next: endAtOpening, nextEvent: nextEvent)
    log.wentOn(from: endAtOpening)
    averageBytes = opened.averageBytes
    openMicroseconds = opened.microseconds
    cursors = opened.cursors
    state = .open
    for (slice, nextEvent) in early { append(slice, nextEvent: nextEvent) }
    early = []
    return endAtOpening
  }

  private func place(
    _ opened: Spool.Opened, shift: LogShift?, end: RecordNumber
  ) -> RecordNumber {
    let first = early.first?.slice.numbers.lowerBound ?? end
    guard let shift else {
      lost = RecordNumber(0)..<first
      return first
    }
    let place = shift.number(opened.nextSequence)
    if place < first {
      lost = place..<first
      return first
    }
    early = early.compactMap { early in early.slice.from(place).map { ($0, early.nextEvent) } }
    return min(place, end)
  }

  /// Nothing can be stored.
  ///
  /// - Parameter first: the first record that came to this process.
  func becameUnusable(_ reason: String, from first: RecordNumber) {
    state = .unusable
    trouble = reason
    log.becameUnusable(from: first)
    early = []
    spool.forgetSenders()
  }

  // MARK: Appending

  /// Keeps a batch for when the log is open.
  func wait(for batch: Journal.Batch) {
    for slice in batch.slices { early.append((slice, batch.nextEvent)) }
  }

  func append(_ batch: Journal.Batch) {
    forgetPending(below: spool.appendedBelow)
    for slice in batch.slices { append(slice, nextEvent: batch.nextEvent) }
  }

  private func append(_ slice: Journal.Slice, nextEvent: EventNumber) {
    spool.append(slice, nextEvent: nextEvent)
    pending.append(slice)
  }

  private func forgetPending(below end: RecordNumber) {
    while let slice = pending.first, slice.numbers.upperBound <= end { pending.removeFirst() }
  }

  /// Has what was appended and told written.
  func commit(makesSafe: Bool, _ permit: borrowing Permit) { spool.commit(makesSafe: makesSafe) }

  /// Tells the log where a plugin stands, if that has changed.
  func tell(_ plugin: String, next: RecordNumber, number: StreamNumber) {
    let new = Told(next: next, number: number)
    guard told[plugin] != new else { return }
    told[plugin] = new
    spool.setCursor(plugin, next: next, number: number)
  }

  /// A plugin is gone.
  func forgetTold(_ plugin: String) { told[plugin] = nil }

  /// Whether everything is to be made safe now: once a second.
  func beginSync(_ now: Moment) -> Bool {
    guard isOpen, now >= nextSync else { return false }
    nextSync = now + .seconds(1)
    return true
  }

  // MARK: Reading back

  func load(_ plugin: PluginID, from first: RecordNumber, bytes: Int) {
    guard loading.insert(plugin).inserted else { return }
    spool.load(plugin, from: first, bytes: bytes)
  }

  func isLoading(_ plugin: PluginID) -> Bool { loading.contains(plugin) }
  func loaded(_ plugin: PluginID) { loading.remove(plugin) }

  // MARK: Trouble

  /// The disk takes nothing.
  ///
  /// - Returns: the first record that the log does not have, and what was handed over from it on.
  func failed(_ errno: Errno, _ now: Moment) -> (first: RecordNumber, slices: [Journal.Slice]) {
    state = .failed(retry: now + Self.pause)
    trouble = "\(errno)"
    // What the log was told last may have been in what it could not take.
    told = [:]
    let first = max(endAtOpening, spool.appendedBelow)
    forgetPending(below: first)
    let slices = Array(pending)
    pending.removeAll()
    log.stopped(from: first)
    return (first, slices)
  }

  /// Whether it is time to try again after a failure.
  func beginRetry(_ now: Moment) -> Bool {
    guard case .failed(let retry) = state, now >= retry, !isRetrying else { return false }
    state = .failed(retry: now + Self.pause)
    isRetrying = true
    return true
  }

  func retryHasFailed() { isRetrying = false }

  /// The disk takes records again, from that one on.
  func recovered(next: RecordNumber) {
    state = .open
    isRetrying = false
    trouble = nil
    log.wentOn(from: next)
  }
}
