import Configuration

/// A value of a YAML file, and where it stands.
struct YAMLItem: Sendable {
  enum Value: Sendable {
    /// - Parameter isPlain: whether it stands without quotes, so that it may be no text.
    case scalar(isPlain: Bool)
    case list([YAMLItem])
    case table([Entry])

    /// What messages call it.
    var kind: String {
      switch self {
      case .scalar: "a single value"
      case .list: "a list"
      case .table: "a table"
      }
    }
  }

  struct Entry: Sendable {
    var key: Word
    var item: YAMLItem
  }

  var value: Value
  /// Its text, where it is a scalar.
  var word: Word

  /// Whether it says nothing, as `~` and an empty value do.
  var isNull: Bool {
    guard case .scalar(let isPlain) = value, isPlain else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(word.text)
  }
}
