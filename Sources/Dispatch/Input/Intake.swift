import AuditRecord
import Journal
import Linux

/// A byte of this host's input, over all processes that read it; the first is 0.
struct InputOffset: NumberSpace {
  let value: UInt64
  @inline(__always)
  init(_ value: UInt64) { self.value = value }
}

/// The input that was read and is still needed, in a ring that can outlive this process.
///
///     settled … (a durable log does not have it yet) … start … (no record yet) … end
@safe
struct Intake: ~Copyable {
  /// Read at once, at most.
  private static let readBytes = 256 << 10
  /// Beyond this it is worth to begin anew: memory that was just used is the fastest.
  private static let warmBytes = UInt64(512 << 10)
  /// So much of the ring's memory is kept.
  private static let keptBytes = UInt64(8 << 20)

  let survivor: Survivor
  private(set) var start: InputOffset
  private(set) var end: InputOffset
  /// What was made into records from here on is still needed, and which records that were.
  private(set) var settled: Settled
  /// What from this record on is neither in the log nor in the ring is other hosts', who were not told
  /// that it is stored: they send it again.
  private(set) var awaitedFrom: RecordNumber
  /// Ends of batches that are not settled, in order.
  private var waiting: [Settled] = []
  private var firstWaiting = 0

  /// A place in the input between two batches.
  struct Settled {
    var byte: InputOffset
    /// The first record behind it.
    var record: RecordNumber
    var reader: RecordReader
  }

  /// - Parameters:
  ///   - settled: where to begin.
  ///   - end: behind what was read by a predecessor.
  ///   - awaited: from which record on only other hosts' were in no safe place; theirs are kept.
  init(_ survivor: Survivor, settled: Settled, end: InputOffset, awaitedFrom awaited: RecordNumber)
  {
    self.survivor = survivor
    self.settled = settled
    awaitedFrom = awaited
    start = settled.byte
    self.end = end
  }

  /// Bytes that were read and are not yet a record.
  var pendingBytes: Int { end - start }

  /// Forgets what is not a record yet: another stream begins.
  mutating func clear() { start = end }

  /// Goes on there: nothing is made of what is before.
  mutating func goOn(at byte: InputOffset) { start = max(start, min(byte, end)) }

  /// Reads once.
  mutating func fill(_ fd: Int32, isSocket: Bool) -> ReadResult {
    var room = Survivor.ringBytes - (end - settled.byte)
    if room < Self.readBytes {
      // What a slow disk does not have yet stays in the journal's memory only.
      settle(below: .max)
      room = Survivor.ringBytes - (end - start)
    }
    let result = survivor.receive(
      fd, isSocket: isSocket, at: end.value, limit: min(Self.readBytes, room))
    if case .bytes(let count) = result { end = end + count }
    return result
  }

  /// Whether nothing in the ring is needed, and much of it was used.
  var isUsedUp: Bool {
    start == end && settled.byte == start
      && start.value % UInt64(Survivor.ringBytes) > Self.warmBytes
  }

  /// Goes on at the ring's beginning. What a successor would begin with has to be published before:
  /// it must not need what is left here.
  mutating func beginAnew() {
    let ring = UInt64(Survivor.ringBytes)
    let place = (end.value / ring + 1) * ring
    let used = end.value % ring
    survivor.skip(to: place)
    // A disk was slow, or input came in a burst: so much is seldom needed.
    if used > Self.keptBytes { survivor.release(from: place + Self.keptBytes, to: place + used) }
    start = InputOffset(place)
    end = start
    settled.byte = start
  }

  /// Gives what is not yet a record to `body`, which says how much of it it made into records.
  mutating func take(_ body: (Span<UInt8>, inout Int) -> Void) {
    let bytes = unsafe survivor.bytes(from: start.value, count: pendingBytes)
    let span = unsafe Span<UInt8>(_unsafeBytes: UnsafeRawBufferPointer(bytes))
    var position = 0
    body(span, &position)
    start = start + position
  }

  /// What was made into records up to here is needed until the log has it; `isNeeded` is false
  /// where there is no log.
  ///
  /// - Parameter isForeign: those were other hosts' records, of which the ring has nothing.
  mutating func note(
    next record: RecordNumber, reader: RecordReader, isNeeded: Bool, isForeign: Bool = false
  ) {
    let place = Settled(byte: start, record: record, reader: reader)
    if isNeeded {
      waiting.append(place)
    } else {
      settled = place
      if !isForeign { awaitedFrom = record }
      waiting.removeAll(keepingCapacity: true)
      firstWaiting = 0
    }
  }

  /// Whether nothing of what was made into records is waited for.
  var isSettled: Bool { firstWaiting == waiting.count }

  /// The log has every record below this number.
  mutating func settle(below number: RecordNumber) {
    while firstWaiting < waiting.count, waiting[firstWaiting].record <= number {
      settled = waiting[firstWaiting]
      awaitedFrom = max(awaitedFrom, settled.record)
      firstWaiting += 1
    }
    if firstWaiting == waiting.count {
      waiting.removeAll(keepingCapacity: true)
      firstWaiting = 0
    } else if firstWaiting > 4096 {
      waiting.removeFirst(firstWaiting)
      firstWaiting = 0
    }
  }

  /// Other hosts are told that everything below this number is stored: they do not send it again.
  mutating func told(below number: RecordNumber) { awaitedFrom = max(awaitedFrom, number) }
}
