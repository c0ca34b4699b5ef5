import AudispatchPlugin
import AuditRecord

/// A field of a record as Laurel has it.
struct LaurelField: Sendable {
  enum Quoting: UInt8, Sendable { case none, double, single, braces }

  var name: Text
  /// Without quotes, with braces.
  var value: Text
  /// Of the name.
  var key: NameKey
  /// What the name stands for; the scanner does not look it up.
  var meaning = LaurelName.text
  var quoting: Quoting
  /// Behind the 0x1d, added by auditd.
  var isAdded: Bool
  /// Whether it is no member: it stands in a list, or another of its name follows.
  var isLeftOut = false
}

/// Walks the fields of a record as Laurel has them: what a program wrote, `msg='…'`, is one field.
struct LaurelScanner {
  private var at: Int
  private let end: Int
  private var isAdded = false

  init(_ record: EventRecord) {
    at = record.body
    end = record.line.upperBound
  }

  @inline(__always)
  mutating func next(_ bytes: borrowing Span<UInt8>) -> LaurelField? {
    precondition(end <= bytes.count, "the record is elsewhere")
    while at < end {
      let start = at
      let first = unsafe bytes[unchecked: start]
      if first == 0x20 || first == 0x1d {
        if first == 0x1d { isAdded = true }
        at = start &+ 1
        continue
      }
      let (stop, key) = ByteSearch.name(in: bytes, from: start, to: end)
      // Words without a value are no fields.
      guard let key else {
        at = stop == start ? stop &+ 1 : stop
        continue
      }
      at = stop &+ 1
      let (value, quoting) = value(bytes, key)
      return LaurelField(
        name: Text(start..<stop), value: value, key: key, quoting: quoting, isAdded: isAdded)
    }
    return nil
  }

  @inline(__always)
  private mutating func value(
    _ bytes: borrowing Span<UInt8>, _ name: NameKey
  ) -> (Text, LaurelField.Quoting) {
    let start = at
    let first = start < end ? unsafe bytes[unchecked: start] : 0
    if first == 0x22 || first == 0x27 || first == 0x7b,
      let quoted = quotedValue(bytes, first, name)
    {
      return quoted
    }
    var stop = ByteSearch.first(0x20, 0x1d, in: bytes, from: start, to: end)
    // Some kernels' lines have lost the 0x1d in front of what auditd added.
    if first == UInt8(ascii: "("), stop > start + 6, bytes.has("(null)", at: start),
      bytes[start + 6] &- 0x41 < 26
    {
      stop = start + 6
      isAdded = true
    }
    at = stop
    return (Text(start..<stop), .none)
  }

  /// A value in quotes or braces; `nil` for one that is not closed.
  @inline(__always)
  private mutating func quotedValue(
    _ bytes: borrowing Span<UInt8>, _ first: UInt8, _ name: NameKey
  ) -> (Text, LaurelField.Quoting)? {
    let start = at
    let isMessage = first == 0x27 && name == NameKey("msg")
    guard
      let close = isMessage ? lastQuote(bytes) : close(bytes, first == 0x7b ? 0x7d : first)
    else { return nil }
    at = close + 1
    switch first {
    case 0x22: return (Text(start + 1..<close), .double)
    case 0x27: return (Text(start + 1..<close), .single)
    default: return (Text(start..<close + 1), .braces)
    }
  }

  @inline(__always)
  private func close(_ bytes: borrowing Span<UInt8>, _ byte: UInt8) -> Int? {
    let place = ByteSearch.first(byte, 0x1d, in: bytes, from: at + 1, to: end)
    return place < end && (unsafe bytes[unchecked: place] == byte) ? place : nil
  }

  private func lastQuote(_ bytes: borrowing Span<UInt8>) -> Int? {
    var last: Int?
    var place = at + 1
    while place < end, bytes[place] != 0x1d {
      if bytes[place] == 0x27 { last = place }
      place += 1
    }
    return last
  }
}
