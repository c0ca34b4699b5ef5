import AudispatchPlugin
import AuditRecord

/// Records on their way to the disk: what is not written yet, and, for a flush mode that
/// synchronises, what is written and not safe yet.
///
///     bytes  [ written, not safe | not written yet ]
///            0                   written           count
struct HeldRecords {
  /// Lines, each with its newline.
  private(set) var bytes: [UInt8] = []
  /// How many of the bytes are in the file.
  private(set) var written = 0
  /// Records that were added since `restartCount`.
  private(set) var records = 0
  /// EOE records, which are not for the log.
  private(set) var ends = 0
  /// What was added last.
  private(set) var last: DeliveryToken?
  /// What was added last when everything was written.
  private(set) var lastWritten: DeliveryToken?

  var unwritten: Int { bytes.count - written }

  /// Adds all of a batch but EOE. Complexity: a copy of its bytes.
  mutating func add(_ batch: RecordBatch) {
    var start = 0
    var ends = 0
    for record in batch.records where record.type == .endOfEvent {
      bytes += batch.bytes[start..<record.line.lowerBound]
      start = record.line.upperBound + 1
      ends += 1
    }
    bytes += batch.bytes[start...]
    records += batch.records.count - ends
    self.ends += ends
    last = batch.token
    if unwritten == 0 { lastWritten = last }
  }

  /// Adds a line of the plugin's own.
  mutating func add(line: String) {
    bytes += line.utf8
    bytes.append(0x0a)
  }

  mutating func wrote(_ count: Int) {
    written += count
    if unwritten == 0 { lastWritten = last }
  }

  /// Lets go of what is safe.
  mutating func safe(_ count: Int) {
    if count == bytes.count {
      bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
    } else {
      bytes.removeFirst(count)
    }
    written -= count
  }

  /// What was written is not there any more: nothing is confirmed before all is written again.
  mutating func rewind() {
    written = 0
    if unwritten > 0 { lastWritten = nil }
  }

  mutating func restartCount() { records = 0 }
}
