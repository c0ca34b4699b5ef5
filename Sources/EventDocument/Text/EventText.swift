import AudispatchPlugin
import AuditRecord

/// A place in the bytes of an `EventText`.
struct Text: Equatable, Sendable {
  var start: Int32
  var end: Int32

  init(_ range: Range<Int>) {
    start = Int32(truncatingIfNeeded: range.lowerBound)
    end = Int32(truncatingIfNeeded: range.upperBound)
  }

  @inline(__always)
  func moved(by distance: Int) -> Text {
    var text = self
    text.start += Int32(truncatingIfNeeded: distance)
    text.end += Int32(truncatingIfNeeded: distance)
    return text
  }

  var count: Int { Int(end - start) }
  var isEmpty: Bool { end == start }
  var range: Range<Int> { Int(start)..<Int(end) }
}

/// The bytes that a document is made of: the event's lines, and behind them what was decoded from
/// them. A value is a place in here, so that nothing is allocated for it.
struct EventText: Sendable {
  private(set) var bytes: [UInt8] = []

  /// Begins with the lines of an event, whose places stay as they are.
  mutating func begin(_ lines: [UInt8]) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: lines)
  }

  mutating func add(_ word: StaticString) -> Text {
    let start = bytes.count
    unsafe bytes.append(
      contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    return Text(start..<bytes.count)
  }

  mutating func add(_ more: [UInt8]) -> Text {
    let start = bytes.count
    bytes.append(contentsOf: more)
    return Text(start..<bytes.count)
  }

  /// A copy of a place, for what is to be changed or to be continued.
  mutating func copy(_ range: Range<Int>) -> Text {
    let start = bytes.count
    bytes.append(addingCapacity: range.count) { $0.append(repeating: 0, count: range.count) }
    for place in range { bytes[start + place - range.lowerBound] = bytes[place] }
    return Text(start..<bytes.count)
  }

  mutating func append(_ byte: UInt8) { bytes.append(byte) }
  /// Takes away what was added behind a place.
  mutating func cut(to count: Int) { bytes.removeLast(bytes.count - count) }
  mutating func replace(_ place: Int, _ byte: UInt8) { bytes[place] = byte }

  subscript(_ text: Text) -> ArraySlice<UInt8> { bytes[text.range] }

  /// Words of up to seven bytes are compared as numbers; of longer ones nearly all that are others are
  /// known by that too.
  @inline(__always)
  private func hasWord(_ word: StaticString, at start: Int) -> Bool {
    let count = word.utf8CodeUnitCount
    return NameKey(bytes.span, start..<start + count) == NameKey(word)
      && (count <= 7 || bytes.span.has(word, at: start))
  }

  @inline(__always)
  func has(_ text: Text, _ word: StaticString) -> Bool {
    text.count == word.utf8CodeUnitCount && hasWord(word, at: Int(text.start))
  }

  @inline(__always)
  func starts(_ text: Text, with word: StaticString) -> Bool {
    text.count >= word.utf8CodeUnitCount && hasWord(word, at: Int(text.start))
  }

  /// Whether it begins with a word in lower case, in whatever case it is itself.
  func starts(_ text: Text, withAnyCase word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard text.count >= count else { return false }
    for place in 0..<count {
      let byte = bytes[Int(text.start) + place]
      let lower = byte &- 0x41 < 26 ? byte + 0x20 : byte
      if unsafe lower != word.utf8Start[place] { return false }
    }
    return true
  }

  @inline(__always)
  func ends(_ text: Text, with word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    return text.count >= count && hasWord(word, at: Int(text.end) - count)
  }

  @inline(__always)
  func has(_ text: Text, _ word: [UInt8]) -> Bool {
    guard text.count == word.count else { return false }
    let start = Int(text.start)
    for place in word.indices where bytes[start + place] != word[place] { return false }
    return true
  }

  @inline(__always)
  func isSame(_ one: Text, _ other: Text) -> Bool {
    guard one.count == other.count else { return false }
    let (first, second) = (Int(one.start), Int(other.start))
    for place in 0..<one.count where bytes[first + place] != bytes[second + place] { return false }
    return true
  }

  /// A decimal number of at most 19 digits, with or without a sign; `nil` for anything else.
  func number(_ text: Text) -> Int? {
    var at = Int(text.start)
    let end = Int(text.end)
    var isNegative = false
    if at < end, bytes[at] == 0x2d || bytes[at] == 0x2b {
      isNegative = bytes[at] == 0x2d
      at += 1
    }
    guard at < end, end - at <= 18 else { return nil }
    var value = 0
    while at < end {
      let digit = bytes[at] &- 0x30
      guard digit < 10 else { return nil }
      value = value * 10 + Int(digit)
      at += 1
    }
    return isNegative ? -value : value
  }

  /// Whether it is a decimal number of at most 18 digits, as everybody writes it.
  func isDecimal(_ text: Text) -> Bool {
    LaurelValue.isCanonical(bytes.span.extracting(text.range))
  }

  /// A number in a base up to 16; `nil` for anything else, and beyond 64 bits.
  func unsigned(_ text: Text, base: UInt64) -> UInt64? {
    guard !text.isEmpty else { return nil }
    var value: UInt64 = 0
    if text.count <= 16 {
      for place in text.range {
        guard let digit = Self.digit(bytes[place]), UInt64(digit) < base else { return nil }
        value = value &* base &+ UInt64(digit)
      }
      return value
    }
    for place in text.range {
      guard let digit = Self.digit(bytes[place]), UInt64(digit) < base else { return nil }
      let (product, tooLarge) = value.multipliedReportingOverflow(by: base)
      let (sum, tooLong) = product.addingReportingOverflow(UInt64(digit))
      guard !tooLarge, !tooLong else { return nil }
      value = sum
    }
    return value
  }

  @inline(__always)
  static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }

  /// The hexadecimal digit of a number below 16, in lower case.
  static func digit(of number: UInt8) -> UInt8 { number < 10 ? 0x30 + number : 0x57 + number }

  /// What pairs of upper-case hexadecimal digits stand for, as an addition; `nil` when the place
  /// has anything else, or nothing.
  mutating func decodedHex(_ text: Text) -> Text? {
    guard !text.isEmpty, text.count.isMultiple(of: 2), isUpperHex(text) else { return nil }
    let start = bytes.count
    var at = Int(text.start)
    while at < Int(text.end) {
      bytes.append(Self.digit(bytes[at])! << 4 | Self.digit(bytes[at + 1])!)
      at += 2
    }
    return Text(start..<bytes.count)
  }

  func isUpperHex(_ text: Text) -> Bool {
    for place in text.range {
      switch bytes[place] {
      case 0x30...0x39, 0x41...0x46: continue
      default: return false
      }
    }
    return true
  }
}
