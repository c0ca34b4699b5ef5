import AuditRecord
import DequeModule

/// One plugin's cursor into the journal: a queue of references to records, with a bound of its own.
///
/// A value without clock or descriptor. Whole events are admitted or dropped: an event's records
/// share the fate of its first one.
///
/// The queue in the order of the stream, and where its two cursors stand:
///
///     history (read, kept for a successor) | read cursor … written, unread … | write cursor … queued
public struct Subscription: ~Copyable {
  /// What to do at the first record that the queue cannot take.
  public enum WhenFull: Sendable {
    case dropNewest
    case dropOldest
    case suspend
  }

  public struct Limits: Equatable, Sendable {
    public var records: Int
    public var bytes: Int
    public var whenFull: WhenFull

    public init(records: Int, bytes: Int, whenFull: WhenFull) {
      self.records = records
      self.bytes = bytes
      self.whenFull = whenFull
    }
  }

  enum Intake: Equatable {
    case admitting
    /// Events from this one on are dropped.
    case dropping(from: UInt64)
    case suspended(from: UInt64)
  }

  /// Events that are not admitted; a record of theirs may still come.
  struct Refused {
    var events: Range<UInt64>
    /// `nil`: begun before the subscription, so never put to it.
    var reason: DropReason?
  }

  /// What was dropped since the last announcement.
  struct Gap: Sendable {
    var records: UInt64 = 0
    var events: UInt64 = 0
    var reason = DropReason.queueFull
    var serial: UInt64 = 0
  }

  /// An open event may exceed the bound by this much.
  static let openEventBytes = 1 << 20
  /// Records read that are kept for a successor whose events would begin with them.
  static let historyRecords = 1024

  public let name: String
  public var limits: Limits
  public var announcesGaps: Bool
  /// `node=NAME ` of gap records, or empty.
  let node: String
  /// The stream's encoding; changes between two generations of the plugin only.
  public var encoding: Encoding

  /// What the plugin knows its gap records by, beside their form: ` gap=WORD`, or nothing. Others'
  /// records, and logs that are read again, have such in their text.
  private(set) var gapMark = ""

  /// Gives gap records that mark from now on, those in the queue too. Between two generations of the
  /// plugin only.
  public mutating func setGapMark(_ word: String?, journal: Journal) {
    let mark = word.map { " gap=\($0)" } ?? ""
    guard mark != gapMark else { return }
    for index in runs.indices {
      let isNext = index == writeRun && writeIndex == runs[index].start
      runs[index] = marked(runs[index], mark, journal)
      if isNext { writeIndex = runs[index].start }
    }
    if var waiting = storage?.behind {
      for index in waiting.indices {
        waiting[index].run = marked(waiting[index].run, mark, journal)
      }
      storage?.behind = waiting
    }
    gapMark = mark
  }

  /// Gap records with that mark; others as they are.
  private func marked(_ run: Run, _ mark: String, _ journal: Journal) -> Run {
    guard run.kind == .gap else { return run }
    let places = (run.start..<run.end).map { index in
      let entry = run.segment[index]
      let text = unsafe run.segment.withBytes(entry.offset..<entry.end - 1) {
        unsafe String(decoding: $0, as: UTF8.self)
      }
      return journal.appendGap(text.dropLast(gapMark.utf8.count) + mark, type: .daemonError)
    }
    guard let first = places.first, places.allSatisfy({ $0.0 === first.0 }) else { return run }
    return Run(segment: first.0, start: first.1, end: first.1 + places.count, kind: .gap)
  }

  /// Whether a record is delivered when the plugin says that it is done with it, not when it has
  /// read it. Changes between two generations of the plugin only.
  public var confirms = false {
    didSet {
      // A number stands for one record: what was read of an event is not repeated under others.
      guard confirms, !oldValue else { return }
      inherited.removeAll()
      inheritedEvents.removeAll()
    }
  }
  /// The number of the first record that is not confirmed: what the next generation's stream
  /// begins with.
  public internal(set) var firstNumber: UInt64 = 1
  /// Records written whole and not confirmed.
  var unconfirmed = 0

  public internal(set) var counters = Counters()

  var runs = Deque<Run>()
  var history = Deque<Run>()
  var historyCount = 0
  /// What a predecessor had read last, and the events of it that were not continued yet.
  var inherited = Deque<Run>()
  var inheritedEvents: Set<UInt64> = []
  var newestInherited: UInt64 = 0
  /// The write cursor: a record in a run, or the run's end, and how many of the record's bytes are
  /// written.
  var writeRun = 0
  var writeIndex = 0
  var writeOffset = 0
  /// Bytes of the first unread record that are read.
  var readOffset = 0
  /// Of the stream to the plugin's present process.
  public internal(set) var stream = StreamPosition()
  /// Bytes written and not known to be read.
  public internal(set) var outstanding = 0
  /// Records below this sequence number were written to a predecessor.
  var resentBelow: UInt64 = 0
  /// Records below were read by a predecessor; what of them is sent is sent again.
  var givenBelow: UInt64 = 0
  /// Dropped records that gap records told of: in those that were read, and that were written.
  public internal(set) var announced: (read: UInt64, written: UInt64) = (0, 0)

  /// What of the queue lies on disk, for a durable plugin.
  public internal(set) var storage: Storage?

  var intake = Intake.admitting
  var refused: [Refused] = []
  var droppedEvents: Set<UInt64> = []
  var newestDropped: UInt64 = 0
  var openBytes: [UInt64: Int] = [:]
  /// Dropped behind all that is queued: announced before the next event that is admitted.
  var gap = Gap()
  /// Dropped out of the queue: announced before the next event that is written.
  var gapAhead = Gap()

  /// - Parameter journal: the subscription begins with the next event that begins.
  public init(
    name: String, limits: Limits, encoding: Encoding, announcesGaps: Bool, node: String?,
    journal: Journal
  ) {
    self.name = name
    self.limits = limits
    self.encoding = encoding
    self.announcesGaps = announcesGaps
    self.node = node.map { "node=\($0) " } ?? ""
    if journal.eventsBegun > 0 { refused = [Refused(events: 0..<journal.events, reason: nil)] }
  }

  // MARK: State

  /// Whether something waits to be written.
  @inline(__always)
  public var hasUnwritten: Bool {
    guard writeRun < runs.count else { return false }
    if storage != nil { return hasUnwrittenAndSafe }
    return writeIndex < runs[writeRun].end || writeRun < runs.count - 1
  }

  @inline(__always)
  public var isEmpty: Bool { runs.isEmpty && storage?.ranges.isEmpty ?? true }

  public var isSuspended: Bool { if case .suspended = intake { true } else { false } }

  @inline(__always)
  public var isOverflowing: Bool { intake != .admitting }

  /// Whether it is the moment to look how much the plugin has read since: the batch would take the
  /// queue beyond what it is known to have held, or the memory of a segment may be free again.
  @inline(__always)
  public func wantsRefresh(before batch: Journal.Batch) -> Bool {
    guard outstanding > 0 else { return false }
    let records = Int(counters.queued) + batch.records
    return outstanding > Segment.capacity || records > min(Int(counters.queuedMax), limits.records)
      || counters.queuedBytes + batch.bytes > limits.bytes
  }

  /// Whether the queue, if it does not overflow already, would with the next record.
  @inline(__always)
  public var isFull: Bool { intake == .admitting && (room == 0 || !isWithinBytes) }

  /// Records that it has room for, at least one; any number while it overflows.
  @inline(__always)
  public var liveRoom: Int { intake == .admitting ? max(1, room) : .max }

  /// Whether the queue has room for what a source that can wait would add.
  public var room: Int { max(0, limits.records - Int(counters.queued)) }

  public var isWithinBytes: Bool { counters.queuedBytes < limits.bytes }

  /// The sequence number of the next record to be written, for shedding.
  public var firstUnwrittenSequence: UInt64? {
    guard hasUnwritten else {
      return storage?.behind.first { $0.run.kind == .counted }?.run.sequence
    }
    let run = runs[writeRun]
    if run.kind == .counted, writeIndex < run.end {
      return run.segment.firstSequence + UInt64(writeIndex)
    }
    return runs[(writeRun + 1)...].first { $0.kind == .counted }?.sequence
  }

  /// Ends a suspension: events that begin from now on are admitted.
  public mutating func resume(journal: Journal) {
    if case .suspended(let from) = intake {
      refused.append(Refused(events: from..<journal.events, reason: .suspended))
      intake = .admitting
    }
  }

  /// Drops all that is queued.
  public mutating func dropAll(_ reason: DropReason) {
    counters[reason] += counters.queued
    counters.queued = 0
    counters.queuedBytes = 0
    unconfirmed = 0
    storage?.removeAll()
    runs.removeAll()
    history.removeAll()
    historyCount = 0
    inherited.removeAll()
    inheritedEvents.removeAll()
    writeRun = 0
    writeIndex = 0
    writeOffset = 0
    readOffset = 0
    outstanding = 0
  }

  /// Lets go of what is kept for a successor of the plugin; for a time when nothing comes.
  public mutating func forgetHistory() {
    history.removeAll()
    historyCount = 0
    inherited.removeAll()
    inheritedEvents.removeAll()
  }

  // MARK: Event numbers

  /// The whole number of an event of which a record holds the low bits.
  @inline(__always)
  static func expand(_ low: UInt32, next: UInt64) -> UInt64 {
    next &- UInt64(UInt32(truncatingIfNeeded: next) &- low)
  }
}
