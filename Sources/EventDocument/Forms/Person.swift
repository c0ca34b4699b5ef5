/// A user or group as a document shows it: number and name, each if it is known.
struct Person: Equatable {
  var id: ArraySlice<UInt8> = []
  var name: ArraySlice<UInt8> = []

  var isEmpty: Bool { id.isEmpty && name.isEmpty }
}

/// Names for the numbers of an event: those that its lines bring, else those of the host.
struct PersonFinder: Sendable {
  var cache: AccountCache

  /// The user or group of an identity of the process (`auid`); empty for nobody.
  @inline(__always)
  mutating func identity(_ name: StaticString, _ facts: EventFacts) -> Person {
    guard let value = facts.identities.value(name, facts.text) else { return Person() }
    let isGroup = unsafe name.utf8Start[name.utf8CodeUnitCount - 3] == UInt8(ascii: "g")
    return person(value, named: facts.accounts.value(name, facts.text), isGroup, facts.text)
  }

  mutating func person(
    _ number: Text?, named: Text? = nil, _ isGroup: Bool, _ text: EventText
  ) -> Person {
    guard let number, !Self.isNobody(number, text) else { return Person() }
    var person = Person(id: text[number])
    if let named, !text.starts(named, with: "unknown("), !text.has(named, "unset") {
      person.name = text[named]
    } else if let value = text.unsigned(number, base: 10), value < 0xffff_ffff {
      let name = isGroup ? cache.group(UInt32(value)) : cache.user(UInt32(value))
      if let name { person.name = name[...] }
    }
    return person
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
    return Person(id: number.map { $0[...] } ?? [], name: facts.text[name])
  }

  /// The name that the lines bring for a number, whichever identity has it.
  private func name(of id: Text, _ isGroup: Bool, _ facts: EventFacts) -> Text? {
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
    let found = person(value, named: name(of: value, false, facts), false, facts.text)
    return found.name.isEmpty ? facts.text[value] : found.name
  }

  private static func isNobody(_ number: Text, _ text: EventText) -> Bool {
    number.isEmpty || text.has(number, "unset") || text.has(number, "4294967295")
      || text.has(number, "-1")
  }
}
