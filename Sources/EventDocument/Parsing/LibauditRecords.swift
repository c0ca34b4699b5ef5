import AudispatchPlugin
import AuditRecord

/// Reads a record as go-libaudit's `auparse` does, faults included: what has no value is left out,
/// some values are decoded, and where a field is missing that a type must have there are none.
struct LibauditRecords: Sendable {
  var calls = SystemCallCache()

  mutating func read(
    _ record: EventRecord, _ text: inout EventText, into content: inout RecordContent
  ) {
    content.removeAll()
    let type = record.type.rawValue
    guard let range = prepared(record, type, &content.fields, &text) else { return }
    Self.scan(range, &content.fields, text)
    content.failure = interpret(type, &content, &text)
    if content.failure != nil { content.fields.removeAll() }
  }

  /// Where the fields stand, after what is peculiar to a type was made like the others.
  private func prepared(
    _ record: EventRecord, _ type: UInt32, _ fields: inout FieldMap, _ text: inout EventText
  ) -> Range<Int>? {
    var range = record.body..<record.line.upperBound
    while let last = range.last, Self.isSpace(text.bytes[last]) { range.removeLast() }
    switch type {
    case RecordNumber.avc: return decision(range, &fields, &text)
    case RecordNumber.login:
      let copy = text.copy(range)
      for word: StaticString in ["old ", "new "] {
        var left = 2
        for place in copy.range where left > 0 && text.bytes.span.has(word, at: place) {
          text.replace(place + 3, UInt8(ascii: "_"))
          left -= 1
        }
      }
      return copy.range
    case RecordNumber.credentialsDisposed, RecordNumber.userStart, RecordNumber.userEnd:
      while let last = range.last, text.bytes[last] == 0x29 || text.bytes[last] == 0x27 {
        range.removeLast()
      }
      return range
    default: return range
    }
  }

  /// `avc:  denied  { read write } for  ` as fields, and where the others stand.
  private func decision(
    _ range: Range<Int>, _ fields: inout FieldMap, _ text: inout EventText
  ) -> Range<Int> {
    guard let vector = DecisionWords(range, text.bytes) else { return range }
    fields.set(text.add("seresult"), Text(vector.result), text)
    let start = text.bytes.count
    var isFirst = true
    var place = vector.permissions.lowerBound
    while place < vector.permissions.upperBound {
      let from = place
      while place < vector.permissions.upperBound, !Self.isSpace(text.bytes[place]) { place += 1 }
      if place > from {
        if !isFirst { text.append(UInt8(ascii: ",")) }
        isFirst = false
        for at in from..<place { text.append(text.bytes[at]) }
      }
      place += 1
    }
    let joined = Text(start..<text.bytes.count)
    if !joined.isEmpty { fields.set(text.add("seperms"), joined, text) }
    return vector.end..<range.upperBound
  }

  static func isSpace(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d: true
    default: false
    }
  }

  private static func scan(_ range: Range<Int>, _ fields: inout FieldMap, _ text: EventText) {
    var scanner = LibauditScanner(range)
    while let (name, raw) = scanner.next(text.bytes.span) {
      let value = trimmed(raw, text)
      if value.isEmpty || text.has(value, "?") || text.has(value, "?,")
        || text.has(value, "(null)")
      {
        continue
      }
      if text.has(name, "msg") {
        scan(value.range, &fields, text)
      } else {
        fields.set(name, value, raw: raw, text)
      }
    }
  }

  private static func trimmed(_ raw: Text, _ text: EventText) -> Text {
    func isOuter(_ byte: UInt8) -> Bool { byte == 0x27 || byte == 0x22 || byte == 0x20 }
    var range = raw.range
    while let first = range.first, isOuter(text.bytes[first]) { range.removeFirst() }
    while let last = range.last, isOuter(text.bytes[last]) { range.removeLast() }
    return Text(range)
  }
}

/// What SELinux decided, in front of an AVC's fields.
struct DecisionWords {
  let result: Range<Int>
  let permissions: Range<Int>
  /// Behind `for` and its spaces.
  let end: Int

  /// `avc:\s+(\w+)\s+\{\s*(.*)\s*\}\s+for\s+`, the last brace of that kind; `nil` without it.
  init?(_ range: Range<Int>, _ bytes: [UInt8]) {
    func spaces(_ at: inout Int) -> Bool {
      let start = at
      while at < range.upperBound, LibauditRecords.isSpace(bytes[at]) { at += 1 }
      return at > start
    }
    var at = range.lowerBound
    while at < range.upperBound, !bytes.span.has("avc:", at: at) { at += 1 }
    at += 4
    guard at < range.upperBound, spaces(&at) else { return nil }
    let start = at
    while at < range.upperBound, Self.isWord(bytes[at]) { at += 1 }
    result = start..<at
    guard !result.isEmpty, spaces(&at), at < range.upperBound, bytes[at] == 0x7b else {
      return nil
    }
    let open = at + 1
    var close = range.upperBound - 1
    while close >= open {
      var after = close + 1
      if bytes[close] == 0x7d, spaces(&after), bytes.span.has("for", at: after) {
        after += 3
        if after <= range.upperBound, spaces(&after) {
          permissions = open..<close
          end = after
          return
        }
      }
      close -= 1
    }
    return nil
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
    default: false
    }
  }
}
