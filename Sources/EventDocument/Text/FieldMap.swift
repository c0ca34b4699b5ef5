import AudispatchPlugin

/// Names and values of a record or of a part of a document, in their order; small, and kept from
/// event to event so that it allocates nothing.
struct FieldMap: Sendable {
  struct Entry: Sendable {
    private(set) var name: Text
    /// Of the name.
    private(set) var key: NameKey
    var value: Text
    /// The value as it stood in the line, with quotes.
    var raw: Text
    /// The type of the record that it is from, where more than one value of a name is kept.
    var source: UInt32 = 0

    /// - Parameter key: of the name.
    init(_ name: Text, _ key: NameKey, _ value: Text, raw: Text) {
      self.name = name
      self.key = key
      self.value = value
      self.raw = raw
    }

    init(_ name: Text, _ value: Text, raw: Text, _ text: EventText) {
      self.init(name, NameKey(text.bytes.span, name.range), value, raw: raw)
    }

    /// The same where its texts have been copied to.
    @inline(__always)
    func moved(_ move: (Text) -> Text) -> Entry {
      var entry = self
      entry.name = move(name)
      entry.value = move(value)
      entry.raw = move(raw)
      return entry
    }

    /// Takes so many bytes off the beginning of the name.
    mutating func shortenName(by count: Int, _ text: EventText) {
      name.start += Int32(count)
      key = NameKey(text.bytes.span, name.range)
    }

    @inline(__always)
    func isCalled(_ name: StaticString, _ text: EventText) -> Bool {
      key == NameKey(name) && (key.isExact || text.has(self.name, name))
    }

    /// Whether it is called after a user or group: `auid`, `oegid`.
    @inline(__always)
    func isIdentity(_ text: EventText) -> Bool {
      guard !name.isEmpty, text.bytes[Int(name.end) - 1] == UInt8(ascii: "d") else { return false }
      return text.ends(name, with: "uid") || text.ends(name, with: "gid")
    }

    @inline(__always)
    func hasName(of other: Entry, _ text: EventText) -> Bool {
      key == other.key && (key.isExact || text.isSame(name, other.name))
    }
  }

  private(set) var entries: [Entry] = []
  /// Where all are written as members of an object, if they are.
  var written: Text?
  /// Whether a name may be there twice.
  private(set) var mayRepeat = false
  private var names = NameFilter()
  /// Keys of the names, once there are so many that looking at each would take long.
  private var seen: Set<NameKey> = []
  static let many = 64

  var isEmpty: Bool { entries.isEmpty }

  mutating func removeAll() {
    written = nil
    mayRepeat = false
    guard !entries.isEmpty else { return names.removeAll() }
    entries.removeAll(keepingCapacity: true)
    names.removeAll()
    if !seen.isEmpty { seen.removeAll() }
  }

  /// Takes over another one's fields, whose texts have been copied. It has fewer than `many`.
  @inline(__always)
  mutating func set(to other: FieldMap, _ move: (Text) -> Text) {
    removeAll()
    let others = other.entries
    entries.append(addingCapacity: others.count) { room in
      for entry in others { room.append(entry.moved(move)) }
    }
    written = other.written.map(move)
    mayRepeat = other.mayRepeat
    names = other.names
  }

  @inline(__always)
  func index(of name: StaticString, _ text: EventText) -> Int? {
    let key = NameKey(name)
    return names.mayHave(key) ? place(of: key, name, text) : nil
  }

  private func place(of key: NameKey, _ name: StaticString, _ text: EventText) -> Int? {
    for place in entries.indices where entries[place].key == key {
      if key.isExact || text.has(entries[place].name, name) { return place }
    }
    return nil
  }

  /// The first of the name that another one has.
  @inline(__always)
  func index(of other: Entry, _ text: EventText) -> Int? {
    guard names.mayHave(other.key) else { return nil }
    for place in entries.indices where entries[place].hasName(of: other, text) { return place }
    return nil
  }

  @inline(__always)
  func value(_ name: StaticString, _ text: EventText) -> Text? {
    index(of: name, text).map { entries[$0].value }
  }

  func value(_ name: [UInt8], _ text: EventText) -> Text? {
    index(of: name, text).map { entries[$0].value }
  }

  private func index(of name: [UInt8], _ text: EventText) -> Int? {
    let key = NameKey(name)
    guard names.mayHave(key) else { return nil }
    return entries.firstIndex { $0.key == key && (key.isExact || text.has($0.name, name)) }
  }

  /// Sets the value of a name; the last one counts.
  mutating func set(_ name: Text, _ value: Text, raw: Text, _ text: EventText) {
    set(Entry(name, value, raw: raw, text), text)
  }

  mutating func set(_ entry: Entry, _ text: EventText) {
    if let place = placeToReplace(entry, text) {
      entries[place].value = entry.value
      entries[place].raw = entry.raw
    } else {
      entries.append(entry)
    }
  }

  mutating func set(_ name: Text, _ value: Text, _ text: EventText) {
    set(name, value, raw: value, text)
  }

  /// Adds a value beside those that the name has.
  mutating func add(_ entry: Entry) {
    if names.insert(entry.key) { mayRepeat = true }
    entries.append(entry)
  }

  mutating func setValue(_ value: Text, at place: Int) { entries[place].value = value }

  /// Puts a field into the place of another one.
  mutating func replace(at place: Int, with entry: Entry) {
    if names.insert(entry.key) { mayRepeat = true }
    entries[place] = entry
  }

  mutating func remove(at place: Int) { entries.remove(at: place) }

  /// Takes out all that are not wanted, and looks at each once.
  @inline(__always)
  mutating func removeAll(_ isUnwanted: (Entry) -> Bool) {
    let kept = unsafe entries.withUnsafeMutableBufferPointer { entries in
      var kept = 0
      for place in entries.indices {
        let entry = unsafe entries[place]
        if isUnwanted(entry) { continue }
        if kept < place { unsafe entries[kept] = entry }
        kept += 1
      }
      return kept
    }
    entries.removeLast(entries.count - kept)
  }

  /// Takes a field out and gives its value.
  @inline(__always)
  mutating func take(_ name: StaticString, _ text: EventText) -> Text? {
    index(of: name, text).map { take(at: $0) }
  }

  private mutating func take(at place: Int) -> Text { entries.remove(at: place).value }

  mutating func take(_ name: [UInt8], _ text: EventText) -> Text? {
    index(of: name, text).map { take(at: $0) }
  }

  private mutating func placeToReplace(_ entry: Entry, _ text: EventText) -> Int? {
    let mayBeThere = names.insert(entry.key)
    if entries.count < Self.many { return mayBeThere ? index(of: entry, text) : nil }
    if seen.isEmpty { for known in entries { seen.insert(known.key) } }
    return seen.insert(entry.key).inserted ? nil : index(of: entry, text)
  }

  /// FNV-1a.
  static func hash(_ bytes: some Collection<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }
}
