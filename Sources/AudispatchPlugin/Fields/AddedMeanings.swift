import AuditRecord

/// What auditd, or audispatch-kernel, adds to a record: a byte 0x1d, and `NAME=meaning` for fields
/// of the record, with their names in upper case.
///
/// A program with CAP_AUDIT_WRITE can write all of that into its message. auditd does not escape
/// it, but appends its own behind it: so only what stands behind the last 0x1d counts. Where
/// auditd appends nothing (`log_format = RAW`), the kernel's quote behind the message shows that
/// the text was the program's: so all of it must be `NAME=meaning`, each for a field that the
/// record has.
enum AddedMeanings {
  /// Where the 0x1d in front of the enrichment stands; `nil` without one.
  static func separator(of bytes: Span<UInt8>, from body: Int, to end: Int) -> Int? {
    var at = end - 1
    while at >= body, bytes[at] != 0x1d { at -= 1 }
    guard at >= body else { return nil }
    var block = AddedBlock(body: body, separator: at, end: end)
    return block.isWhole(bytes) ? at : nil
  }

  /// Whether a meaning says that there is none: `unknown-syscall(-1)`, `unknown(4242)`.
  static func isUnknown(_ meaning: some Collection<UInt8>) -> Bool {
    meaning.starts(with: "unknown-".utf8) || meaning.starts(with: "unknown(".utf8)
  }
}

/// What stands behind a 0x1d, as it is checked.
private struct AddedBlock {
  let body: Int
  let separator: Int
  let end: Int
  private var at: Int
  /// Behind the field of the last name; auditd keeps the order of the fields.
  private var seen: Int

  init(body: Int, separator: Int, end: Int) {
    self.body = body
    self.separator = separator
    self.end = end
    at = separator + 1
    seen = body
  }

  mutating func isWhole(_ bytes: Span<UInt8>) -> Bool {
    var count = 0
    while true {
      while at < end, bytes[at] == 0x20 { at += 1 }
      guard at < end else { return count > 0 }
      guard takePair(bytes) else { return false }
      count += 1
    }
  }

  private mutating func takePair(_ bytes: Span<UInt8>) -> Bool {
    let name = at
    while at < end, isNameByte(bytes[at], first: at == name) { at += 1 }
    guard at > name, at + 1 < end, bytes[at] == UInt8(ascii: "="), hasField(bytes, name..<at) else {
      return false
    }
    at += 1
    switch bytes[at] {
    case UInt8(ascii: "\""): return takeUpTo(bytes, UInt8(ascii: "\""))
    case UInt8(ascii: "{"): return takeUpTo(bytes, UInt8(ascii: "}"))
    default:
      let start = at
      while at < end, bytes[at] != 0x20 {
        switch bytes[at] {
        case 0..<0x20, 0x7f, UInt8(ascii: "\""), UInt8(ascii: "'"): return false
        default: at += 1
        }
      }
      return at > start
    }
  }

  /// Takes a value in quotes or braces, and nothing directly behind it.
  private mutating func takeUpTo(_ bytes: Span<UInt8>, _ closing: UInt8) -> Bool {
    at += 1
    while at < end, bytes[at] != closing { at += 1 }
    guard at < end else { return false }
    at += 1
    return at == end || bytes[at] == 0x20
  }

  private func isNameByte(_ byte: UInt8, first: Bool) -> Bool {
    if byte &- 0x41 < 26 { return true }
    return !first && (byte &- 0x30 < 10 || byte == 0x5f || byte == 0x2d)
  }

  /// Whether the record has a field of that name in lower case.
  private mutating func hasField(_ bytes: Span<UInt8>, _ name: Range<Int>) -> Bool {
    if let place = field(bytes, name, from: seen, to: separator)
      ?? field(bytes, name, from: body, to: seen)
    {
      seen = place
      return true
    }
    return false
  }

  /// Behind the field's `=`.
  private func field(
    _ bytes: Span<UInt8>, _ name: Range<Int>, from start: Int, to limit: Int
  ) -> Int? {
    let last = limit - name.count
    var place = start
    while place < last {
      if bytes[place + name.count] == UInt8(ascii: "="), isSame(bytes, name, place),
        place == body || !isPartOfName(bytes[place - 1])
      {
        return place + name.count + 1
      }
      place += 1
    }
    return nil
  }

  private func isSame(_ bytes: Span<UInt8>, _ name: Range<Int>, _ place: Int) -> Bool {
    for (index, at) in name.enumerated() {
      let byte = bytes[at]
      let lower = byte &- 0x41 < 26 ? byte | 0x20 : byte
      guard bytes[place + index] == lower || bytes[place + index] == byte else { return false }
    }
    return true
  }

  private func isPartOfName(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == 0x5f || byte == 0x2d
  }
}
