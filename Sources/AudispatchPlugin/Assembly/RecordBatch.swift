import AuditRecord

/// Records that were read together, one behind another, in the order of the input.
public struct RecordBatch: Sendable {
  /// The lines of the records, each with a newline behind it.
  public internal(set) var bytes: [UInt8] = []
  public internal(set) var records: [EventRecord] = []
  /// What the batch is called when it is done.
  public internal(set) var token = DeliveryToken()

  mutating func append(
    _ line: Span<UInt8>, _ header: RecordHeader, _ type: RecordType, number: UInt64
  ) {
    let base = bytes.count
    unsafe line.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    bytes.append(0x0a)
    records.append(
      EventRecord(type: type, header: header, base: base, count: line.count, number: number))
  }
}

/// The place of an event or a batch in the order in which they are handed out.
public struct DeliveryToken: Comparable, Hashable, Sendable {
  var place: UInt64 = 0

  public static func < (a: DeliveryToken, b: DeliveryToken) -> Bool { a.place < b.place }
}
