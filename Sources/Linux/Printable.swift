/// Bytes as text for a message: what is not printable ASCII is written `\xNN`.
public func printable(_ bytes: some Sequence<UInt8>) -> String {
  var text = ""
  for byte in bytes {
    if byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\\") {
      text.unicodeScalars.append(Unicode.Scalar(byte))
    } else {
      text += escape(byte, uppercase: false)
    }
  }
  return text
}

/// Text for a message: control characters and what turns the direction of writing are written `\x1B`
/// and `\u{202E}`, and what comes behind `limit` characters is an ellipsis.
public func printable(_ text: String, limit: Int) -> String {
  var printable = ""
  for (index, scalar) in text.unicodeScalars.enumerated() {
    guard index < limit else { return printable + "…" }
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: printable += escape(UInt8(scalar.value), uppercase: true)
    case 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069:
      printable += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    default: printable.unicodeScalars.append(scalar)
    }
  }
  return printable
}

/// Digits with zeros in front, so that there are so many of them at least.
public func padded(_ digits: some StringProtocol, to count: Int) -> String {
  String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
}

/// A count and its noun: `1 file`, `2 files`.
public func counted(_ count: some BinaryInteger, _ noun: String) -> String {
  count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
}

private func escape(_ byte: UInt8, uppercase: Bool) -> String {
  (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16, uppercase: uppercase)
}
