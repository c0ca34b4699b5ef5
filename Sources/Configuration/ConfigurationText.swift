/// A word of a configuration file and where it stands.
public struct Word: Equatable, Sendable {
  /// Without the quotes around it.
  public var text: String
  public var file: String
  /// Of the first byte; of the opening quote, if there is one. Line 0: not in a file.
  public var position: Diagnostic.Position
  public var isQuoted = false

  package init(
    text: String, file: String, position: Diagnostic.Position, isQuoted: Bool = false
  ) {
    self.text = text
    self.file = file
    self.position = position
    self.isQuoted = isQuoted
  }

  public func error(_ message: String, suggestion: String? = nil) -> Diagnostic {
    problem(message, severity: .error, suggestion: suggestion)
  }

  public func warning(_ message: String, suggestion: String? = nil) -> Diagnostic {
    problem(message, severity: .warning, suggestion: suggestion)
  }

  public func problem(
    _ message: String, severity: Diagnostic.Severity, suggestion: String? = nil
  ) -> Diagnostic {
    Diagnostic(severity, file: file, at: place, word: text, message, suggestion: suggestion)
  }

  private var place: Diagnostic.Position? { position.line > 0 ? position : nil }
}

/// One line `keyword = value …`.
public struct Setting: Equatable, Sendable {
  public var keyword: Word
  /// Never empty.
  public var values: [Word]

  package init(keyword: Word, values: [Word]) {
    self.keyword = keyword
    self.values = values
  }
}

/// A configuration file taken apart into settings, in the grammar of auditd's files:
///
///     line    = [ keyword blank "=" blank value { blank value } ] | "#" anything
///     value   = plain | "'" anything "'" | '"' anything '"'
///     blank   = spaces and tabs
///
/// Lines end with LF or CRLF, the last one also with the file. A quote counts only as the first
/// byte of a value; inside quotes every byte stands for itself. A comment has a line of its own.
/// In comments any byte is fine; elsewhere the text is UTF-8 without control characters.
public struct ConfigurationText: Equatable, Sendable {
  /// Bytes in one line, its end not counted.
  public static let lineLimit = 64 << 10
  /// Bytes in one file.
  public static let fileLimit = 256 << 10
  /// Problems in one file that are worth a line each.
  static let problemLimit = 100

  public private(set) var settings: [Setting] = []
  /// All of them errors, in the order of the lines; at most one a line. After a hundred the rest
  /// of the file is not read.
  public private(set) var diagnostics: [Diagnostic] = []
  private let file: String

  /// Takes any bytes apart; never fails, reports. Complexity: O(bytes).
  public init(_ bytes: [UInt8], file: String) {
    self.file = file
    if bytes.count > Self.fileLimit {
      diagnostics.append(
        Diagnostic(.error, file: file, "longer than \(Self.fileLimit >> 10) KiB"))
      return
    }
    var rest = bytes[...]
    if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
    var number = 1
    while !rest.isEmpty, !diagnostics.isFull(at: number, of: file) {
      let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
      var line = rest[..<end]
      if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
      do throws(Diagnostic) {
        var reader = LineReader(line, number: number, file: file)
        if let setting = try reader.setting() { settings.append(setting) }
      } catch { diagnostics.append(error) }
      rest = rest[min(end + 1, rest.endIndex)...]
      number += 1
    }
  }
}

extension [Diagnostic] {
  /// True from the hundredth on, which is followed by a last one that says so.
  package mutating func isFull(at line: Int, of file: String) -> Bool {
    guard count >= ConfigurationText.problemLimit else { return false }
    if count == ConfigurationText.problemLimit {
      let position = Diagnostic.Position(line: line, column: 1)
      append(
        Diagnostic(.error, file: file, at: position, "too many problems; not read from here on"))
    }
    return true
  }
}

/// Reads one line from left to right.
private struct LineReader {
  let line: ArraySlice<UInt8>
  let number: Int
  let file: String
  var at: Int

  init(_ line: ArraySlice<UInt8>, number: Int, file: String) {
    self.line = line
    self.number = number
    self.file = file
    at = line.startIndex
  }

  mutating func setting() throws(Diagnostic) -> Setting? {
    skipBlanks()
    guard let first = next, first != UInt8(ascii: "#") else { return nil }
    guard line.count <= ConfigurationText.lineLimit else {
      throw error(
        at: line.startIndex + ConfigurationText.lineLimit,
        "the line is longer than \(ConfigurationText.lineLimit >> 10) KiB")
    }
    let keyword = try word(until: { $0 == UInt8(ascii: "=") })
    if keyword.text.isEmpty {
      throw error(at: at, word: "=", "no keyword before '='")
    }
    let afterKeyword = at
    skipBlanks()
    guard next == UInt8(ascii: "=") else {
      throw Diagnostic(
        .error, file: file, at: position(of: at), word: keyword.text, "no '=' after the keyword",
        suggestion: "write 'keyword = value'")
    }
    let equals = at
    at += 1
    let separated = next.map(isBlank) ?? true
    skipBlanks()
    var values: [Word] = []
    while next != nil {
      values.append(try value())
      skipBlanks()
    }
    guard let firstValue = values.first else {
      throw error(at: at, word: keyword.text, "no value after '='")
    }
    guard afterKeyword != equals, separated else {
      throw error(
        at: equals, word: "=", "no space around '='",
        suggestion: "write '\(keyword.text) = \(firstValue.text)'")
    }
    return Setting(keyword: keyword, values: values)
  }

  private var next: UInt8? { at < line.endIndex ? line[at] : nil }

  private func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }

  private mutating func skipBlanks() {
    while let byte = next, isBlank(byte) { at += 1 }
  }

  private mutating func value() throws(Diagnostic) -> Word {
    guard let quote = next, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
      return try word(until: { _ in false })
    }
    let opening = at
    guard let closing = line[(at + 1)...].firstIndex(of: quote) else {
      throw error(
        at: opening, word: try text(opening..<line.endIndex), "the quote is not closed",
        suggestion: "a value that begins with one is closed with the same")
    }
    at = closing + 1
    if let after = next, !isBlank(after) {
      throw error(
        at: at, word: try text(at..<endOfWord(from: at)), "text directly after a closing quote",
        suggestion: "put the quotes around the whole value")
    }
    return Word(
      text: try text((opening + 1)..<closing), file: file, position: position(of: opening),
      isQuoted: true)
  }

  private mutating func word(until ends: (UInt8) -> Bool) throws(Diagnostic) -> Word {
    let start = at
    while let byte = next, !isBlank(byte), !ends(byte) { at += 1 }
    return Word(text: try text(start..<at), file: file, position: position(of: start))
  }

  private func endOfWord(from start: Int) -> Int {
    line[start...].firstIndex(where: isBlank) ?? line.endIndex
  }

  /// The bytes as text, if they are UTF-8 without control characters; a tab may stand in quotes.
  private func text(_ range: Range<Int>) throws(Diagnostic) -> String {
    let bytes = line[range]
    if let control = bytes.firstIndex(where: { ($0 < 0x20 && $0 != 9) || $0 == 0x7F }) {
      let digits = String(line[control], radix: 16, uppercase: true)
      throw error(
        at: control, word: String(decoding: bytes, as: UTF8.self),
        line[control] == 0
          ? "NUL byte" : "control character 0x\(digits.count < 2 ? "0" : "")\(digits)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let valid = validPrefix(of: bytes)
      throw error(
        at: range.lowerBound + valid, word: String(decoding: bytes, as: UTF8.self), "not UTF-8")
    }
    return text
  }

  /// How many bytes at the start are well-formed.
  private func validPrefix(of bytes: ArraySlice<UInt8>) -> Int {
    var decoder = UTF8()
    var input = bytes.makeIterator()
    var count = 0
    while case .scalarValue(let scalar) = decoder.decode(&input) {
      count += UTF8.width(scalar)
    }
    return count
  }

  private func position(of index: Int) -> Diagnostic.Position {
    Diagnostic.Position(line: number, column: index - line.startIndex + 1)
  }

  private func error(
    at index: Int, word: String? = nil, _ message: String, suggestion: String? = nil
  ) -> Diagnostic {
    Diagnostic(
      .error, file: file, at: position(of: index), word: word, message, suggestion: suggestion)
  }
}
