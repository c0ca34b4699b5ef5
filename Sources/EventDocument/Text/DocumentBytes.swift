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
    /// So too, and a NUL, at which some readers cut.
    case escapedWithNUL
    /// As Laurel does: percent-encoded, as control characters, `%` and `+` are.
    case percent
  }

  /// JSON, or the texts of values.
  private(set) var bytes: [UInt8] = []
  let undecodable: Undecodable
  /// Whether values are noted, and no JSON is written.
  let notesValues: Bool
  var notes = ValueNotes()
  /// Bytes of a value; what is beyond is left out and counted.
  var valueLimit = Int.max
  /// Items of an array or object whose length the event decides; what is beyond is counted.
  var itemLimit = Int.max

  init(_ undecodable: Undecodable, notesValues: Bool = false) {
    self.undecodable = undecodable
    self.notesValues = notesValues
  }

  /// JSON that goes on behind bytes, which it takes; `give` gives them back.
  init(_ undecodable: Undecodable, behind bytes: inout [UInt8]) {
    self.init(undecodable)
    swap(&self.bytes, &bytes)
  }

  mutating func give(to bytes: inout [UInt8]) { swap(&self.bytes, &bytes) }

  mutating func begin() {
    bytes.removeAll(keepingCapacity: true)
    if notesValues { notes.begin() }
  }

  /// Bytes that it has as JSON.
  var size: Int { notesValues ? notes.size : bytes.count }

  /// Makes room once for several things that are written together.
  @inline(__always)
  mutating func write(atMost count: Int, _ body: (inout Pen) -> Void) {
    bytes.append(addingCapacity: count) { room in
      unsafe room.withUnsafeMutableBufferPointer { room, written in
        guard let start = room.baseAddress else { return }
        var pen = unsafe Pen(start)
        unsafe body(&pen)
        written = unsafe pen.at - start
      }
    }
  }

  /// Whether what comes next is separated by a comma from what is there.
  var needsComma: Bool {
    @inline(__always) get {
      guard let last = bytes.last else { return false }
      return last != 0x7b && last != 0x5b && last != 0x3a
    }
  }

  private mutating func open(_ byte: UInt8) {
    if notesValues { return notes.open(byte, at: bytes.count) }
    let needsComma = needsComma
    unsafe write(atMost: 2) { pen in
      if needsComma { unsafe pen.byte(0x2c) }
      unsafe pen.byte(byte)
    }
  }

  mutating func raw(_ word: StaticString) {
    unsafe write(atMost: word.utf8CodeUnitCount) { pen in unsafe pen.word(word) }
  }

  mutating func beginObject() { open(0x7b) }
  mutating func endObject() { close(0x7d) }

  /// Takes the end of an object back, so that a member can follow.
  mutating func reopenObject() {
    if notesValues { return notes.reopen() }
    precondition(bytes.last == 0x7d, "what is to be gone on with is no object")
    bytes.removeLast()
  }

  /// An array behind a key.
  mutating func beginList() {
    if notesValues { notes.open(0x5b, at: bytes.count) } else { bytes.append(0x5b) }
  }
  mutating func endArray() { close(0x5d) }

  @inline(__always)
  private mutating func close(_ byte: UInt8) {
    if notesValues { notes.close() } else { bytes.append(byte) }
  }

  /// A plain name, and what stands behind it.
  @inline(__always)
  private mutating func key(_ name: StaticString, _ begin: UInt8?) {
    if notesValues { return noteKey(name, begin) }
    let needsComma = needsComma
    unsafe write(atMost: name.utf8CodeUnitCount + 5) { pen in
      unsafe Self.key(&pen, needsComma, name)
      if let begin { unsafe pen.byte(begin) }
    }
  }

  @inline(__always)
  static func key(_ pen: inout Pen, _ needsComma: Bool, _ name: StaticString) {
    if needsComma { unsafe pen.byte(0x2c) }
    unsafe pen.byte(0x22)
    unsafe pen.word(name)
    unsafe pen.byte(0x22)
    unsafe pen.byte(0x3a)
  }

  // Where the name is known its copy is a few stores.
  @inline(__always) mutating func key(_ name: StaticString) { key(name, nil) }
  @inline(__always) mutating func object(_ name: StaticString) { key(name, 0x7b) }
  @inline(__always) mutating func array(_ name: StaticString) { key(name, 0x5b) }

  mutating func key(_ name: borrowing Span<UInt8>) {
    string(unlimited: name)
    if notesValues { notes.nameText() } else { bytes.append(0x3a) }
  }

  mutating func key(_ name: ArraySlice<UInt8>) { key(name.span) }
  mutating func key(_ name: [UInt8]) { key(name.span) }

  /// A value of an array, or behind a key.
  mutating func string(_ value: ArraySlice<UInt8>) { string(value.span) }

  mutating func string(_ value: borrowing Span<UInt8>) {
    if value.count <= valueLimit { return string(unlimited: value) }
    openString()
    let kept = Self.whole(value, valueLimit)
    escape(value.extracting(0..<kept))
    mark(value.count - kept, "bytes")
    closeString()
  }

  /// Nearly everything is plain, and then written at once.
  private mutating func string(unlimited value: borrowing Span<UInt8>) {
    let needsComma = needsComma
    unsafe value.withUnsafeBufferPointer { value in
      guard !notesValues, unsafe isPlain(value) else {
        openString()
        unsafe escape(value)
        return closeString()
      }
      unsafe write(atMost: value.count + 3) { pen in
        if needsComma { unsafe pen.byte(0x2c) }
        unsafe pen.byte(0x22)
        unsafe pen.bytes(value)
        unsafe pen.byte(0x22)
      }
    }
  }

  mutating func member(_ name: StaticString, _ value: borrowing Span<UInt8>) {
    let needsComma = needsComma
    unsafe value.withUnsafeBufferPointer { bytes in
      guard !notesValues, bytes.count <= valueLimit, unsafe isPlain(bytes) else {
        key(name)
        return string(value)
      }
      unsafe write(atMost: name.utf8CodeUnitCount + bytes.count + 6) { pen in
        unsafe Self.key(&pen, needsComma, name)
        unsafe pen.byte(0x22)
        unsafe pen.bytes(bytes)
        unsafe pen.byte(0x22)
      }
    }
  }

  mutating func member(_ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>) {
    guard value.count <= valueLimit, write(name, value, isNumber: false) else {
      key(name)
      return string(value)
    }
  }

  /// A member that is a number, as has been checked.
  ///
  /// - Parameter isPlain: whether the name is known to be plain.
  mutating func member(
    _ name: borrowing Span<UInt8>, isPlain: Bool, digits: borrowing Span<UInt8>
  ) {
    guard write(name, digits, isNumber: true, isPlain: isPlain) else {
      key(name)
      return self.digits(digits)
    }
  }

  /// Writes a member that is plain; `false` for any other.
  @inline(__always)
  private mutating func write(
    _ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>, isNumber: Bool,
    isPlain: Bool = false
  ) -> Bool {
    guard !notesValues else { return false }
    let needsComma = needsComma
    return unsafe name.withUnsafeBufferPointer { name in
      unsafe value.withUnsafeBufferPointer { value in
        guard unsafe isPlain || self.isPlain(name), unsafe isNumber || self.isPlain(value) else {
          return false
        }
        unsafe write(atMost: name.count + value.count + 6) { pen in
          unsafe pen.key(name, needsComma)
          if !isNumber { unsafe pen.byte(0x22) }
          unsafe pen.bytes(value)
          if !isNumber { unsafe pen.byte(0x22) }
        }
        return true
      }
    }
  }

  mutating func string(_ word: StaticString) {
    if notesValues {
      openString()
      raw(word)
      return closeString()
    }
    let needsComma = needsComma
    unsafe write(atMost: word.utf8CodeUnitCount + 3) { pen in
      if needsComma { unsafe pen.byte(0x2c) }
      unsafe pen.byte(0x22)
      unsafe pen.word(word)
      unsafe pen.byte(0x22)
    }
  }

  mutating func mark(_ count: Int, _ what: StaticString) {
    raw("…[+")
    piece(count)
    bytes.append(0x20)
    raw(what)
    bytes.append(0x5d)
  }

  /// How much is written, for `cut`.
  struct Mark: Equatable {
    fileprivate var bytes: Int
    fileprivate var notes: ValueNotes.Mark
  }

  var mark: Mark { Mark(bytes: bytes.count, notes: notes.mark) }

  /// Takes back what was written since.
  mutating func cut(to mark: Mark) {
    bytes.removeLast(bytes.count - mark.bytes)
    notes.cut(to: mark.notes)
  }

  /// Opens a string again that was written last.
  mutating func reopenString() { bytes.removeLast() }

  /// Whether JSON that was written before may not stand here: values or lists may be cut, or no JSON
  /// is written.
  var isLimited: Bool { notesValues || valueLimit != .max || itemLimit != .max }

  /// Members, or a value, that were written before; nothing where that was nothing.
  mutating func written(_ part: borrowing Span<UInt8>) {
    guard !part.isEmpty else { return }
    let needsComma = needsComma
    unsafe part.withUnsafeBufferPointer { part in
      unsafe write(atMost: part.count + 1) { pen in
        if needsComma { unsafe pen.byte(0x2c) }
        unsafe pen.bytes(part)
      }
    }
  }

  mutating func append(_ more: UnsafeBufferPointer<UInt8>) {
    unsafe write(atMost: more.count) { pen in unsafe pen.bytes(more) }
  }
  @inline(__always)
  mutating func byte(_ byte: UInt8) { bytes.append(byte) }
  /// The beginning of a string that is put together from pieces (`piece`, `closeString`).
  mutating func openString() { open(0x22) }
  mutating func piece(_ value: ArraySlice<UInt8>) { escape(value.span) }
  mutating func closeString() {
    if notesValues { notes.close(bytes) } else { bytes.append(0x22) }
  }
}
