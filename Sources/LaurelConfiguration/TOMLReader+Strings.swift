import Configuration

extension TOMLReader {
  /// A text in quotes of any kind.
  mutating func string() throws(Diagnostic) -> String {
    let quote = text[at]
    let isLong = at + 2 < text.count && text[at + 1] == quote && text[at + 2] == quote
    let start = self
    for _ in 0..<(isLong ? 3 : 1) { advance() }
    if isLong {
      if next == 0x0d, at + 1 < text.count, text[at + 1] == 0x0a { advance() }
      _ = take(0x0a)
    }
    var bytes: [UInt8] = []
    while let byte = next {
      if byte == quote, !isLong || endsLong(quote) {
        for _ in 0..<(isLong ? 3 : 1) { advance() }
        return String(decoding: bytes, as: UTF8.self)
      }
      if byte == 0x5c, quote == 0x22 {
        try escape(into: &bytes, isLong)
        continue
      }
      if byte == 0x0a, !isLong { throw start.fault("the quote is not closed on its line") }
      guard byte >= 0x20 || byte == 0x09 || isLong && (byte == 0x0a || byte == 0x0d), byte != 0x7f
      else { throw fault("a control character") }
      bytes.append(byte)
      advance()
    }
    throw start.fault("the quote is not closed")
  }

  private func endsLong(_ quote: UInt8) -> Bool {
    at + 2 < text.count && text[at + 1] == quote && text[at + 2] == quote
  }

  private mutating func escape(into bytes: inout [UInt8], _ isLong: Bool) throws(Diagnostic) {
    let start = self
    advance()
    guard let byte = next else { throw start.fault("the quote is not closed") }
    let plain: [UInt8: UInt8] = [
      0x62: 0x08, 0x74: 0x09, 0x6e: 0x0a, 0x66: 0x0c, 0x72: 0x0d, 0x22: 0x22, 0x5c: 0x5c,
    ]
    if let character = plain[byte] {
      bytes.append(character)
      return advance()
    }
    if byte == 0x75 || byte == 0x55 {
      advance()
      let count = byte == 0x75 ? 4 : 8
      guard at + count <= text.count,
        let value = UInt32(String(decoding: text[at..<at + count], as: UTF8.self), radix: 16),
        let scalar = Unicode.Scalar(value)
      else { throw start.fault("not the number of a character") }
      at += count
      bytes += Array(String(Character(scalar)).utf8)
      return
    }
    // A line that is continued: all blanks up to the next character are left out.
    var end = at
    while end < text.count, text[end] == 0x20 || text[end] == 0x09 || text[end] == 0x0d { end += 1 }
    guard isLong, end < text.count, text[end] == 0x0a else {
      throw start.fault("'\\\(Character(Unicode.Scalar(byte)))' has no meaning")
    }
    while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { advance() }
  }
}
