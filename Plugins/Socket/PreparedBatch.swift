import AudispatchPlugin
import AuditRecord

/// Records with their events, shared by all clients' queues.
final class PreparedBatch {
  /// Lines, each with its newline.
  let bytes: [UInt8]
  let records: [Record]
  /// The lowest number of an event in it.
  let oldestEvent: EventTracker.EventNumber

  struct Record {
    /// Where the line ends, behind its newline.
    let end: Int
    let event: EventTracker.EventNumber
    /// Whether its event begins with it.
    let isFirst: Bool
    let serial: UInt64
    let type: RecordType
  }

  init(bytes: [UInt8], records: [Record]) {
    self.bytes = bytes
    self.records = records
    oldestEvent = records.lazy.map(\.event).min() ?? 0
  }

  convenience init(_ batch: RecordBatch, _ tracker: inout EventTracker) {
    var records: [Record] = []
    records.reserveCapacity(batch.records.count)
    for record in batch.records {
      var node: UInt32 = 0
      if let name = record.node { node = Self.number(of: batch.bytes[name]) }
      let mark = tracker.note(record.stamp, node: node)
      records.append(
        Record(
          end: record.line.upperBound + 1, event: mark.event, isFirst: mark.isFirst,
          serial: record.stamp.serial, type: record.type))
    }
    self.init(bytes: batch.bytes, records: records)
  }

  /// A number for a node's name: FNV-1a.
  private static func number(of name: ArraySlice<UInt8>) -> UInt32 {
    name.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
  }

  func start(of record: Int) -> Int { record == 0 ? 0 : records[record - 1].end }
}
