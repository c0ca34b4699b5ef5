/// JSON as it is written: objects, arrays and strings, straight into bytes.
///
/// What it writes is valid UTF-8 and valid JSON whatever the values are. A comma is put where one
/// is due, so that callers need not know what came before.
struct DocumentBytes: Sendable {
  /// How bytes that are no UTF-8 are shown.
  enum Undecodable: Sendable {
    /// As U+FFFD, one for each byte: what was there is lost.
    case replaced
    /// As `\xNN`; where that would stand by itself, its backslash is written as `\x5c`. So every
    /// value can be turned back.
    case escaped
    /// As Laurel does: percent-encoded, as control characters, `%` and `+` are.
    case percent
  }

  private(set) var bytes: [UInt8] = []
  let undecodable: Undecodable
  /// Bytes of a value; what is beyond is left out and counted.
  var valueLimit = Int.max
  /// Items of an array or object whose length the event decides; what is beyond is counted.
  var itemLimit = Int.max

  init(_ undecodable: Undecodable) { self.undecodable = undecodable }

  mutating func begin() { bytes.removeAll(keepingCapacity: true) }

  @inline(__always)
  private mutating func separate() {
    guard let last = bytes.last, last != 0x7b, last != 0x5b, last != 0x3a else {
      return
    }
    bytes.append(0x2c)
  }

  mutating func raw(_ word: StaticString) {
    unsafe bytes.append(
      contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
  }

  mutating func beginObject() {
    separate()
    bytes.append(0x7b)
  }

  mutating func endObject() { bytes.append(0x7d) }

  /// Takes the end of an object back, so that a member can follow.
  mutating func reopenObject() {
    precondition(bytes.last == 0x7d, "what is to be gone on with is no object")
    bytes.removeLast()
  }

  mutating func beginArray() {
    separate()
    bytes.append(0x5b)
  }

  /// An array behind a key.
  mutating func beginList() { bytes.append(0x5b) }

  mutating func endArray() { bytes.append(0x5d) }

  /// A name that needs no escapes.
  mutating func key(_ name: StaticString) {
    separate()
    bytes.append(0x22)
    raw(name)
    bytes.append(0x22)
    bytes.append(0x3a)
  }

  mutating func key(_ name: borrowing Span<UInt8>) {
    separate()
    bytes.append(0x22)
    escape(name)
    bytes.append(0x22)
    bytes.append(0x3a)
  }

  mutating func key(_ name: ArraySlice<UInt8>) { key(name.span) }
  mutating func key(_ name: [UInt8]) { key(name.span) }

  mutating func object(_ name: StaticString) {
    key(name)
    bytes.append(0x7b)
  }

  mutating func array(_ name: StaticString) {
    key(name)
    bytes.append(0x5b)
  }

  /// A value of an array, or behind a key.
  mutating func string(_ value: ArraySlice<UInt8>) { string(value.span) }

  mutating func string(_ value: borrowing Span<UInt8>) {
    separate()
    bytes.append(0x22)
    if value.count > valueLimit {
      let kept = Self.whole(value, valueLimit)
      escape(value.extracting(0..<kept))
      mark(value.count - kept, "bytes")
    } else {
      escape(value)
    }
    bytes.append(0x22)
  }

  mutating func string(_ word: StaticString) {
    separate()
    bytes.append(0x22)
    raw(word)
    bytes.append(0x22)
  }

  /// A string that says how many items were left out.
  mutating func omitted(_ count: Int) {
    separate()
    bytes.append(0x22)
    mark(count, "items")
    bytes.append(0x22)
  }

  private mutating func mark(_ count: Int, _ what: StaticString) {
    raw("…[+")
    number(count)
    bytes.append(0x20)
    raw(what)
    bytes.append(0x5d)
  }

  /// Digits only: a comma is the caller's business (`integer` sees to it).
  private mutating func number(_ value: Int) {
    if value < 0 { bytes.append(0x2d) }
    var rest = value.magnitude
    if rest < 10 { return bytes.append(0x30 + UInt8(rest)) }
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var at = 20
      repeat {
        at -= 1
        unsafe digits[at] = 0x30 + UInt8(rest % 10)
        rest /= 10
      } while rest > 0
      unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[at...]))
    }
  }

  mutating func integer(_ value: Int) {
    separate()
    number(value)
  }

  /// A number that has been checked to be one.
  mutating func digits(_ value: ArraySlice<UInt8>) {
    separate()
    bytes.append(contentsOf: value)
  }

  mutating func null() {
    separate()
    raw("null")
  }

  /// How much is written, for `cut`.
  var mark: Int { bytes.count }

  /// Takes back what was written since.
  mutating func cut(to mark: Int) { bytes.removeLast(bytes.count - mark) }

  mutating func append(_ more: [UInt8]) { bytes.append(contentsOf: more) }
  mutating func append(_ more: ArraySlice<UInt8>) { bytes.append(contentsOf: more) }
  mutating func byte(_ byte: UInt8) { bytes.append(byte) }
  mutating func newline() { bytes.append(0x0a) }
  /// The beginning of a string that is put together from pieces (`piece`, `closeString`).
  mutating func openString() {
    separate()
    bytes.append(0x22)
  }
  mutating func piece(_ value: ArraySlice<UInt8>) { escape(value.span) }
  mutating func piece(_ value: Int) { number(value) }
  mutating func closeString() { bytes.append(0x22) }
}

extension DocumentBytes {
  /// How much of a value is kept so that no character is cut in two.
  private static func whole(_ value: borrowing Span<UInt8>, _ limit: Int) -> Int {
    var end = limit
    while end > 0, end > limit - 4, value[end] & 0xc0 == 0x80 { end -= 1 }
    return end
  }

  private mutating func escape(_ value: borrowing Span<UInt8>) {
    unsafe value.withUnsafeBufferPointer { text in
      var at = 0
      while at < text.count {
        // Nearly everything is plain: taken over in runs.
        let run = unsafe plainRun(text, at)
        if run > at {
          unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[at..<run]))
          at = run
          continue
        }
        let byte = unsafe text[at]
        if byte < 0x80 {
          unsafe escape(byte, text[at...])
          at += 1
          continue
        }
        let length = unsafe Self.sequence(text[at...])
        if length > 0 {
          unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[at..<at + length]))
          at += length
        } else {
          undecoded(byte)
          at += 1
        }
      }
    }
  }

  /// Where the bytes end that are written as they are: eight at a time, then one by one.
  @inline(__always)
  private func plainRun(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
    var at = start
    let raw = UnsafeRawBufferPointer(text)
    while at + 8 <= text.count {
      let eight = unsafe raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      var odd = eight | (eight &- 0x2020_2020_2020_2020) | Self.zeros(eight ^ 0x2222_2222_2222_2222)
      odd |= Self.zeros(eight ^ 0x5c5c_5c5c_5c5c_5c5c) | Self.zeros(eight ^ 0x7f7f_7f7f_7f7f_7f7f)
      if undecodable == .percent {
        odd |= Self.zeros(eight ^ 0x2525_2525_2525_2525)
        odd |= Self.zeros(eight ^ 0x2b2b_2b2b_2b2b_2b2b)
      }
      guard odd & 0x8080_8080_8080_8080 == 0 else { break }
      at += 8
    }
    while at < text.count, unsafe isPlain(text[at]) { at += 1 }
    return at
  }

  /// The highest bit of each byte that is zero, and of some behind the first of those.
  @inline(__always)
  private static func zeros(_ eight: UInt64) -> UInt64 {
    (eight &- 0x0101_0101_0101_0101) & ~eight
  }

  @inline(__always)
  private func isPlain(_ byte: UInt8) -> Bool {
    guard byte >= 0x20, byte < 0x7f, byte != 0x22, byte != 0x5c else { return false }
    return undecodable != .percent || (byte != 0x25 && byte != 0x2b)
  }

  private mutating func escape(_ byte: UInt8, _ rest: some Collection<UInt8>) {
    if undecodable == .percent, byte < 0x20 || byte == 0x7f || byte == 0x25 || byte == 0x2b {
      return percent(byte)
    }
    switch byte {
    case 0x22: raw("\\\"")
    case 0x5c:
      if undecodable == .escaped, Self.looksEscaped(rest) { raw("\\\\x5c") } else { raw("\\\\") }
    case 0x0a: raw("\\n")
    case 0x09: raw("\\t")
    case 0x0d: raw("\\r")
    default:
      raw("\\u00")
      hex(byte)
    }
  }

  /// Whether a text begins like a byte that was written as `\xNN`.
  private static func looksEscaped(_ text: some Collection<UInt8>) -> Bool {
    var places = text.dropFirst().prefix(3).makeIterator()
    guard places.next() == UInt8(ascii: "x"), let high = places.next(), let low = places.next()
    else { return false }
    return EventText.digit(high) != nil && EventText.digit(low) != nil
  }

  private mutating func undecoded(_ byte: UInt8) {
    switch undecodable {
    case .replaced: raw("\u{fffd}")
    case .percent: percent(byte)
    case .escaped:
      raw("\\\\x")
      hex(byte)
    }
  }

  private mutating func percent(_ byte: UInt8) {
    bytes.append(0x25)
    hex(byte)
  }

  private mutating func hex(_ byte: UInt8) {
    for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
  }

  /// The length of the UTF-8 sequence that a text begins with; 0 when it is none (RFC 3629).
  private static func sequence(_ text: some Collection<UInt8>) -> Int {
    var places = text.makeIterator()
    guard let first = places.next(), let second = places.next() else { return 0 }
    let length: Int
    let allowed: ClosedRange<UInt8>
    switch first {
    case 0xc2...0xdf: (length, allowed) = (2, 0x80...0xbf)
    case 0xe0: (length, allowed) = (3, 0xa0...0xbf)
    case 0xed: (length, allowed) = (3, 0x80...0x9f)
    case 0xe1...0xef: (length, allowed) = (3, 0x80...0xbf)
    case 0xf0: (length, allowed) = (4, 0x90...0xbf)
    case 0xf1...0xf3: (length, allowed) = (4, 0x80...0xbf)
    case 0xf4: (length, allowed) = (4, 0x80...0x8f)
    default: return 0
    }
    guard allowed.contains(second) else { return 0 }
    for _ in 2..<max(length, 2) {
      guard let next = places.next(), next & 0xc0 == 0x80 else { return 0 }
    }
    return length
  }
}
