import AudispatchPlugin
import AuditRecord

/// The fields of an event's records as they stand there, decoded or interpreted: what is written of
/// an event record by record.
///
/// A value is a place in the bytes of the event, or behind them, so that little is allocated.
public struct EventContent: Sendable {
  public struct Field: Sendable {
    let name: Text
    let value: Text
  }

  public struct Record: Sendable {
    let type: Text
    /// Its own, by their numbers in `fields` of the event.
    public internal(set) var own: Range<Int>
    /// What auditd found values to mean, by names in upper case; they stand behind its own.
    public internal(set) var enriched: Range<Int>
    var all: Range<Int> { own.lowerBound..<enriched.upperBound }
  }

  var text = EventText()
  public internal(set) var milliseconds: UInt64 = 0
  public internal(set) var serial: UInt64 = 0
  var nodePlace: Text?
  var keyPlaces: [Text] = []
  /// Whether another part of the event was sent before.
  public internal(set) var isContinuation = false
  public internal(set) var records: [Record] = []
  public internal(set) var fields: [Field] = []

  init() {}

  public var node: ArraySlice<UInt8>? { nodePlace.map { text[$0] } }
  public var keys: [ArraySlice<UInt8>] { keyPlaces.map { text[$0] } }
  public func type(of record: Record) -> ArraySlice<UInt8> { text[record.type] }
  public func name(of field: Field) -> ArraySlice<UInt8> { text[field.name] }
  public func value(of field: Field) -> ArraySlice<UInt8> { text[field.value] }
}

extension EventContent {
  mutating func begin(_ lines: [UInt8], _ stamp: RecordStamp, isContinuation: Bool) {
    text.begin(lines)
    milliseconds = stamp.milliseconds
    serial = stamp.serial
    self.isContinuation = isContinuation
    nodePlace = nil
    keyPlaces.removeAll(keepingCapacity: true)
    records.removeAll(keepingCapacity: true)
    fields.removeAll(keepingCapacity: true)
  }

  mutating func beginRecord(_ type: Text) {
    let place = fields.count..<fields.count
    records.append(Record(type: type, own: place, enriched: place))
  }

  /// Adds a field to the last record.
  mutating func add(_ name: Text, _ value: Text) {
    fields.append(Field(name: name, value: value))
    records[records.count - 1].own = records[records.count - 1].own.lowerBound..<fields.count
    records[records.count - 1].enriched = fields.count..<fields.count
  }

  /// Adds what a value of the last record means, behind all its fields.
  mutating func addEnriched(_ name: Text, _ value: Text) {
    fields.append(Field(name: name, value: value))
    records[records.count - 1].enriched =
      records[records.count - 1].enriched.lowerBound..<fields.count
  }
}
