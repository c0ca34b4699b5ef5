import AudispatchPlugin
import AuditRecord

/// Members as Laurel writes them, by what the name of the field stands for.
enum LaurelValue {
  /// Writes a field with its name.
  static func write(
    _ field: LaurelField, _ bytes: borrowing Span<UInt8>, _ out: inout DocumentBytes
  ) {
    let name = bytes.extracting(field.name.range)
    let value = bytes.extracting(field.value.range)
    if field.quoting == .none {
      switch field.isAdded ? .text : field.meaning {
      // Names in the table are plain. One that is longer than seven bytes may only share its key
      // with one of them (`isExact`).
      case .decimal: return writeDecimal(name, isPlain: field.key.isExact, value, &out)
      case .octal:
        out.key(name)
        return writeOctal(value, &out)
      case .hexadecimal:
        guard let digits = hexadecimal(value) else { return out.member(name, value) }
        if field.key.isExact { return out.member(plain: name, "0x", value.extracting(digits)) }
        out.key(name)
        return out.digits("0x", value.extracting(digits))
      case .text, .argument, .own: return writeText(name, value, &out)
      }
    }
    guard field.quoting == .braces, field.isAdded else { return out.member(name, value) }
    out.key(name)
    out.openString()
    out.raw("{")
    let inner = trimmed(value)
    out.escape(value.extracting(inner.prefix(out.valueLimit)))
    out.raw("}")
    out.closeString()
  }

  private static func writeText(
    _ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>, _ out: inout DocumentBytes
  ) {
    let isNull =
      value.count == 1 && value[0] == UInt8(ascii: "?")
      || value.count == 6 && value.has("(null)", at: 0)
    if isNull {
      out.key(name)
      out.null()
    } else if let plain = plain(value) {
      out.member(name, plain.span)
    } else {
      out.member(name, value)
    }
  }

  private static func writeDecimal(
    _ name: borrowing Span<UInt8>, isPlain: Bool, _ value: borrowing Span<UInt8>,
    _ out: inout DocumentBytes
  ) {
    if isCanonical(value) {
      out.member(name, isPlain: isPlain, digits: value)
    } else if let number = decimal(value) {
      out.key(name)
      out.integer(number)
    } else {
      out.member(name, value)
    }
  }

  /// Whether a number of at most 18 digits stands as it would be written.
  static func isCanonical(_ value: borrowing Span<UInt8>) -> Bool {
    guard value.count > 0, value.count <= 18, value[0] != 0x30 || value.count == 1 else {
      return false
    }
    for place in value.indices where value[place] &- 0x30 >= 10 { return false }
    return true
  }

  /// Digits with or without a sign, up to 63 bits.
  private static func decimal(_ value: borrowing Span<UInt8>) -> Int? {
    guard value.count > 0, value.count <= 20 else { return nil }
    let text = value.indices.map { value[$0] }
    return Int(String(decoding: text, as: UTF8.self))
  }

  private static func writeOctal(_ value: borrowing Span<UInt8>, _ out: inout DocumentBytes) {
    let start = behindZeros(value)
    // 64 bits: 21 digits, and one more that is 1.
    let isLong = value.count - start == 22 && value[start] == 0x31
    var isOctal = value.count > 0 && (value.count - start <= 21 || isLong)
    for place in start..<value.count where value[place] &- 0x30 >= 8 { isOctal = false }
    if isOctal {
      out.digits("0o", value.extracting(start..<value.count))
    } else {
      out.string(value)
    }
  }

  static func writeHexadecimal(_ value: borrowing Span<UInt8>, _ out: inout DocumentBytes) {
    if let digits = hexadecimal(value) {
      out.digits("0x", value.extracting(digits))
    } else {
      out.string(value)
    }
  }

  /// Where the digits of a hexadecimal number of 64 bits stand, without zeros in front.
  private static func hexadecimal(_ value: borrowing Span<UInt8>) -> Range<Int>? {
    let start = behindZeros(value)
    guard value.count > 0, value.count - start <= 16 else { return nil }
    for place in start..<value.count where EventText.digit(value[place]) == nil { return nil }
    return start..<value.count
  }

  static func behindZeros(_ value: borrowing Span<UInt8>) -> Int {
    var start = 0
    while start < value.count, value[start] == 0x30 { start += 1 }
    return start
  }

  private static func trimmed(_ value: borrowing Span<UInt8>) -> Range<Int> {
    var start = 1
    var end = value.count - 1
    while start < end, value[start] == 0x20 { start += 1 }
    while end > start, value[end - 1] == 0x20 { end -= 1 }
    return start..<end
  }

  /// Pairs of hexadecimal digits in either case, whatever the field is.
  static func plain(_ value: borrowing Span<UInt8>) -> [UInt8]? {
    guard value.count > 0, value.count.isMultiple(of: 2) else { return nil }
    // What is no digit shows at once, nearly always by its first byte.
    for place in value.indices where EventText.digit(value[place]) == nil { return nil }
    var plain: [UInt8] = []
    plain.reserveCapacity(value.count / 2)
    for place in stride(from: 0, to: value.count, by: 2) {
      plain.append(EventText.digit(value[place])! << 4 | EventText.digit(value[place + 1])!)
    }
    return plain
  }
}
