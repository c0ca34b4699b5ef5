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
  @inline(__always)
  mutating func append(_ more: UnsafeBufferPointer<UInt8>) {
    unsafe bytes.append(contentsOf: more)
  }
  @inline(__always)
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
