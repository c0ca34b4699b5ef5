import DequeModule
import Journal
import Linux

/// The spool and what the dispatcher knows of it: which records of its journal it has, and what
/// was said of each durable plugin last.
final class DurableQueues {
  enum State {
    /// Its folder is being opened; records wait in memory, to be appended then.
    case opening
    case open
    /// The disk takes nothing now; tried again at that moment.
    case failed(retry: Moment)
    /// It cannot be used at all.
    case unusable
  }

  /// What the log was told of a plugin.
  struct Told: Equatable {
    var next: RecordNumber
    var number: StreamNumber
  }

  let spool: Spool
  /// What the log has, for all queues.
  let log = LogKnowledge()
  var state = State.opening
  /// Taken in while the spool was being opened.
  var early: [(slice: Journal.Slice, nextEvent: EventNumber)] = []
  /// Handed to the log and perhaps not in it yet.
  var pending: Deque<Journal.Slice> = []
  /// Where plugins stood when it was opened, in its own numbers.
  var cursors: [String: SpoolCursor] = [:]
  /// What waits for plugins that are not active.
  var kept: [String: KeptQueue] = [:]
  /// Records of plugins that were gone for too long.
  var givenUp: UInt64 = 0
  var told: [String: Told] = [:]
  /// The first record of the journal that the log has.
  var endAtOpening = RecordNumber(0)
  /// Bytes of a record's text, about.
  var averageBytes = 300
  var openMicroseconds: Int64 = 0
  /// Plugins that a load is under way for.
  var loading: Set<UInt32> = []
  var nextSync = Moment(nanoseconds: 0)
  /// What failed, for the status.
  var trouble: String?

  init(folder: String, reserve: Int64) throws(SystemError) {
    spool = try Spool(folder: folder, reserve: reserve)
  }

  /// What the log has by now.
  func forgetPending(below end: RecordNumber) {
    while let slice = pending.first, slice.numbers.upperBound <= end { pending.removeFirst() }
  }

  var isSettled: Bool { if case .opening = state { false } else { true } }
  /// Whether records are appended, now or when it is open.
  var takesRecords: Bool {
    switch state {
    case .opening, .open: true
    case .failed, .unusable: false
    }
  }
  /// Whether the log was opened, and can be read, if not appended to.
  var isReadable: Bool {
    switch state {
    case .open, .failed: true
    case .opening, .unusable: false
    }
  }
  var isOpen: Bool { if case .open = state { true } else { false } }
}

/// What the log has for a plugin that is not active.
struct KeptQueue {
  /// The records that it is to get, in the journal's numbers.
  var records: [Range<RecordNumber>]
  /// The number of the first of them in its stream.
  var number: StreamNumber
  /// From here on it is to get nothing while it is not active; `nil` until the log was told so.
  var leftOutFrom: RecordNumber?
  /// When it was seen to be gone, in seconds since 1970.
  var since: UInt64
  /// For how long it had been gone when this process saw it, and when that was: from then on only
  /// the monotonic clock counts, whatever happens to the calendar's.
  private var goneBefore: Duration = .zero
  private var seen = Moment.now

  var count: UInt64 { records.reduce(0) { $0 + UInt64($1.count) } }

  /// - Parameter end: behind the last record of the log.
  init(_ cursor: SpoolCursor, of spool: Spool, end: RecordNumber, now: UInt64) {
    let end = spool.logged(end)
    records = cursor.wanted(of: cursor.next..<max(cursor.next, end)).map {
      spool.number($0.lowerBound)..<spool.number($0.upperBound)
    }
    number = StreamNumber(cursor.number)
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

  /// It is gone from now on.
  mutating func begins(at seconds: UInt64) {
    since = seconds
    goneBefore = .zero
    seen = .now
  }

  /// For how long it has been gone.
  func age(_ now: Moment) -> Duration { goneBefore + (now - seen) }
}
