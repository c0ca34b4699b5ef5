public import AuditRecord

/// A record's place in the bytes of its event, or of its batch. Offsets take 32 bits: an event is
/// bounded far below that.
public struct EventRecord: Equatable, Sendable {
  /// `unnamed` when libaudit's table does not have the name.
  public let type: RecordType
  public let stamp: RecordStamp
  /// The dispatcher's number of the record; 0 when it does not ask for confirming, and for a gap
  /// record.
  public let number: UInt64
  private let start: UInt32
  private let end: UInt32
  private let nodeStart: UInt32
  private let nodeEnd: UInt32
  private let nameStart: UInt32
  private let nameEnd: UInt32
  private let fields: UInt32

  init(
    type: RecordType, header: RecordHeader, base: Int, count: Int, number: UInt64
  ) {
    self.type = type
    stamp = header.stamp
    self.number = number
    let base = UInt32(base)
    start = base
    end = base + UInt32(count)
    nodeStart = base + UInt32(header.node?.lowerBound ?? 0)
    nodeEnd = base + UInt32(header.node?.upperBound ?? 0)
    nameStart = base + UInt32(header.typeName.lowerBound)
    nameEnd = base + UInt32(header.typeName.upperBound)
    fields = base + UInt32(header.body)
  }

  /// The same record where its line has been copied to, and has another length: what changed
  /// stands behind the header.
  func moved(to base: Int, count: Int) -> EventRecord {
    EventRecord(self, by: base - Int(start), count: count)
  }

  private init(_ other: EventRecord, by distance: Int, count: Int) {
    func shifted(_ place: UInt32) -> UInt32 { UInt32(Int(place) + distance) }
    type = other.type
    stamp = other.stamp
    number = other.number
    start = shifted(other.start)
    end = shifted(other.start) + UInt32(count)
    nodeStart = shifted(other.nodeStart)
    nodeEnd = shifted(other.nodeEnd)
    nameStart = shifted(other.nameStart)
    nameEnd = shifted(other.nameEnd)
    fields = shifted(other.fields)
  }

  /// Where the whole line stands, without newline.
  public var line: Range<Int> { Int(start)..<Int(end) }
  /// Where the node's name stands, if the line names one.
  public var node: Range<Int>? { nodeEnd > nodeStart ? Int(nodeStart)..<Int(nodeEnd) : nil }
  /// Where the type's name stands.
  public var typeName: Range<Int> { Int(nameStart)..<Int(nameEnd) }
  /// Where the fields begin: behind `): `.
  public var body: Int { Int(fields) }
}

extension RecordType {
  /// A type whose name libaudit does not know.
  public static let unnamed = RecordType(rawValue: TypeNames.unknown)
}
