import AudispatchPlugin
import AuditRecord

/// Walks the fields of a record as Laurel has them: what a program wrote, `msg='…'`, is one field.
struct LaurelScanner {
  enum Quoting: Equatable { case none, double, single, braces }

  struct Field {
    var name: Range<Int>
    /// Without quotes, with braces.
    var value: Range<Int>
    var quoting: Quoting
    /// Behind the 0x1d, added by auditd.
    var isMeaning: Bool
    /// Of the name: other names seldom have it too.
    var sign: UInt64 = 0
  }

  private var at: Int
  private let end: Int
  private var isMeaning = false

  init(_ record: EventRecord) {
    at = record.body
    end = record.line.upperBound
  }

  mutating func next(_ bytes: [UInt8]) -> Field? {
    while at < end {
      if bytes[at] == 0x1d {
        isMeaning = true
        at += 1
        continue
      }
      if bytes[at] == 0x20 {
        at += 1
        continue
      }
      let name = at
      while at < end, bytes[at] != 0x20, bytes[at] != 0x1d, bytes[at] != 0x3d { at += 1 }
      // Words without a value are no fields.
      guard at < end, bytes[at] == 0x3d, at > name else {
        if at == name { at += 1 }
        continue
      }
      let nameEnd = at
      at += 1
      var field = value(bytes, name..<nameEnd)
      field.sign = NameHash.of(bytes.span.extracting(name..<nameEnd))
      return field
    }
    return nil
  }

  private mutating func value(_ bytes: [UInt8], _ name: Range<Int>) -> Field {
    if at < end {
      switch bytes[at] {
      case 0x22:
        if let close = place(bytes, of: 0x22) { return quoted(name, close, .double) }
      case 0x27:
        let isMessage = bytes[name].elementsEqual("msg".utf8)
        if let close = isMessage ? lastQuote(bytes) : place(bytes, of: 0x27) {
          return quoted(name, close, .single)
        }
      case 0x7b:
        if let close = place(bytes, of: 0x7d) {
          let value = at..<close + 1
          at = close + 1
          return Field(name: name, value: value, quoting: .braces, isMeaning: isMeaning)
        }
      default: break
      }
    }
    let start = at
    while at < end, bytes[at] != 0x20, bytes[at] != 0x1d {
      // Some kernels' lines have lost the 0x1d in front of what auditd added.
      if at == start + 6, bytes.span.has("(null)", at: start), (0x41...0x5a).contains(bytes[at]) {
        isMeaning = true
        break
      }
      at += 1
    }
    return Field(name: name, value: start..<at, quoting: .none, isMeaning: isMeaning)
  }

  private mutating func quoted(_ name: Range<Int>, _ close: Int, _ quoting: Quoting) -> Field {
    let value = at + 1..<close
    at = close + 1
    return Field(name: name, value: value, quoting: quoting, isMeaning: isMeaning)
  }

  private func place(_ bytes: [UInt8], of byte: UInt8) -> Int? {
    var place = at + 1
    while place < end, bytes[place] != 0x1d {
      if bytes[place] == byte { return place }
      place += 1
    }
    return nil
  }

  private func lastQuote(_ bytes: [UInt8]) -> Int? {
    var last: Int?
    var place = at + 1
    while place < end, bytes[place] != 0x1d {
      if bytes[place] == 0x27 { last = place }
      place += 1
    }
    return last
  }
}

/// Values as Laurel writes them, by what the name of the field stands for.
enum LaurelValue {
  private enum Kind { case text, decimal, octal, hexadecimal }

  static func write(
    _ field: LaurelScanner.Field, _ bytes: [UInt8], _ out: inout DocumentBytes
  ) {
    let value = bytes[field.value]
    switch field.quoting {
    case .double, .single: return out.string(value)
    case .braces where field.isMeaning:
      out.openString()
      out.raw("{")
      out.piece(trimmed(value.dropFirst().dropLast()).prefix(out.valueLimit))
      out.raw("}")
      return out.closeString()
    case .braces: return out.string(value)
    case .none: break
    }
    switch field.isMeaning ? .text : kinds[field.sign] {
    case .decimal:
      if isCanonical(value) {
        out.digits(value)
      } else if let number = decimal(value) {
        out.integer(number)
      } else {
        out.string(value)
      }
    case .octal:
      if unsigned(value, 8) != nil { write(value, 0x6f, &out) } else { out.string(value) }
    case .hexadecimal: writeHexadecimal(value, &out)
    case .text:
      let first = value.first
      if first == 0x28 && value.elementsEqual("(null)".utf8) || first == 0x3f && value.count == 1 {
        out.null()
      } else if let plain = plain(value) {
        out.string(plain[...])
      } else {
        out.string(value)
      }
    }
  }

  static func writeHexadecimal(_ value: ArraySlice<UInt8>, _ out: inout DocumentBytes) {
    if unsigned(value, 16) != nil { write(value, 0x78, &out) } else { out.string(value) }
  }

  /// Digits behind `0o` or `0x`, without zeros in front and in lower case.
  private static func write(
    _ digits: ArraySlice<UInt8>, _ base: UInt8, _ out: inout DocumentBytes
  ) {
    out.openString()
    out.byte(0x30)
    out.byte(base)
    let kept = digits.drop { $0 == 0x30 }
    if kept.isEmpty { out.byte(0x30) }
    if kept.allSatisfy({ $0 >= 0x61 || $0 < 0x41 }) {
      out.append(kept)
    } else {
      for digit in kept { out.byte(digit | 0x20) }
    }
    out.closeString()
  }

  /// Whether a number stands as it would be written.
  private static func isCanonical(_ value: ArraySlice<UInt8>) -> Bool {
    guard let first = value.first, value.count <= 18 else { return false }
    return (first != 0x30 || value.count == 1) && value.allSatisfy { $0 &- 0x30 < 10 }
  }

  private static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var value = value
    while value.first == 0x20 { value.removeFirst() }
    while value.last == 0x20 { value.removeLast() }
    return value
  }

  /// Digits with or without a sign, up to 63 bits.
  private static func decimal(_ value: ArraySlice<UInt8>) -> Int? {
    guard !value.isEmpty, value.count <= 20 else { return nil }
    return Int(String(decoding: value, as: UTF8.self))
  }

  private static func unsigned(_ value: ArraySlice<UInt8>, _ base: UInt64) -> UInt64? {
    guard !value.isEmpty else { return nil }
    var number: UInt64 = 0
    for byte in value {
      guard let digit = EventText.digit(byte), UInt64(digit) < base,
        number <= (UInt64.max - UInt64(digit)) / base
      else { return nil }
      number = number * base + UInt64(digit)
    }
    return number
  }

  /// Pairs of hexadecimal digits in either case, whatever the field is.
  static func plain(_ value: ArraySlice<UInt8>) -> [UInt8]? {
    guard !value.isEmpty, value.count.isMultiple(of: 2) else { return nil }
    var plain: [UInt8] = []
    plain.reserveCapacity(value.count / 2)
    var high: UInt8?
    for byte in value {
      guard let digit = EventText.digit(byte) else { return nil }
      if let first = high {
        plain.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return plain
  }

  /// As Laurel 0.5.1 of Debian writes them, found by asking it about each name.
  private static let kinds: KindTable = {
    var kinds = KindTable()
    kinds.add("mode", .octal)
    let decimal = """
      argc audit_backlog_limit audit_backlog_wait_time audit_enabled audit_failure auid capability \
      cap_fe changed compat dport egid enforcing entries errno euid exit family fd fe fsgid fsuid \
      gid igid inode inode_gid inode_uid ino ipid item items iuid len list lport major minor nargs \
      new_gid new_lock new-enabled new-log_passwd nlnk-pid oauid obj_gid obj_uid ogid \
      old_enforcing old_lock old_prom old_val old-auid old-enabled old-ses opid oses ouid \
      permissive pid ppid prom proto res rport sauid seqno ses sgid sig sigev_signo spid sport \
      suid syscall uid uuid val vm-pid
      """
    let hexadecimal = """
      arch cap_fi cap_fp cap_fver cap_pa cap_pe cap_pi cap_pp code fi flags fp fver ioctlcmd \
      old_pa old_pe old_pi old_pp pa pe per pi pp qbytes
      """
    for name in decimal.split(separator: " ") { kinds.add(name, .decimal) }
    for name in hexadecimal.split(separator: " ") { kinds.add(name, .hexadecimal) }
    return kinds
  }()

  /// Kinds by the hash of a name, in places that follow from it.
  private struct KindTable {
    private static let size = 512
    private var places = [(hash: UInt64, kind: Kind)](repeating: (0, .text), count: Self.size)

    mutating func add(_ name: Substring, _ kind: Kind) {
      let hash = NameHash.of(Array(name.utf8).span)
      var place = Int(truncatingIfNeeded: hash) & (Self.size - 1)
      while places[place].hash != 0 { place = (place + 1) & (Self.size - 1) }
      places[place] = (hash, kind)
    }

    subscript(_ hash: UInt64) -> Kind {
      var place = Int(truncatingIfNeeded: hash) & (Self.size - 1)
      while places[place].hash != 0 {
        if places[place].hash == hash { return places[place].kind }
        place = (place + 1) & (Self.size - 1)
      }
      return .text
    }
  }
}

/// A hash of a field's name, never 0.
enum NameHash {
  @inline(__always)
  static func of(_ name: borrowing Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for place in name.indices { hash = (hash ^ UInt64(name[place])) &* 0x100_0000_01b3 }
    hash ^= hash >> 29
    return hash == 0 ? 1 : hash
  }
}
