import AuditRecord

/// The members that documents of several forms have.
extension DocumentBytes {
  /// A value behind which so many bytes are missing already.
  mutating func string(_ value: borrowing Span<UInt8>, lacking count: Int) {
    guard count > 0 else { return string(value) }
    openString()
    let kept = value.count <= valueLimit ? value.count : Self.whole(value, valueLimit)
    escape(value.extracting(0..<kept))
    mark(value.count - kept + count, "bytes")
    closeString()
  }

  /// A string that says how many items were left out.
  mutating func omitted(_ count: Int) {
    openString()
    mark(count, "items")
    closeString()
  }

  mutating func null() {
    if notesValues { return notes.add(.null, bytes.count..<bytes.count, size: 4) }
    if needsComma { byte(0x2c) }
    raw("null")
  }

  /// A member that is `true`.
  mutating func flag(_ name: StaticString) {
    key(name)
    if notesValues { notes.add(.yes, bytes.count..<bytes.count, size: 4) } else { raw("true") }
  }

  /// `@timestamp`, in UTC.
  mutating func time(_ stamp: RecordStamp) {
    key("@timestamp")
    openString()
    TimeText.append(stamp.milliseconds, trimmed: true, to: &self)
    closeString()
  }

  /// Nothing for a value that is not there or is empty.
  mutating func member(_ name: StaticString, _ value: Text?, _ text: EventText) {
    guard let value, !value.isEmpty else { return }
    member(name, text.bytes.span.extracting(value.range))
  }

  mutating func member(_ name: StaticString, _ word: StaticString) {
    key(name)
    string(word)
  }

  mutating func member(_ name: StaticString, _ value: [UInt8]) {
    if !value.isEmpty { member(name, value.span) }
  }

  mutating func member(_ name: StaticString, _ value: ArraySlice<UInt8>) {
    if !value.isEmpty { member(name, value.span) }
  }

  mutating func member(_ entry: FieldMap.Entry, _ text: EventText) {
    let bytes = text.bytes.span
    member(bytes.extracting(entry.name.range), bytes.extracting(entry.value.range))
  }

  /// A number, or a string where it is none after all.
  mutating func numberMember(_ name: StaticString, _ value: Text?, _ text: EventText) {
    guard let value, !value.isEmpty else { return }
    if text.isDecimal(value) {
      return member(name, digits: text.bytes.span.extracting(value.range))
    }
    key(name)
    if let number = text.number(value) { integer(number) } else { string(text[value]) }
  }

  mutating func list(_ name: StaticString, _ values: [Text], _ text: EventText) {
    guard !values.isEmpty else { return }
    array(name)
    for value in values.prefix(itemLimit) { string(text[value]) }
    if values.count > itemLimit { omitted(values.count - itemLimit) }
    endArray()
  }

  mutating func list(_ name: StaticString, _ values: [[UInt8]]) {
    guard !values.isEmpty else { return }
    array(name)
    for value in values { string(value[...]) }
    endArray()
  }

  /// An object of fields; nothing when there are none.
  mutating func fields(_ name: StaticString, _ map: FieldMap, _ text: EventText) {
    guard !map.isEmpty else { return }
    object(name)
    for entry in map.entries { member(entry, text) }
    endObject()
  }
}

/// Times as text.
enum TimeText {
  /// `2017-03-31T21:29:12.404Z`; with zeros at the end of the fraction left out, as Go does, if
  /// `trimmed`.
  static func append(_ milliseconds: UInt64, trimmed: Bool, to out: inout DocumentBytes) {
    let seconds = milliseconds / 1000
    let date = CivilDate(daysSince1970: Int64(clamping: seconds / 86400))
    let ofDay = seconds % 86400
    unsafe out.write(atMost: 48) { pen in
      unsafe pen.decimal(UInt(date.year), digits: 4)
      unsafe twoDigits(behind: "-", UInt64(date.month), &pen)
      unsafe twoDigits(behind: "-", UInt64(date.day), &pen)
      unsafe twoDigits(behind: "T", ofDay / 3600, &pen)
      unsafe twoDigits(behind: ":", ofDay / 60 % 60, &pen)
      unsafe twoDigits(behind: ":", ofDay % 60, &pen)
      unsafe fraction(UInt(milliseconds % 1000), trimmed, &pen)
      unsafe pen.byte(UInt8(ascii: "Z"))
    }
  }

  @inline(__always)
  private static func twoDigits(behind mark: Unicode.Scalar, _ value: UInt64, _ pen: inout Pen) {
    unsafe pen.byte(UInt8(ascii: mark))
    unsafe pen.byte(0x30 + UInt8(truncatingIfNeeded: value / 10))
    unsafe pen.byte(0x30 + UInt8(truncatingIfNeeded: value % 10))
  }

  @inline(__always)
  private static func fraction(_ fraction: UInt, _ trimmed: Bool, _ pen: inout Pen) {
    guard fraction > 0 || !trimmed else { return }
    unsafe pen.byte(UInt8(ascii: "."))
    if !trimmed || fraction % 10 != 0 {
      unsafe pen.decimal(fraction, digits: 3)
    } else if fraction % 100 != 0 {
      unsafe pen.decimal(fraction / 10, digits: 2)
    } else {
      unsafe pen.decimal(fraction / 100, digits: 1)
    }
  }
}
