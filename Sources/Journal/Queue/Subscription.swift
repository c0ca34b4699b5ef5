import AuditRecord

/// One plugin's queue: what it is still to get of the journal, with a bound of its own.
///
/// A value without clock or descriptor, put together from values that each keep one invariant:
///
///     Admission ──▶ Backlog (what is to come) ──▶ Stream (what lies in the socket)
///                   Holding (what of it is in memory)
///                   DiskShare (what of it is in the log only), for a durable plugin
///                   Beginnings (what was read of events that may go on)
///
/// Whole events are admitted or dropped. The extensions of this type are its operations.
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

  public let name: String
  /// `node=NAME ` of gap records, or empty.
  private(set) var node: String
  public var announcesGaps: Bool
  /// What the plugin knows its gap records by, beside their form: ` gap=WORD`, or nothing. Others'
  /// records, and logs that are read again, have such in their text. Changes between two processes of
  /// the plugin only, as the next two do.
  private(set) var gapMark = ""
  /// How records look in the stream.
  public var encoding: Encoding
  /// Whether a record is delivered when the plugin says that it is done with it, not when it has
  /// read it.
  public var confirms = false {
    didSet {
      // A number stands for one record: what was read of an event is not repeated under others.
      if confirms, !oldValue { beginnings.forgetInherited() }
    }
  }

  var admission: Admission
  var backlog = Backlog()
  var holding = Holding()
  var stream = Stream()
  var beginnings = Beginnings()
  /// `nil`: all that is pending is held in memory.
  var disk: DiskShare?

  /// - Parameter journal: the queue begins with the next event that begins.
  public init(
    name: String, limits: Limits, encoding: Encoding, announcesGaps: Bool, node: String?,
    journal: Journal
  ) {
    self.name = name
    self.encoding = encoding
    self.announcesGaps = announcesGaps
    self.node = node.map { "node=\($0) " } ?? ""
    admission = Admission(limits, next: journal.eventsBegun > 0 ? journal.nextEvent : nil)
  }

  /// Gap records are given that node from now on.
  public mutating func change(node: String) { self.node = "node=\(node) " }

  /// Gives gap records that word from now on, those in the queue too.
  public mutating func setGapMark(_ word: String?) { gapMark = word.map { " gap=\($0)" } ?? "" }

  // MARK: State

  public var counters: Counters {
    @inline(__always) get { backlog.counters }
  }

  public var limits: Limits {
    get { admission.limits }
    set { admission.limits = newValue }
  }

  /// The number of the first record that is not confirmed: what the next process's stream begins
  /// with.
  public var firstNumber: StreamNumber { backlog.firstNumber }

  /// Bytes written and not known to be read.
  @inline(__always)
  public var outstanding: Int { stream.outstanding }

  /// How far the stream to the plugin's present process has come.
  public var streamPosition: StreamPosition { stream.position }

  /// Whether something waits to be written.
  @inline(__always)
  public var hasUnwritten: Bool {
    if !stream.extras.isEmpty { return true }
    guard let disk else { return backlog.hasUnwritten }
    guard let next = backlog.next else { return backlog.hasUnwritten }
    if let announcement = backlog.nextAnnouncement, announcement.before <= next { return true }
    return next < disk.safeBelow && holding.run(from: next) != nil
  }

  /// Whether the plugin has all that it is to get.
  @inline(__always)
  public var isEmpty: Bool { backlog.isEmpty && stream.isDone }

  public var isSuspended: Bool { admission.isSuspended }

  @inline(__always)
  public var isOverflowing: Bool { admission.isOverflowing }

  /// Whether it is the moment to look how much the plugin has read since.
  public enum Look {
    case notNow
    /// The queue overflows: from time to time.
    case whileOverflowing
    /// The batch would take the queue beyond what it is known to have held, or the memory of a segment
    /// may be free again.
    case now
  }

  /// Mutating, as the next one: a queue that is only read would be copied for the call.
  public mutating func look(before batch: Journal.Batch) -> Look {
    if isOverflowing { return .whileOverflowing }
    guard outstanding > 0 else { return .notNow }
    let records = Int(backlog.counters.queued) + batch.records
    return outstanding > Segment.capacity
      || records > min(Int(backlog.counters.queuedMax), limits.records)
      || backlog.counters.queuedBytes + batch.bytes > limits.bytes ? .now : .notNow
  }

  /// Records that it has room for before it begins to overflow, none when the next one would do it;
  /// any number while it overflows.
  public mutating func liveRoom() -> Int {
    isOverflowing ? .max : isWithinBytes ? room : 0
  }

  /// Whether the queue has room for what a source that can wait would add.
  public var room: Int { max(0, limits.records - Int(backlog.counters.queued)) }

  /// How full it is: records or bytes, whichever is more of what it may have.
  public var fill: Double {
    max(
      Double(backlog.counters.queued) / Double(max(limits.records, 1)),
      Double(backlog.counters.queuedBytes) / Double(max(limits.bytes, 1)))
  }

  public var isWithinBytes: Bool { backlog.counters.queuedBytes < limits.bytes }

  /// The first record that is not delivered; `end` when all are.
  public func firstUndelivered(end: RecordNumber) -> RecordNumber { backlog.pending.first ?? end }

  /// The first record in memory that is to be written and may be: whose is the lowest, holds on to
  /// the journal's oldest memory.
  public var firstUnwrittenHeld: RecordNumber? {
    guard let next = backlog.next else { return nil }
    var number = next
    while let stretch = backlog.pending.stretch(from: number) {
      guard let run = holding.next(from: stretch.lowerBound) else { return nil }
      number = max(stretch.lowerBound, run.numbers.lowerBound)
      if number < stretch.upperBound { return number < disk?.safeBelow ?? .max ? number : nil }
    }
    return nil
  }

  /// Ends a suspension: events that begin from now on are admitted.
  public mutating func resume(journal: Journal) { admission.resume(at: journal.nextEvent) }

  /// Lets go of what is kept for a successor of the plugin; for a time when nothing comes.
  public mutating func forgetHistory() { beginnings.forgetAll() }
}
