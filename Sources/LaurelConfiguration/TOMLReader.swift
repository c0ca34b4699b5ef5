import Configuration

/// Reads TOML, version 0.5, of any bytes. Throws the first fault, and where it is.
struct TOMLReader {
  /// Lists and tables within each other.
  private static let deepest = 64

  let text: [UInt8]
  let file: String
  var at = 0
  private var line = 1
  private var lineStart = 0
  private var depth = 0

  init(_ bytes: [UInt8], file: String) {
    text = bytes
    self.file = file
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { at = 3 }
  }

  static func read(_ bytes: [UInt8], file: String) throws(Diagnostic) -> TOMLTable {
    guard bytes.count <= ConfigurationText.fileLimit else {
      throw Diagnostic(
        .error, file: file, "longer than \(ConfigurationText.fileLimit >> 10) KiB")
    }
    var reader = TOMLReader(bytes, file: file)
    if let fault = reader.firstFault() { throw fault }
    return try reader.document()
  }

  /// Bytes that stand nowhere in TOML.
  private mutating func firstFault() -> Diagnostic? {
    guard String(validating: text, as: UTF8.self) != nil else {
      return Diagnostic(.error, file: file, "not UTF-8")
    }
    return nil
  }

  private mutating func document() throws(Diagnostic) -> TOMLTable {
    let root = TOMLTable(.header)
    var table = root
    while true {
      skip(newlines: true)
      guard let byte = next else { return root }
      if byte == 0x5b {
        table = try header(in: root)
      } else {
        try pair(into: table)
      }
      skip(newlines: false)
      guard next == nil || next == 0x0a || isReturn else {
        throw fault("only one setting stands on a line")
      }
    }
  }

  // MARK: Bytes

  var next: UInt8? { at < text.count ? text[at] : nil }
  private var isReturn: Bool { next == 0x0d && at + 1 < text.count && text[at + 1] == 0x0a }

  mutating func advance() {
    if text[at] == 0x0a {
      line += 1
      lineStart = at + 1
    }
    at += 1
  }

  mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    advance()
    return true
  }

  /// Blanks and comments, and line ends if wanted.
  mutating func skip(newlines: Bool) {
    while let byte = next {
      if byte == 0x20 || byte == 0x09 {
        at += 1
      } else if byte == 0x23 {
        while let byte = next, byte != 0x0a { _ = byte; at += 1 }
      } else if newlines, byte == 0x0a || isReturn {
        advance()
      } else {
        return
      }
    }
  }

  var position: Diagnostic.Position { Diagnostic.Position(line: line, column: at - lineStart + 1) }

  func word(_ text: String, at position: Diagnostic.Position) -> Word {
    Word(text: text, file: file, position: position)
  }

  func fault(_ message: String, suggestion: String? = nil) -> Diagnostic {
    Diagnostic(.error, file: file, at: position, message, suggestion: suggestion)
  }

  // MARK: Tables

  private mutating func header(in root: TOMLTable) throws(Diagnostic) -> TOMLTable {
    let start = position
    advance()
    let isList = take(0x5b)
    let keys = try self.keys()
    guard take(0x5d), !isList || take(0x5d) else { throw fault("the header is not closed") }
    var table = root
    for (place, key) in keys.enumerated() {
      let isLast = place == keys.count - 1
      guard let entry = table[key.text] else {
        let made = TOMLTable(isLast ? .header : .implied)
        let item = TOMLItem(value: .table(made), word: key)
        table.add(
          key, isLast && isList ? TOMLItem(value: .array([item]), word: key) : item)
        table = made
        continue
      }
      switch entry.item.value {
      case .table(let there) where !isLast:
        guard there.origin != .inline else { throw again(key, entry) }
        table = there
      case .table(let there) where isLast && !isList && there.origin == .implied:
        there.origin = .header
        table = there
      case .array(var items) where isLast && isList:
        guard case .table(let first)? = items.first?.value, first.origin != .inline,
          items.count < 1000
        else { throw again(key, entry) }
        let made = TOMLTable(.header)
        items.append(TOMLItem(value: .table(made), word: word("", at: start)))
        table.replace(key.text, TOMLItem(value: .array(items), word: entry.item.word))
        table = made
      case .array(let items) where !isLast:
        guard case .table(let last)? = items.last?.value, last.origin != .inline else {
          throw again(key, entry)
        }
        table = last
      default: throw again(key, entry)
      }
    }
    return table
  }

  private func again(_ key: Word, _ entry: TOMLTable.Entry) -> Diagnostic {
    key.error("given before, on line \(entry.key.position.line)")
  }

  private mutating func pair(into table: TOMLTable) throws(Diagnostic) {
    let keys = try self.keys()
    guard take(0x3d) else { throw fault("no '=' behind the key") }
    skip(newlines: false)
    let item = try value()
    var table = table
    for key in keys.dropLast() {
      guard let entry = table[key.text] else {
        let made = TOMLTable(.dotted)
        table.add(key, TOMLItem(value: .table(made), word: key))
        table = made
        continue
      }
      guard case .table(let there) = entry.item.value, there.origin == .dotted else {
        throw again(key, entry)
      }
      table = there
    }
    guard let last = keys.last else { throw fault("no key in front of '='") }
    if let entry = table[last.text] { throw again(last, entry) }
    table.add(last, item)
  }

  /// A key, or several with dots between them.
  private mutating func keys() throws(Diagnostic) -> [Word] {
    var keys: [Word] = []
    repeat {
      skip(newlines: false)
      let start = position
      switch next {
      case 0x22, 0x27:
        let quote = text[at]
        guard !(at + 2 < text.count && text[at + 1] == quote && text[at + 2] == quote) else {
          throw fault("a key has one line")
        }
        keys.append(word(try string(), at: start))
      default:
        let begin = at
        while let byte = next, Self.isBare(byte) { at += 1 }
        guard at > begin else {
          throw fault("a key has letters, digits, '-' and '_', or stands in quotes")
        }
        keys.append(word(String(decoding: text[begin..<at], as: UTF8.self), at: start))
      }
      guard keys.count <= Self.deepest else { throw fault("tables are nested too deeply") }
      skip(newlines: false)
    } while take(0x2e)
    return keys
  }

  private static func isBare(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == 0x2d || byte == 0x5f
  }

  // MARK: Values

  mutating func value() throws(Diagnostic) -> TOMLItem {
    guard depth < Self.deepest else { throw fault("values are nested too deeply") }
    depth += 1
    defer { depth -= 1 }
    let start = position
    switch next {
    case 0x22, 0x27:
      let text = try string()
      return TOMLItem(value: .string(text), word: word(text, at: start))
    case 0x5b: return TOMLItem(value: .array(try array()), word: word("[", at: start))
    case 0x7b: return TOMLItem(value: .table(try inlineTable()), word: word("{", at: start))
    default: return try plain()
    }
  }

  private mutating func array() throws(Diagnostic) -> [TOMLItem] {
    advance()
    var items: [TOMLItem] = []
    while true {
      skip(newlines: true)
      if take(0x5d) { return items }
      items.append(try value())
      skip(newlines: true)
      if take(0x5d) { return items }
      guard take(0x2c) else { throw fault("no ',' between two values") }
    }
  }

  private mutating func inlineTable() throws(Diagnostic) -> TOMLTable {
    advance()
    let table = TOMLTable(.inline)
    skip(newlines: false)
    if take(0x7d) { return table }
    while true {
      try pair(into: table)
      skip(newlines: false)
      if take(0x7d) { return table }
      guard take(0x2c) else { throw fault("no ',' between two settings") }
    }
  }

  private mutating func plain() throws(Diagnostic) -> TOMLItem {
    let start = position
    let begin = at
    while let byte = next, Self.isBare(byte) || [0x2b, 0x2e, 0x3a].contains(byte) { at += 1 }
    let text = String(decoding: self.text[begin..<at], as: UTF8.self)
    let word = word(text, at: start)
    if text.isEmpty { throw fault("no value") }
    if text == "true" || text == "false" {
      return TOMLItem(value: .boolean(text == "true"), word: word)
    }
    if let number = Self.integer(text) { return TOMLItem(value: .integer(number), word: word) }
    if Double(text.replacing("_", with: "")) != nil || text.utf8.first.map({ $0 &- 0x30 < 10 })! {
      return TOMLItem(value: .other, word: word)
    }
    throw word.error("not a value", suggestion: "a text stands in quotes")
  }

  private static func integer(_ text: String) -> Int? {
    var digits = text[...]
    var base = 10
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
      digits = digits.dropFirst(2)
      base = radix
    }
    guard !digits.hasPrefix("_"), !digits.hasSuffix("_"), !digits.contains("__"), !digits.isEmpty
    else { return nil }
    let plain = digits.replacing("_", with: "")
    if base == 10 {
      let unsigned = plain.hasPrefix("-") || plain.hasPrefix("+") ? plain.dropFirst() : plain[...]
      guard unsigned == "0" || !unsigned.hasPrefix("0") else { return nil }
    } else if plain.hasPrefix("-") || plain.hasPrefix("+") {
      return nil
    }
    return Int(plain, radix: base)
  }
}
