import AudispatchPlugin
import AuditRecord

/// What documents show of the users of events, written once for all whose records say the same of
/// them.
struct ShownUsers: Sendable {
  private struct Shown: Sendable {
    /// All that it is made of.
    var key: [UInt8] = []
    /// Without a comma in front.
    var members: [UInt8] = []
    var related: [[UInt8]] = []
    /// Names of who did it and as whom, where those are the login uid and the uid.
    var actors: [[UInt8]] = []
  }

  /// A power of two.
  private static let size = 64
  /// Bytes of keys that are kept.
  private static let longest = 512
  /// No length of a text.
  private static let isRow: UInt8 = 0xfe
  private var known = [Shown](repeating: Shown(), count: size)
  /// Of the event that is being written, and its place.
  private var key: [UInt8] = []
  private var place = 0
  /// Whether what was shown is the event's, and its actors are those of the process.
  private var isPlain = false

  mutating func removeAll() { known = [Shown](repeating: Shown(), count: Self.size) }

  /// Begins an event; `false` for one whose users are written anew.
  ///
  /// - Parameter areNamed: this host's accounts name them.
  mutating func begin(_ facts: EventFacts, areNamed: Bool) -> Bool {
    key.removeAll(keepingCapacity: true)
    key.append(areNamed ? 1 : 0)
    let text = facts.text
    guard add(facts.identities, text), add(facts.accounts, text), add(facts.subjectLabel, text),
      add(facts.user, facts), add(facts.effective, facts), add(facts.target, facts),
      add(facts.changes, facts), add(facts.group, facts)
    else { return false }
    place = Int(truncatingIfNeeded: NameKey(key).bits &>> 29) & (Self.size - 1)
    return true
  }

  private mutating func add(_ map: FieldMap, _ text: EventText) -> Bool {
    if addRow(map.entries, text) { return true }
    for entry in map.entries {
      guard add(entry.name, text), add(entry.value, text) else { return false }
    }
    key.append(.max)
    return true
  }

  /// Nearly always they stand in a row, `auid=1000 uid=0 …`: that, behind the lengths of the values,
  /// says where each begins.
  private mutating func addRow(_ entries: [FieldMap.Entry], _ text: EventText) -> Bool {
    guard let first = entries.first, let last = entries.last else { return false }
    let row = Int(first.name.start)..<max(Int(last.value.end), Int(first.name.start))
    guard row.count < 256, entries.count < 64 else { return false }
    var next = first.name.start
    for entry in entries {
      guard entry.name.start == next, entry.value.start == entry.name.end + 1,
        entry.value.count < 128
      else { return false }
      next = entry.value.end + 1
    }
    key.append(addingCapacity: 2 + entries.count + row.count) { room in
      room.append(Self.isRow)
      room.append(UInt8(entries.count))
      for entry in entries { room.append(UInt8(entry.value.count)) }
      let bytes = text.bytes.span.extracting(row)
      for place in bytes.indices { room.append(bytes[place]) }
    }
    return true
  }

  /// A user whom a record names. The lines may bring the name by any other field.
  private mutating func add(_ entity: EventFacts.Entity, _ facts: EventFacts) -> Bool {
    if entity.isEmpty {
      key.append(0)
      return true
    }
    key.append(entity.isUnset ? 1 : 2)
    return facts.accounts.isEmpty && add(entity.id, facts.text) && add(entity.name, facts.text)
  }

  /// Adds a text behind its length, so that different ones never make the same key.
  @inline(__always)
  private mutating func add(_ place: Text, _ text: EventText) -> Bool {
    guard place.count < 128, key.count < Self.longest else { return false }
    key.append(UInt8(place.count))
    unsafe text.bytes.span.extracting(place.range).withUnsafeBufferPointer {
      unsafe key.append(contentsOf: $0)
    }
    return true
  }

  private mutating func add(_ place: Text?, _ text: EventText) -> Bool {
    if let place { return add(place, text) }
    key.append(.max)
    return true
  }

  /// The names that are related to what was written.
  var related: [[UInt8]] { known[place].related }

  /// Of the event that is being written nothing is known.
  mutating func pass() { isPlain = false }

  /// What its actors are called; `nil` where that is not known.
  func actors(of facts: EventFacts) -> ([UInt8], [UInt8])? {
    guard isPlain, facts.accounts.isEmpty, known[place].actors.count == 2,
      facts.actor == facts.identities.value("auid", facts.text),
      facts.actingAs == facts.identities.value("uid", facts.text)
    else { return nil }
    return (known[place].actors[0], known[place].actors[1])
  }

  /// Writes them; `false` where they are not known.
  mutating func write(to out: inout DocumentBytes) -> Bool {
    let known = known[place]
    isPlain = known.key.span.isSame(as: key.span)
    if isPlain { out.written(known.members.span) }
    return isPlain
  }

  /// Keeps what was written for the event.
  ///
  /// - Parameter actors: what the login uid and the uid are called; empty where those are not who did it.
  mutating func keep(
    _ members: ArraySlice<UInt8>, related: [ArraySlice<UInt8>], actors: [[UInt8]]
  ) {
    let members = members.first == 0x2c ? members.dropFirst() : members
    known[place] = Shown(
      key: key, members: Array(members), related: related.map { Array($0) }, actors: actors)
  }
}
