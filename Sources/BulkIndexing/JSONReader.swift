/// Why a text is not the JSON that is expected there.
public struct JSONFault: Error, Equatable, Sendable {
  /// The byte at which that shows.
  public let place: Int

  public init(place: Int) { self.place = place }
}

/// Walks a JSON text from left to right, strictly (RFC 8259), and takes out what is asked for.
///
/// Whatever the bytes are, the walk ends, and no nesting is deeper than a bound.
public struct JSONReader: Sendable {
  private static let deepest = 64

  private let bytes: [UInt8]
  private var at = 0
  private var depth = 0

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public enum Kind: Equatable, Sendable { case object, array, string, number, word }

  /// What the next value is.
  public mutating func kind() throws(JSONFault) -> Kind {
    passSpace()
    guard at < bytes.count else { throw fault }
    switch bytes[at] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), 0x30...0x39: return .number
    default: return .word
    }
  }

  /// Walks an object; `body` takes, or skips, the value of each name.
  public mutating func object(
    _ body: (inout JSONReader, [UInt8]) throws(JSONFault) -> Void
  ) throws(JSONFault) {
    try enter("{")
    if take("}") { return leave() }
    repeat {
      let name = try string()
      try expect(":")
      try body(&self, name)
    } while take(",")
    try expect("}")
    leave()
  }

  /// Walks an array; `body` takes, or skips, each value.
  public mutating func array(
    _ body: (inout JSONReader) throws(JSONFault) -> Void
  ) throws(JSONFault) {
    try enter("[")
    if take("]") { return leave() }
    repeat { try body(&self) } while take(",")
    try expect("]")
    leave()
  }

  /// A string, decoded. A half of a surrogate pair is U+FFFD.
  public mutating func string() throws(JSONFault) -> [UInt8] {
    try expect("\"")
    var text: [UInt8] = []
    while true {
      let start = at
      while at < bytes.count, bytes[at] >= 0x20, bytes[at] != 0x22, bytes[at] != 0x5c { at += 1 }
      let part = bytes[start..<at]
      guard at < bytes.count, bytes[at] >= 0x20 else { throw fault }
      at += 1
      // Most strings have no escape, and are copied once.
      if bytes[at - 1] == 0x22 { return text.isEmpty ? Array(part) : text + part }
      text += part
      try appendEscape(to: &text)
    }
  }

  /// A whole number; other numbers are a fault.
  public mutating func integer() throws(JSONFault) -> Int {
    passSpace()
    let start = at
    try number()
    guard let value = Int(String(decoding: bytes[start..<at], as: UTF8.self)) else {
      throw JSONFault(place: start)
    }
    return value
  }

  public mutating func boolean() throws(JSONFault) -> Bool {
    if takeWord("true") { return true }
    if takeWord("false") { return false }
    throw fault
  }

  /// Passes over a value of any kind.
  public mutating func skip() throws(JSONFault) {
    switch try kind() {
    case .object:
      try object { (reader: inout JSONReader, _) throws(JSONFault) in try reader.skip() }
    case .array: try array { (reader: inout JSONReader) throws(JSONFault) in try reader.skip() }
    case .string: _ = try string()
    case .number: try number()
    case .word:
      guard takeWord("true") || takeWord("false") || takeWord("null") else { throw fault }
    }
  }

  /// Passes over a value; its text.
  public mutating func raw() throws(JSONFault) -> ArraySlice<UInt8> {
    passSpace()
    let start = at
    try skip()
    return bytes[start..<at]
  }

  /// Nothing may follow.
  public mutating func end() throws(JSONFault) {
    passSpace()
    guard at == bytes.count else { throw fault }
  }

  private var fault: JSONFault { JSONFault(place: at) }

  private mutating func passSpace() {
    while at < bytes.count, Self.isSpace(bytes[at]) { at += 1 }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
  }

  private mutating func take(_ mark: Unicode.Scalar) -> Bool {
    passSpace()
    guard at < bytes.count, bytes[at] == UInt8(ascii: mark) else { return false }
    at += 1
    return true
  }

  private mutating func expect(_ mark: Unicode.Scalar) throws(JSONFault) {
    guard take(mark) else { throw fault }
  }

  private mutating func enter(_ mark: Unicode.Scalar) throws(JSONFault) {
    guard depth < Self.deepest else { throw fault }
    try expect(mark)
    depth += 1
  }

  private mutating func leave() { depth -= 1 }

  private mutating func takeWord(_ word: StaticString) -> Bool {
    passSpace()
    let count = word.utf8CodeUnitCount
    guard bytes.count - at >= count else { return false }
    for place in 0..<count where unsafe bytes[at + place] != word.utf8Start[place] { return false }
    at += count
    return true
  }

  private mutating func number() throws(JSONFault) {
    if at < bytes.count, bytes[at] == UInt8(ascii: "-") { at += 1 }
    let beginsWithZero = at < bytes.count && bytes[at] == 0x30
    let count = digits()
    guard count == 1 || count > 1 && !beginsWithZero else { throw fault }
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      at += 1
      guard digits() > 0 else { throw fault }
    }
    guard at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") else { return }
    at += 1
    if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") {
      at += 1
    }
    guard digits() > 0 else { throw fault }
  }

  /// Passes over digits; how many.
  private mutating func digits() -> Int {
    let start = at
    while at < bytes.count, bytes[at] &- 0x30 < 10 { at += 1 }
    return at - start
  }

  private mutating func appendEscape(to text: inout [UInt8]) throws(JSONFault) {
    guard at < bytes.count else { throw fault }
    at += 1
    switch bytes[at - 1] {
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case 0x22, 0x5c, 0x2f: text.append(bytes[at - 1])
    case UInt8(ascii: "u"):
      var unit = try fourDigits()
      if 0xd800..<0xdc00 ~= unit, bytes.count - at >= 6, bytes[at] == 0x5c,
        bytes[at + 1] == UInt8(ascii: "u")
      {
        let before = at
        at += 2
        let low = try fourDigits()
        if 0xdc00..<0xe000 ~= low {
          unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
        } else {
          at = before
        }
      }
      let scalar = Unicode.Scalar(unit) ?? "\u{fffd}"
      text += Array(String(Character(scalar)).utf8)
    default: throw JSONFault(place: at - 1)
    }
  }

  private mutating func fourDigits() throws(JSONFault) -> UInt32 {
    guard bytes.count - at >= 4,
      bytes[at..<at + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
    else { throw fault }
    at += 4
    return value
  }
}
