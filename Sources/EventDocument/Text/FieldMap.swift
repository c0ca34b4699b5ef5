/// Names and values of a record or of a part of a document, in their order; small, and kept from
/// event to event so that it allocates nothing.
struct FieldMap: Sendable {
  struct Entry: Sendable {
    var name: Text
    var value: Text
    /// The value as it stood in the line, with quotes.
    var raw: Text
    /// The type of the record that it is from, where more than one value of a name is kept.
    var source: UInt32 = 0
  }

  private(set) var entries: [Entry] = []
  /// Hashes of the names, once there are so many that looking at each would take long.
  private var seen: Set<UInt64> = []
  private static let many = 64

  var isEmpty: Bool { entries.isEmpty }

  mutating func removeAll() {
    entries.removeAll(keepingCapacity: true)
    if !seen.isEmpty { seen.removeAll() }
  }

  @inline(__always)
  func index(of name: StaticString, _ text: EventText) -> Int? {
    for place in entries.indices where text.has(entries[place].name, name) { return place }
    return nil
  }

  @inline(__always)
  func index(of name: Text, _ text: EventText) -> Int? {
    for place in entries.indices where text.isSame(entries[place].name, name) { return place }
    return nil
  }

  func value(_ name: StaticString, _ text: EventText) -> Text? {
    index(of: name, text).map { entries[$0].value }
  }

  func value(_ name: [UInt8], _ text: EventText) -> Text? {
    for entry in entries where text.has(entry.name, name) { return entry.value }
    return nil
  }

  /// Sets the value of a name; the last one counts.
  mutating func set(_ name: Text, _ value: Text, raw: Text, _ text: EventText) {
    if let place = placeToReplace(name, text) {
      entries[place].value = value
      entries[place].raw = raw
    } else {
      entries.append(Entry(name: name, value: value, raw: raw))
    }
  }

  mutating func set(_ name: Text, _ value: Text, _ text: EventText) {
    set(name, value, raw: value, text)
  }

  /// Adds a value beside those that the name has.
  mutating func add(_ entry: Entry) { entries.append(entry) }

  mutating func setValue(_ value: Text, at place: Int) { entries[place].value = value }

  mutating func remove(at place: Int) { entries.remove(at: place) }

  /// Takes a field out and gives its value.
  mutating func take(_ name: StaticString, _ text: EventText) -> Text? {
    guard let place = index(of: name, text) else { return nil }
    defer { entries.remove(at: place) }
    return entries[place].value
  }

  mutating func take(_ name: [UInt8], _ text: EventText) -> Text? {
    guard let place = entries.firstIndex(where: { text.has($0.name, name) }) else { return nil }
    defer { entries.remove(at: place) }
    return entries[place].value
  }

  private mutating func placeToReplace(_ name: Text, _ text: EventText) -> Int? {
    guard entries.count >= Self.many else { return index(of: name, text) }
    if seen.isEmpty { for entry in entries { seen.insert(Self.hash(entry.name, text)) } }
    return seen.insert(Self.hash(name, text)).inserted ? nil : index(of: name, text)
  }

  /// FNV-1a.
  static func hash(_ name: Text, _ text: EventText) -> UInt64 { hash(text[name]) }

  static func hash(_ bytes: some Collection<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }
}
