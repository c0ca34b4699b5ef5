import Configuration

/// A value of a TOML file, and where it stands.
struct TOMLItem {
  indirect enum Value {
    case string(String)
    case integer(Int)
    case boolean(Bool)
    /// A number with a fraction, or a date: nothing here has one.
    case other
    case array([TOMLItem])
    case table(TOMLTable)

    /// What messages call it.
    var kind: String {
      switch self {
      case .string: "a text"
      case .integer: "a number"
      case .boolean: "true or false"
      case .other: "a fraction or date"
      case .array: "a list"
      case .table: "a table"
      }
    }
  }

  var value: Value
  var word: Word
}

/// A table of a TOML file. A class, because headers come back to tables that are there.
final class TOMLTable {
  /// How a table came to be: what may be added to it depends on that.
  enum Origin { case header, implied, dotted, inline }

  struct Entry {
    var key: Word
    var item: TOMLItem
  }

  private(set) var entries: [Entry] = []
  private var places: [String: Int] = [:]
  var origin: Origin

  init(_ origin: Origin) { self.origin = origin }

  subscript(_ key: String) -> Entry? { places[key].map { entries[$0] } }

  func add(_ key: Word, _ item: TOMLItem) {
    places[key.text] = entries.count
    entries.append(Entry(key: key, item: item))
  }

  func replace(_ key: String, _ item: TOMLItem) {
    if let place = places[key] { entries[place].item = item }
  }
}
