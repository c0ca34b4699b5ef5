import AudispatchPlugin
import AuditRecord

/// The records of an event by their types, in the order in which the types come; kept from event to
/// event, so that nothing is allocated for them.
struct RecordGroups: Sendable {
  struct Group: Sendable {
    var type: UInt32
    /// The places of its first record and of its last one.
    var first: Int
    var last: Int
  }

  private(set) var all: [Group] = []
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
    all.removeAll(keepingCapacity: true)
    following.removeAll(keepingCapacity: true)
    if !unnamed.isEmpty { unnamed.removeAll() }
    if !further.isEmpty { further.removeAll() }
    for place in event.records.indices {
      following.append(-1)
      let record = event.records[place]
      guard record.type != .endOfEvent else { continue }
      if let group = group(of: record, event.bytes) {
        following[all[group].last] = place
        all[group].last = place
      } else {
        all.append(Group(type: record.type.rawValue, first: place, last: place))
      }
    }
  }

  /// The next record of the same type.
  func next(behind place: Int) -> Int? { following[place] < 0 ? nil : following[place] }

  /// That of a type; `nil` for one that comes for the first time.
  private mutating func group(of record: EventRecord, _ bytes: [UInt8]) -> Int? {
    guard record.type == .unnamed else {
      let type = record.type.rawValue
      for place in all.indices.prefix(Self.most) where all[place].type == type { return place }
      guard all.count >= Self.most else { return nil }
      if let known = further[type] { return known }
      further[type] = all.count
      return nil
    }
    let name = Array(bytes[record.typeName])
    if let known = unnamed[name] { return known }
    unnamed[name] = all.count
    return nil
  }
}
