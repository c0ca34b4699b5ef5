import AudispatchPlugin
import AuditRecord

/// Which fields of a record are no members of its object, but stand in a list.
enum LaurelLists: Sendable {
  case none
  /// What is called as the members that are made here.
  case own
  /// That, and a system call's arguments.
  case call
  /// That, and a program's arguments.
  case exec

  @inline(__always)
  func have(_ field: LaurelField, _ bytes: borrowing Span<UInt8>) -> Bool {
    switch self {
    case .none: false
    case .own: field.meaning == .own
    case .call: field.meaning == .own || field.meaning == .argument
    case .exec:
      field.meaning == .own
        || bytes[Int(field.name.start)] == UInt8(ascii: "a") && field.key != NameKey("argc")
    }
  }
}

/// The fields of the records of one type, found once; kept from record to record, so that nothing is
/// allocated for them.
struct LaurelFields: Sendable {
  /// So few are looked through.
  private static let few = 64
  private(set) var all: [LaurelField] = []
  private var seen = NameFilter()
  private let meanings = LaurelName.table
  /// Where the last field of a name is, once there are more than a few.
  private var places: [NameKey: Int] = [:]

  mutating func begin() {
    all.removeAll(keepingCapacity: true)
    seen.removeAll()
    if !places.isEmpty { places.removeAll() }
  }

  /// Adds the fields of a record. Of those with one name that are members the last one counts.
  mutating func add(
    _ record: EventRecord, _ bytes: borrowing Span<UInt8>, except lists: LaurelLists
  ) {
    var scanner = LaurelScanner(record)
    while var field = scanner.next(bytes) {
      field.meaning = meanings[field.key]
      field.isLeftOut = lists.have(field, bytes)
      if !field.isLeftOut {
        if all.count >= Self.few {
          leaveOutByPlace(field, bytes)
        } else if seen.insert(field.key) {
          leaveOut(field, bytes)
        }
      }
      all.append(field)
    }
  }

  /// Leaves out those of a name.
  mutating func leaveOut(_ name: StaticString, _ bytes: borrowing Span<UInt8>) {
    let key = NameKey(name)
    for place in all.indices
    where all[place].key == key && bytes.isName(all[place].name.range, name) {
      all[place].isLeftOut = true
    }
  }

  private mutating func leaveOutByPlace(_ field: LaurelField, _ bytes: borrowing Span<UInt8>) {
    if places.isEmpty {
      for place in all.indices where !all[place].isLeftOut { places[all[place].key] = place }
    }
    guard let place = places.updateValue(all.count, forKey: field.key) else { return }
    if field.key.isExact || bytes.isSame(all[place].name.range, field.name.range) {
      all[place].isLeftOut = true
    } else {
      leaveOut(field, bytes)
    }
  }

  private mutating func leaveOut(_ other: LaurelField, _ bytes: borrowing Span<UInt8>) {
    for place in all.indices.reversed()
    where all[place].key == other.key && !all[place].isLeftOut
      && (other.key.isExact || bytes.isSame(all[place].name.range, other.name.range))
    {
      all[place].isLeftOut = true
      return
    }
  }
}

extension Span<UInt8> {
  /// Whether a name is that word.
  func isName(_ name: Range<Int>, _ word: StaticString) -> Bool {
    name.count == word.utf8CodeUnitCount && has(word, at: name.lowerBound)
  }

  func isSame(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
    guard one.count == other.count else { return false }
    for place in 0..<one.count
    where self[one.lowerBound + place] != self[other.lowerBound + place] {
      return false
    }
    return true
  }
}
