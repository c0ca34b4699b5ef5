import AudispatchPlugin
import AuditRecord

/// The records of an event by their types, in the order in which the types come; kept from event to
/// event, so that nothing is allocated for them.
struct RecordGroups: Sendable {
  /// Of each type the place of its first record, and of its last one.
  private(set) var first: [Int] = []
  private(set) var last: [Int] = []
  private var types: [UInt32] = []
  /// Of each record that of the next one of its type.
  private var following: [Int] = []
  /// Types that libaudit does not know, by their names.
  private var unnamed: [[UInt8]: Int] = [:]
  /// Of types beyond the first `most`.
  private var further: [UInt32: Int] = [:]

  /// So many types are looked through one by one.
  private static let most = 64

  /// EOE, which says nothing, is in none.
  mutating func read(_ event: AuditEvent) {
    first.removeAll(keepingCapacity: true)
    last.removeAll(keepingCapacity: true)
    types.removeAll(keepingCapacity: true)
    following.removeAll(keepingCapacity: true)
    if !unnamed.isEmpty { unnamed.removeAll() }
    if !further.isEmpty { further.removeAll() }
    for (place, record) in event.records.enumerated() {
      following.append(-1)
      guard record.type != .endOfEvent else { continue }
      if let group = group(of: record, event.bytes) {
        following[last[group]] = place
        last[group] = place
      } else {
        first.append(place)
        last.append(place)
        types.append(record.type.rawValue)
      }
    }
  }

  /// The next record of the same type.
  func next(behind place: Int) -> Int? { following[place] < 0 ? nil : following[place] }

  /// That of a type; `nil` for one that comes for the first time.
  private mutating func group(of record: EventRecord, _ bytes: [UInt8]) -> Int? {
    guard record.type == .unnamed else {
      let type = record.type.rawValue
      for place in types.indices.prefix(Self.most) where types[place] == type { return place }
      guard types.count >= Self.most else { return nil }
      if let known = further[type] { return known }
      further[type] = types.count
      return nil
    }
    let name = Array(bytes[record.typeName])
    if let known = unnamed[name] { return known }
    unnamed[name] = first.count
    return nil
  }
}
