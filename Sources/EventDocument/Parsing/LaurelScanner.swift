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
  /// What the name stands for.
  var meaning: LaurelName
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

  mutating func next(_ bytes: borrowing Span<UInt8>) -> LaurelField? {
    precondition(end <= bytes.count, "the record is elsewhere")
    let end = end
    var at = at
    while at < end {
      let first = unsafe bytes[unchecked: at]
      if first == 0x20 || first == 0x1d {
        if first == 0x1d { isAdded = true }
        at += 1
        continue
      }
      let start = at
      let (stop, key) = ByteSearch.name(in: bytes, from: start, to: end)
      // Words without a value are no fields.
      guard let key else {
        at = stop == start ? stop + 1 : stop
        continue
      }
      let name = start..<stop
      self.at = stop + 1
      let (value, quoting) = value(bytes, key)
      return LaurelField(
        name: Text(name), value: Text(value), key: key, meaning: LaurelName.of(key),
        quoting: quoting, isAdded: isAdded)
    }
    self.at = at
    return nil
  }

  @inline(__always)
  private mutating func value(
    _ bytes: borrowing Span<UInt8>, _ name: NameKey
  ) -> (Range<Int>, LaurelField.Quoting) {
    if at < end {
      switch unsafe bytes[unchecked: at] {
      case 0x22:
        if let close = close(bytes, 0x22) { return (quoted(close), .double) }
      case 0x27:
        let isMessage = name == NameKey("msg")
        if let close = isMessage ? lastQuote(bytes) : close(bytes, 0x27) {
          return (quoted(close), .single)
        }
      case 0x7b:
        if let close = close(bytes, 0x7d) {
          let value = at..<close + 1
          at = close + 1
          return (value, .braces)
        }
      default: break
      }
    }
    let start = at
    var stop = ByteSearch.first(0x20, 0x1d, in: bytes, from: at, to: end)
    // Some kernels' lines have lost the 0x1d in front of what auditd added.
    if stop > start + 6, unsafe bytes[unchecked: start] == UInt8(ascii: "("),
      bytes.has("(null)", at: start), bytes[start + 6] &- 0x41 < 26
    {
      stop = start + 6
      isAdded = true
    }
    at = stop
    return (start..<stop, .none)
  }

  private mutating func quoted(_ close: Int) -> Range<Int> {
    let value = at + 1..<close
    at = close + 1
    return value
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
