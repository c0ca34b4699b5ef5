import AuditRecord

/// A `name=value` of a record, as a place in its bytes.
public struct Field: Equatable, Sendable {
  /// Which part of the line the field stands in.
  public enum Section: Equatable, Sendable {
    /// The kernel's or the sender's own fields.
    case record
    /// Inside `msg='…'`, written by a program in user space.
    case message
    /// Behind the 0x1d, added by auditd: names in upper case, values interpreted.
    case enrichment
  }

  public enum Quoting: Equatable, Sendable { case none, double, single, braces }

  public var name: Range<Int>
  /// Without its quotes or braces.
  public var value: Range<Int>
  public var quoting: Quoting
  public var section: Section
}

/// Walks the fields of a record from left to right; allocates nothing.
///
/// Words without `=` belong to the value in front of them inside `msg='…'` (`op=adding user`) and
/// are passed over elsewhere (see `AccessVector` for those of SELinux). A quote that is not closed
/// ends at the next space. Whatever the bytes are, the walk ends, and every place it gives is
/// within them.
public struct FieldScanner: Sendable {
  private var at: Int
  private let end: Int
  private var section = Field.Section.record
  private var messageEnd: Int?

  /// Walks from `body` (see `EventRecord.body`) to `end`.
  public init(body: Int, end: Int) {
    at = body
    self.end = end
  }

  public mutating func next(_ bytes: Span<UInt8>) -> Field? {
    while at < end {
      let byte = bytes[at]
      if byte == 0x1d {
        section = .enrichment
        messageEnd = nil
        at += 1
        continue
      }
      if at == messageEnd {
        section = .record
        messageEnd = nil
        at += 1
        continue
      }
      if byte == 0x20 || byte == UInt8(ascii: ",") {
        at += 1
        continue
      }
      let name = at
      while at < end, at != messageEnd, !isBreak(bytes[at]), bytes[at] != UInt8(ascii: "=") {
        at += 1
      }
      guard at < end, at > name, bytes[at] == UInt8(ascii: "="), at != messageEnd else {
        if at < end, at == name { at += 1 }
        continue
      }
      let nameEnd = at
      at += 1
      if section == .record, isMessage(bytes, name, nameEnd) { continue }
      return value(bytes, of: name..<nameEnd)
    }
    return nil
  }

  /// Enters `msg='…'`, whose text may itself hold quotes: it ends at the last one.
  private mutating func isMessage(_ bytes: Span<UInt8>, _ name: Int, _ nameEnd: Int) -> Bool {
    guard nameEnd - name == 3, bytes.has("msg='", at: name) else { return false }
    var stop = at
    var last: Int?
    while stop < end, bytes[stop] != 0x1d {
      if bytes[stop] == UInt8(ascii: "'"), stop > at { last = stop }
      stop += 1
    }
    messageEnd = last
    section = .message
    at += 1
    return true
  }

  private mutating func value(_ bytes: Span<UInt8>, of name: Range<Int>) -> Field {
    let limit = messageEnd ?? end
    if at < limit {
      let (closing, quoting): (UInt8, Field.Quoting) =
        switch bytes[at] {
        case UInt8(ascii: "\""): (UInt8(ascii: "\""), .double)
        case UInt8(ascii: "'"): (UInt8(ascii: "'"), .single)
        case UInt8(ascii: "{"): (UInt8(ascii: "}"), .braces)
        default: (0, .none)
        }
      if quoting != .none, let close = place(bytes, of: closing, from: at + 1, to: limit) {
        var value = at + 1..<close
        at = close + 1
        if quoting == .braces { value = trimmed(bytes, value) }
        return Field(name: name, value: value, quoting: quoting, section: section)
      }
    }
    let start = at
    while at < limit, !isBreak(bytes[at]) { at += 1 }
    var stop = at
    if section == .message {
      while let word = plainWord(bytes, from: stop, to: limit) { stop = word }
      at = stop
    }
    if stop > start + 1, bytes[stop - 1] == UInt8(ascii: ",") { stop -= 1 }
    return Field(name: name, value: start..<stop, quoting: .none, section: section)
  }

  /// The end of the next word if it is not a field.
  private func plainWord(_ bytes: Span<UInt8>, from: Int, to limit: Int) -> Int? {
    var at = from
    while at < limit, bytes[at] == 0x20 { at += 1 }
    let start = at
    while at < limit, !isBreak(bytes[at]) {
      if bytes[at] == UInt8(ascii: "="), at > start { return nil }
      at += 1
    }
    return at > start ? at : nil
  }

  private func place(_ bytes: Span<UInt8>, of byte: UInt8, from: Int, to limit: Int) -> Int? {
    var at = from
    while at < limit {
      if bytes[at] == byte { return at }
      if bytes[at] == 0x1d { return nil }
      at += 1
    }
    return nil
  }

  private func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high, bytes[low] == 0x20 { low += 1 }
    while high > low, bytes[high - 1] == 0x20 { high -= 1 }
    return low..<high
  }

  private func isBreak(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x1d }
}
