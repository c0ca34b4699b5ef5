import Configuration
import Linux

/// What values of auditbeat.yml may be.
///
/// A wrong kind of value is an error; a value that nobody can know here is a warning, which is thrown
/// as well: nothing is taken of it.
struct ImportedValues {
  /// `${path.config}`.
  let folder: String

  /// - Parameter key: shown where the value must not be.
  func text(_ item: YAMLItem, _ name: String, _ key: Word) throws(Diagnostic) -> String {
    guard case .scalar = item.value else {
      throw item.word.error("\(name) is a single value, not \(item.value.kind)")
    }
    let text = item.word.text.replacing("${path.config}", with: folder)
    // It may have a password behind a colon.
    guard !text.contains("${") else {
      throw Self.hidden(key, item).warning(
        "${...} is not looked up, neither in the environment nor in the keystore",
        suggestion: "set what it stands for in our file")
    }
    return text
  }

  /// The name of a setting at the place of its value.
  static func hidden(_ key: Word, _ item: YAMLItem) -> Word {
    Word(text: key.text, file: item.word.file, position: item.word.position)
  }

  func list(_ item: YAMLItem, _ name: String) throws(Diagnostic) -> [YAMLItem] {
    switch item.value {
    case .list(let items): return items
    case .scalar: return [item]
    case .table: throw item.word.error("\(name) is a list, not a table")
    }
  }

  func flag(_ item: YAMLItem, _ name: String, _ key: Word) throws(Diagnostic) -> Bool {
    switch try text(item, name, key).lowercased() {
    case "true", "yes", "on": return true
    case "false", "no", "off": return false
    default: throw item.word.error("\(name) is true or false")
    }
  }

  func number(_ item: YAMLItem, _ name: String, _ key: Word) throws(Diagnostic) -> Int {
    guard let number = Int(try text(item, name, key)) else {
      throw item.word.error("\(name) is a number")
    }
    return number
  }

  /// Seconds, as our files have them.
  func seconds(_ item: YAMLItem, _ name: String, _ key: Word) throws(Diagnostic) -> String {
    guard let nanoseconds = Self.nanoseconds(try text(item, name, key)) else {
      throw item.word.error("\(name) is a time, as 90, 90s or 1m30s")
    }
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    guard rest > 0 else { return "\(whole)" }
    var digits = padded(String(rest), to: 9)
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(whole).\(digits)"
  }

  private static let units: [(name: String, nanoseconds: Int)] = [
    ("ns", 1), ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
  ]

  /// Digits alone are seconds; otherwise numbers, each with its unit, whose sum it is.
  private static func nanoseconds(_ text: String) -> Int? {
    var rest = text[...]
    if rest.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) { rest = (text + "s")[...] }
    var sum = 0
    repeat {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(digits.count)
      let name = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest.dropFirst(name.count)
      guard let unit = units.first(where: { $0.name == name }), let value = Double(String(digits)),
        case let part = value * Double(unit.nanoseconds), part < 1e17
      else { return nil }
      sum += Int(part)
      guard sum < 1 << 60 else { return nil }
    } while !rest.isEmpty
    return sum
  }
}
