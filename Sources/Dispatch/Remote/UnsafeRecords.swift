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
    /// Its text, where no log keeps it: then it is stored when its sender is told, and not before.
    var text: [UInt8]?
  }

  private var records: [Record] = []
  private var first = 0

  var isEmpty: Bool { first == records.count }

  mutating func append(_ record: Record) { records.append(record) }

  /// Takes the records that are safe now.
  ///
  /// - Parameter end: everything in the journal below that is.
  mutating func takeSafe(below end: RecordNumber, _ body: (Record) -> Void) {
    while first < records.count, records[first].record < end {
      body(records[first])
      first += 1
    }
    if first == records.count {
      records.removeAll(keepingCapacity: true)
      first = 0
    } else if first > 4096, first * 2 > records.count {
      records.removeFirst(first)
      first = 0
    }
  }

  /// Takes all, as none will be safe.
  mutating func takeAll() -> ArraySlice<Record> {
    defer {
      records.removeAll(keepingCapacity: true)
      first = 0
    }
    return records[first...]
  }
}
