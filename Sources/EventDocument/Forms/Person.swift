/// A text of a person: in the event's text, or in what was looked up for it.
struct PersonText: Equatable {
  var place = Text(0..<0)
  var isFound = false

  var isEmpty: Bool { place.isEmpty }
}

/// A user or group as a document shows it: number and name, each if it is known. Places are of one
/// event and its `PersonFinder`.
struct Person {
  var id = PersonText()
  var name = PersonText()

  var isEmpty: Bool { id.isEmpty && name.isEmpty }
}

/// Names for the numbers of an event: those that its lines bring, else those of the host.
struct PersonFinder: Sendable {
  var cache: AccountCache
  /// What was looked up for this event.
  private(set) var found = EventText()
  /// Most of an event's numbers are one; nothing for a name that is not known.
  private var lastUser: (number: UInt32, name: PersonText)?
  private var lastGroup: (number: UInt32, name: PersonText)?

  init(_ accounts: AccountLookup) { cache = AccountCache(accounts) }

  /// Begins an event; what was found for the last one is nowhere any more.
  mutating func begin() {
    found.begin([])
    (lastUser, lastGroup) = (nil, nil)
  }

  func bytes(_ text: PersonText, _ event: EventText) -> ArraySlice<UInt8> {
    text.isFound ? found[text.place] : event[text.place]
  }

  func isSame(_ one: PersonText, _ other: PersonText, _ event: EventText) -> Bool {
    if one == other { return true }
    guard one.place.count == other.place.count else { return false }
    return bytes(one, event) == bytes(other, event)
  }

  func isSame(_ one: Person, _ other: Person, _ event: EventText) -> Bool {
    isSame(one.id, other.id, event) && isSame(one.name, other.name, event)
  }

  /// The user or group of an identity of the process (`auid`); empty for nobody.
  @inline(__always)
  mutating func identity(_ name: StaticString, _ facts: EventFacts) -> Person {
    guard let value = facts.identities.value(name, facts.text) else { return Person() }
    let isGroup = unsafe name.utf8Start[name.utf8CodeUnitCount - 3] == UInt8(ascii: "g")
    let named = facts.accounts.isEmpty ? nil : facts.accounts.value(name, facts.text)
    return person(value, named: named, isGroup, facts.text)
  }

  mutating func person(
    _ number: Text?, named: Text? = nil, _ isGroup: Bool, _ text: EventText
  ) -> Person {
    guard let number, !Self.isNobody(number, text) else { return Person() }
    var person = Person(id: PersonText(place: number))
    if let named, !text.starts(named, with: "unknown("), !text.has(named, "unset") {
      person.name = PersonText(place: named)
    } else if let value = text.unsigned(number, base: 10), value < 0xffff_ffff {
      person.name = isGroup ? group(UInt32(value)) : user(UInt32(value))
    }
    return person
  }

  private mutating func user(_ number: UInt32) -> PersonText {
    if let lastUser, lastUser.number == number { return lastUser.name }
    let name = add(cache.user(number))
    lastUser = (number, name)
    return name
  }

  private mutating func group(_ number: UInt32) -> PersonText {
    if let lastGroup, lastGroup.number == number { return lastGroup.name }
    let name = add(cache.group(number))
    lastGroup = (number, name)
    return name
  }

  private mutating func add(_ name: [UInt8]?) -> PersonText {
    guard let name else { return PersonText() }
    return PersonText(place: found.add(name), isFound: true)
  }

  /// A user or group that a record names by number or by name.
  mutating func entity(
    _ entity: EventFacts.Entity, _ isGroup: Bool, _ facts: EventFacts
  ) -> Person {
    if let id = entity.id {
      return person(id, named: name(of: id, isGroup, facts), isGroup, facts.text)
    }
    guard let name = entity.name else { return Person() }
    let number = isGroup ? nil : cache.number(facts.text[name])
    return Person(id: add(number), name: PersonText(place: name))
  }

  /// The name that the lines bring for a number, whichever identity has it.
  private func name(of id: Text, _ isGroup: Bool, _ facts: EventFacts) -> Text? {
    guard !facts.accounts.isEmpty else { return nil }
    for entry in facts.accounts.entries where facts.text.ends(entry.name, with: "gid") == isGroup {
      let value =
        facts.identities.index(of: entry, facts.text).map {
          facts.identities.entries[$0].value
        }
        ?? facts.data.index(of: entry, facts.text).map { facts.data.entries[$0].value }
      if let value, facts.text.isSame(value, id) { return entry.value }
    }
    return nil
  }

  /// The name of an actor given by number; what is no number stays.
  mutating func actor(_ value: Text?, _ facts: EventFacts) -> ArraySlice<UInt8> {
    guard let value else { return [] }
    guard facts.text.unsigned(value, base: 10) != nil else { return facts.text[value] }
    let person = person(value, named: name(of: value, false, facts), false, facts.text)
    return person.name.isEmpty ? facts.text[value] : bytes(person.name, facts.text)
  }

  private static func isNobody(_ number: Text, _ text: EventText) -> Bool {
    number.isEmpty || text.has(number, "unset") || text.has(number, "4294967295")
      || text.has(number, "-1")
  }
}

extension DocumentBytes {
  /// Nothing for a text that is not known. `found` is that of the `PersonFinder`.
  mutating func member(
    _ name: StaticString, _ value: PersonText, _ event: EventText, _ found: EventText
  ) {
    if value.isFound {
      member(name, value.place, found)
    } else {
      member(name, value.place, event)
    }
  }

  mutating func members(_ person: Person, _ event: EventText, _ found: EventText) {
    member("id", person.id, event, found)
    member("name", person.name, event, found)
  }

  /// An object of a person, and of a group within it; nothing when neither is known.
  mutating func person(
    _ name: StaticString, _ person: Person, group: Person = Person(), _ event: EventText,
    _ found: EventText
  ) {
    guard !person.isEmpty || !group.isEmpty else { return }
    object(name)
    members(person, event, found)
    if !group.isEmpty { self.person("group", group, event, found) }
    endObject()
  }
}
