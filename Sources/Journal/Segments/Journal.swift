public import AuditRecord

/// Every record once, in the order of arrival, in segments.
///
/// The journal holds on to the segment that it is filling; all others live for as long as a
/// subscription's queue refers to them.
public final class Journal {
  /// Records of one segment that one intake appended.
  public struct Slice {
    public let segment: Segment
    public let start: Int
    public var end: Int
    /// Bytes of their texts.
    public var bytes: Int

    public var numbers: Range<RecordNumber> { segment.first + start..<segment.first + end }

    /// Those from a number on; `nil` when there are none. `bytes` stays as it is.
    public func from(_ number: RecordNumber) -> Slice? {
      guard number > numbers.lowerBound else { return self }
      guard number < numbers.upperBound else { return nil }
      return Slice(segment: segment, start: number - segment.first, end: end, bytes: bytes)
    }
  }

  /// What was appended since `beginBatch`.
  public struct Batch {
    public internal(set) var slices: [Slice] = []
    public internal(set) var records = 0
    public internal(set) var bytes = 0
    /// The lowest number of an event in it.
    public internal(set) var oldestEvent = EventNumber.max
    /// The number that the first event begun in it has, or would have.
    public internal(set) var firstNewEvent = EventNumber(0)
    /// One above the highest number of an event so far.
    public internal(set) var nextEvent = EventNumber(0)
  }

  let pool: SegmentPool
  private var writer: JournalWriter
  private let firstEvent: EventNumber

  /// - Parameters:
  ///   - node: what a version 0 record is given as its node.
  ///   - firstRecord: the number of the first record; behind those that a disk holds.
  ///   - firstEvent: the number of the first event; likewise.
  public init(
    node: String? = nil, firstRecord: RecordNumber = RecordNumber(0),
    firstEvent: EventNumber = EventNumber(0)
  ) {
    pool = SegmentPool()
    self.firstEvent = firstEvent
    writer = JournalWriter(
      node: node, pool: pool, firstRecord: firstRecord, firstEvent: firstEvent)
  }

  /// Version 0 records are given that node from now on.
  public func change(node: String) { writer.change(node: node) }

  /// The number that the next record will have.
  public var nextRecord: RecordNumber { writer.nextRecord }

  /// What the journal holds when nothing is queued: the segment that it fills.
  public static let idleBytes = Segment.capacity

  /// Memory of all segments alive.
  public var bytes: Int { pool.liveBytes }

  public var batch: Batch { writer.batch }

  /// The number that the next event will have.
  public var nextEvent: EventNumber { EventNumber(writer.scanner.next) }
  /// Events begun here.
  public var eventsBegun: UInt64 { writer.scanner.next - firstEvent.value }

  /// Events below this number can get no further record.
  public var oldestEvent: EventNumber { EventNumber(writer.scanner.oldest) }

  /// Gives spare memory back to the system.
  public func trim() {
    writer.forgetGaps()
    pool.trim()
  }

  /// The type of the record that `take` took last; `nil`: there was none.
  public var lastTaken: RecordType? {
    writer.lastTaken == 0 ? nil : RecordType(rawValue: writer.lastTaken)
  }

  /// Who sends what is taken from now on; empty for this host. What two send is never one event.
  public func begin(sender: [UInt8]) { writer.begin(sender: sender) }

  public func beginBatch() { writer.beginBatch() }

  /// What stopped `take`.
  public enum TakeEnd: Equatable, Sendable {
    case needsMore
    case limit
    case malformed(MalformedInput, sample: Range<Int>)
  }

  /// Appends what a reader finds in some bytes, each record laid out as plugins get it, and adds it
  /// to the batch. Stops behind something malformed, to go on with the next call.
  ///
  /// - Returns: why it stopped, and how many records it took.
  public func take(
    _ bytes: Span<UInt8>, _ reader: inout RecordReader, _ position: inout Int, ended: Bool,
    limit: Int
  ) -> (end: TakeEnd, records: Int) {
    writer.take(bytes, &reader, &position, ended: ended, limit: limit)
  }

  /// Appends one record and adds it to the batch.
  public func append(_ frame: RecordFrame, of input: Span<UInt8>) {
    writer.append(frame, of: input)
  }

  /// Appends a line of our own, outside of every batch, for one subscription.
  ///
  /// - Returns: the record, which has no number.
  func appendGap(_ text: String, type: RecordType) -> Run {
    writer.appendGap(text, type: type)
  }
}
