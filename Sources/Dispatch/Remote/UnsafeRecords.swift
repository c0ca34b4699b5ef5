import DequeModule
import Journal

/// Records that came from the receiver and are not known to be safe, in order: their senders are not
/// told yet.
struct UnsafeRecords {
  struct Record {
    /// Which it is of those that came from the receiver.
    var count: UInt64
    /// What it has to be safe for.
    var record: RecordNumber
    /// The peer's, among its figures.
    var place: Int?
    /// What the sender is known by; empty: it is not remembered as stored.
    var key: [UInt8]
    /// Its number, or the number of its connection.
    var number: UInt64
    var isNumbered: Bool
  }

  private var records: Deque<Record> = []

  var isEmpty: Bool { records.isEmpty }

  mutating func append(_ record: Record) { records.append(record) }

  /// Takes the records that are safe now.
  ///
  /// - Parameter end: everything in the journal below that is.
  mutating func takeSafe(below end: RecordNumber, _ body: (Record) -> Void) {
    while let number = records.first?.record, number < end { body(records.removeFirst()) }
  }

  /// Takes all, as none will be safe.
  mutating func takeAll() -> [Record] {
    defer { records = [] }
    return Array(records)
  }
}
