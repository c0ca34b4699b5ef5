/// What is noted of a document's values where no JSON is written: their kinds and places, and how
/// many bytes the JSON would have.
struct ValueNotes: Sendable {
  private(set) var items: [DocumentValues.Item] = []
  private(set) var size = 0
  /// Where the text begins that is put together.
  private var start = 0

  mutating func begin() {
    items.removeAll(keepingCapacity: true)
    size = 0
  }

  /// A name or value, and its bytes as JSON without a comma.
  mutating func add(_ kind: DocumentValues.Kind, _ place: Range<Int>, size: Int) {
    if needsComma { self.size += 1 }
    self.size += size
    items.append(DocumentValues.Item(kind: kind, place: Text(place)))
  }

  private var needsComma: Bool {
    switch items.last?.kind {
    case nil, .object, .array, .name: false
    default: true
    }
  }

  /// What begins with that byte in JSON: an object, an array or a text.
  mutating func open(_ byte: UInt8, at place: Int) {
    switch byte {
    case 0x7b: add(.object, place..<place, size: 1)
    case 0x5b: add(.array, place..<place, size: 1)
    default: start = place
    }
  }

  /// Ends an object or array.
  mutating func close() {
    size += 1
    items.append(DocumentValues.Item(kind: .end, place: Text(0..<0)))
  }

  /// Takes back the end of an object.
  mutating func reopen() {
    precondition(items.last?.kind == .end, "what is to be gone on with is no object")
    items.removeLast()
    size -= 1
  }

  /// Ends the text that was begun, at the end of the bytes.
  mutating func close(_ bytes: [UInt8]) {
    var size = bytes.count - start + 2
    for place in start..<bytes.count {
      switch bytes[place] {
      case 0x22, 0x5c, 0x0a, 0x09, 0x0d: size += 1
      case 0..<0x20, 0x7f: size += 5
      default: continue
      }
    }
    add(.text, start..<bytes.count, size: size)
  }

  /// Makes the last text the name of what follows.
  mutating func nameText() {
    items[items.count - 1].kind = .name
    size += 1
  }

  struct Mark: Equatable {
    fileprivate var items: Int
    fileprivate var size: Int
  }

  var mark: Mark { Mark(items: items.count, size: size) }

  mutating func cut(to mark: Mark) {
    items.removeLast(items.count - mark.items)
    size = mark.size
  }
}

extension DocumentBytes {
  /// A plain name, and what stands behind it.
  mutating func noteKey(_ name: StaticString, _ begin: UInt8?) {
    let start = bytes.count
    raw(name)
    notes.add(.name, start..<bytes.count, size: name.utf8CodeUnitCount + 3)
    if let begin { notes.open(begin, at: bytes.count) }
  }

  /// A number whose digits are behind a place.
  mutating func noteNumber(from start: Int) {
    notes.add(.number, start..<bytes.count, size: bytes.count - start)
  }

  /// Hexadecimal digits as a text behind what tells their base, in lower case.
  mutating func noteDigits(_ base: StaticString, _ digits: borrowing Span<UInt8>) {
    openString()
    raw(base)
    if digits.isEmpty { byte(0x30) }
    for place in digits.indices { byte(digits[place] | 0x20) }
    closeString()
  }
}
