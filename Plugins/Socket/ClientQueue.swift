import AuditRecord

/// What waits for one client: whole events, within a bound of its own.
///
/// At the first record of an event that does not fit, this and every later event is dropped and
/// counted, until half of the queue is empty. An event that was begun is finished, also beyond the
/// bound; when that comes to more than 1 MiB, the rest of it is dropped too. What belongs to an
/// event that began before the client came is not for it.
struct ClientQueue {
  struct Piece {
    let batch: PreparedBatch
    /// The records that wait: `first..<last`.
    var first: Int
    let last: Int
  }

  struct Gap: Equatable {
    var records = 0
    var events = 0
    /// The serial of the last record.
    var serial: UInt64 = 0
  }

  /// What finishing events may take beyond the bound.
  static let finishingBytes = 1 << 20

  let depth: Int
  let bound: Int
  private var pieces: [Piece] = []
  private var head = 0
  /// Records that wait.
  private(set) var records = 0
  /// Their bytes.
  private(set) var bytes = 0
  private(set) var dropped = Gap()
  /// What was dropped since the last gap that ended.
  private(set) var gap = Gap()
  /// Events before this one began before the client came.
  private let start: EventTracker.EventNumber
  /// The events that were dropped, oldest first; the last range is open while dropping goes on.
  private var droppedEvents: [Range<EventTracker.EventNumber>] = []
  private var droppingFrom: EventTracker.EventNumber?
  /// Events that were begun and could not be finished.
  private var broken: Set<EventTracker.EventNumber> = []

  init(depth: Int, bytes bound: Int, start: EventTracker.EventNumber) {
    self.depth = depth
    self.bound = bound
    self.start = start
  }

  var isDropping: Bool { droppingFrom != nil }
  var isEmpty: Bool { head == pieces.count }

  /// How many of the records from there on are offered at once: at most half of what the queue
  /// takes, so that a client that reads can make room meanwhile.
  func portion(of batch: PreparedBatch, from first: Int) -> Range<Int> {
    var last = min(first + max(1, depth / 2), batch.records.count)
    let start = batch.start(of: first)
    while last > first + 1, batch.start(of: last) - start > bound / 2 {
      last = first + (last - first) / 2
    }
    return first..<last
  }

  /// Takes of some records what is for this client and fits.
  ///
  /// - Parameter tell: makes the record that announces a gap that has ended; `nil` for none.
  mutating func offer(
    _ batch: PreparedBatch, _ range: Range<Int>, _ tell: (Gap) -> PreparedBatch?
  ) {
    guard !range.isEmpty else { return }
    let size = batch.start(of: range.upperBound) - batch.start(of: range.lowerBound)
    if droppingFrom == nil, droppedEvents.isEmpty, broken.isEmpty, gap.records == 0,
      batch.oldestEvent >= start, records + range.count <= depth, bytes + size <= bound
    {
      return append(batch, range)
    }
    var run = range.lowerBound
    for index in range {
      let record = batch.records[index]
      let size = record.end - batch.start(of: index)
      if admits(record, size, waiting: index - run, batch.start(of: index) - batch.start(of: run)) {
        if gap.records > 0, !isDropping, record.isFirst {
          append(batch, run..<index)
          run = index
          if let told = tell(gap) { append(told, 0..<told.records.count) }
          gap = Gap()
        }
        continue
      }
      append(batch, run..<index)
      run = index + 1
    }
    append(batch, run..<range.upperBound)
    forget(before: batch.oldestEvent)
  }

  /// - Parameter waiting: records that were admitted and are not in the queue yet, and their bytes.
  private mutating func admits(
    _ record: PreparedBatch.Record, _ size: Int, waiting: Int, _ waitingBytes: Int
  ) -> Bool {
    let event = record.event
    if event < start { return false }
    let records = self.records + waiting + 1
    let bytes = self.bytes + waitingBytes + size
    if record.isFirst {
      if let from = droppingFrom, records <= depth / 2 + 1, bytes <= bound / 2 + size {
        droppingFrom = nil
        droppedEvents.append(from..<event)
      }
      if droppingFrom == nil, records > depth || bytes > bound { droppingFrom = event }
      if droppingFrom != nil {
        gap.events += 1
        dropped.events += 1
        return drop(record)
      }
      return true
    }
    if droppingFrom.map({ $0 <= event }) == true || broken.contains(event)
      || droppedEvents.contains(where: { $0.contains(event) })
    {
      return drop(record)
    }
    guard bytes > bound + Self.finishingBytes else { return true }
    broken.insert(event)
    gap.events += 1
    dropped.events += 1
    return drop(record)
  }

  private mutating func drop(_ record: PreparedBatch.Record) -> Bool {
    gap.records += 1
    gap.serial = record.serial
    dropped.records += 1
    dropped.serial = record.serial
    return false
  }

  private mutating func append(_ batch: PreparedBatch, _ range: Range<Int>) {
    guard !range.isEmpty else { return }
    pieces.append(Piece(batch: batch, first: range.lowerBound, last: range.upperBound))
    records += range.count
    bytes += batch.start(of: range.upperBound) - batch.start(of: range.lowerBound)
  }

  /// Events of which nothing can come any more need not be known.
  private mutating func forget(before event: EventTracker.EventNumber) {
    let oldest = event > 1024 ? event - 1024 : 0
    droppedEvents.removeAll { $0.upperBound <= oldest }
    if !broken.isEmpty { broken = broken.filter { $0 >= oldest } }
  }

  /// What is next; the queue must not be empty.
  var front: Piece { pieces[head] }

  /// Takes records of the front piece out.
  mutating func take(_ count: Int) {
    let piece = pieces[head]
    let end = piece.first + count
    bytes -= piece.batch.start(of: end) - piece.batch.start(of: piece.first)
    records -= count
    if end < piece.last {
      pieces[head].first = end
      return
    }
    head += 1
    if head == pieces.count {
      pieces.removeAll(keepingCapacity: true)
      head = 0
    } else if head > 64, head * 2 > pieces.count {
      pieces.removeFirst(head)
      head = 0
    }
  }
}
