import AudispatchPlugin
import AuditRecord

/// Records in their order, from the first that no server has stored: some on their way, the rest
/// still to send. A record that only ends an event is none of them: auditd on the other side does not
/// answer to it.
struct OutgoingRecords {
  private struct Batch {
    var bytes: [UInt8]
    var lines: [Range<Int>]
    /// What a receiver of ours knows them by; 0 for a record that it cannot know again.
    var numbers: [UInt64]
    /// What is done when all of it is.
    var token: DeliveryToken?
  }

  /// A record: the place of its batch, and its own in it.
  private struct Place {
    var batch = 0
    var line = 0
  }

  private var batches: [Batch] = []
  private var done = Place()
  private var sent = Place()
  /// Batches before this one were put in front of all others.
  private var front = 0
  /// More may be put in front: what is behind is not sent before.
  var awaitsFront = false
  /// Records that no server has stored.
  private(set) var count = 0
  /// Of the batches that have one.
  private(set) var bytes = 0
  private(set) var unsent = 0
  /// The number of the next record to come, as far as is known.
  private var upcoming: UInt64

  /// Whether the dispatcher numbers records; else they are counted here.
  private let isNumbered: Bool

  /// - Parameter first: the dispatcher's number of the first record; `nil` where it numbers none.
  init(first: UInt64? = nil) {
    upcoming = first ?? 1
    isNumbered = first != nil
  }

  /// The number of the next record to send.
  var nextNumber: UInt64 {
    guard unsent > 0 else { return upcoming }
    let number = batches[sent.batch].numbers[sent.line]
    return number > 0 ? number : upcoming
  }

  /// Adds records; `false` when it has none to send, and nothing waits that its token could go with.
  mutating func append(_ batch: RecordBatch) -> Bool {
    var lines: [Range<Int>] = []
    var numbers: [UInt64] = []
    for record in batch.records {
      // A gap record has no number, and cannot be known again.
      let number = isNumbered ? record.number : upcoming
      if number > 0 { upcoming = number + 1 }
      guard record.type != .endOfEvent else { continue }
      lines.append(record.line)
      numbers.append(number)
    }
    guard !lines.isEmpty else {
      guard count > 0 else { return false }
      batches[batches.count - 1].token = batch.token
      return true
    }
    add(Batch(bytes: batch.bytes, lines: lines, numbers: numbers, token: batch.token))
    return true
  }

  /// Puts records that no dispatcher knows of behind those that were put in front, and in front of all
  /// others, none of which was sent.
  mutating func putInFront(_ records: [[UInt8]]) {
    guard !records.isEmpty else { return }
    precondition(sent.batch <= front, "others were sent before")
    var batch = Batch(
      bytes: [], lines: [], numbers: [UInt64](repeating: 0, count: records.count), token: nil)
    for record in records {
      batch.lines.append(batch.bytes.count..<batch.bytes.count + record.count)
      batch.bytes += record
    }
    add(batch, at: front)
    front += 1
  }

  private mutating func add(_ batch: Batch, at place: Int? = nil) {
    batches.insert(batch, at: place ?? batches.count)
    count += batch.lines.count
    unsent += batch.lines.count
    bytes += batch.bytes.count
  }

  /// The next record to send, which counts as sent from now on, and its number.
  mutating func next() -> (line: ArraySlice<UInt8>, number: UInt64)? {
    guard unsent > 0, !awaitsFront || sent.batch < front else { return nil }
    unsent -= 1
    let batch = batches[sent.batch]
    defer { step(&sent) }
    return (batch.bytes[batch.lines[sent.line]], batch.numbers[sent.line])
  }

  /// Lets go of the first record, which was sent; what is done with it.
  mutating func finish() -> DeliveryToken? {
    precondition(count > unsent, "more is done than was sent")
    count -= 1
    let before = done.batch
    step(&done)
    guard done.batch > before else { return nil }
    bytes -= batches[before].bytes.count
    let token = batches[before].token
    batches[before].bytes = []
    batches[before].lines = []
    batches[before].numbers = []
    if done.batch > 256, done.batch * 2 > batches.count {
      batches.removeFirst(done.batch)
      sent.batch -= done.batch
      front = max(0, front - done.batch)
      done.batch = 0
    }
    return token
  }

  /// Nothing is on its way any more: all of it is to be sent again.
  mutating func startOver() {
    sent = done
    unsent = count
  }

  private func step(_ place: inout Place) {
    place.line += 1
    guard place.line == batches[place.batch].lines.count else { return }
    place.batch += 1
    place.line = 0
  }
}
