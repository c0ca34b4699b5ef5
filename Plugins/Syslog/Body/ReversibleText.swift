import SyslogSending

/// Bytes of any kind as UTF-8 from which they can be had back: a byte that is no part of a
/// character, a NUL, and what a format cannot hold is `\xNN`.
///
/// A backslash is as it is unless `xNN` follows, when it is `\x5c`: so two values that differ are
/// never one text, and whoever reads `\xNN` as a byte has the value.
enum ReversibleText {
  static func text(_ value: [UInt8], escaping isEscaped: (UInt8) -> Bool) -> [UInt8] {
    cut(value, to: .max, escaping: isEscaped)
  }

  /// The text in at most `limit` bytes, with a mark where it is cut: never inside a character or
  /// an escape.
  ///
  /// - Parameter keepsEscapes: for text that has such escapes already.
  static func cut(
    _ value: [UInt8], to limit: Int, keepsEscapes: Bool = false, escaping isEscaped: (UInt8) -> Bool
  ) -> [UInt8] {
    if value.count <= limit, value.allSatisfy({ isPlain($0) && !isEscaped($0) }) { return value }
    // The mark has most digits when most is missing.
    let room = limit == .max ? limit : limit - MessageCut.mark(value.count).count
    var text: [UInt8] = []
    text.reserveCapacity(min(value.count, limit) + 16)
    // Where it can be cut: in the text, and in the value.
    var (end, taken) = (0, 0)
    var at = 0
    while at < value.count {
      let length = step(value, at, keepsEscapes, isEscaped, to: &text)
      at += length
      if text.count <= room { (end, taken) = (text.count, at) }
      if text.count > limit { break }
    }
    guard text.count > limit else { return text }
    text.removeSubrange(end...)
    return room >= 0 ? text + MessageCut.mark(value.count - taken) : text
  }

  /// Appends what stands for the bytes at a place; how many they are.
  private static func step(
    _ value: [UInt8], _ at: Int, _ keepsEscapes: Bool, _ isEscaped: (UInt8) -> Bool,
    to text: inout [UInt8]
  ) -> Int {
    let byte = value[at]
    if byte == 0 || isEscaped(byte) || byte == 0x5c && !keepsEscapes && looksEscaped(value, at) {
      append(byte, to: &text)
    } else if byte < 0x80 {
      text.append(byte)
    } else {
      let length = sequence(value, at)
      if length > 0 {
        text += value[at..<at + length]
        return length
      }
      append(byte, to: &text)
    }
    return 1
  }

  private static func append(_ byte: UInt8, to text: inout [UInt8]) {
    text += [0x5c, UInt8(ascii: "x"), digit(byte >> 4), digit(byte & 15)]
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x7f && byte != 0x5c
  }

  /// Whether what follows the backslash would make an escape of it.
  private static func looksEscaped(_ value: [UInt8], _ at: Int) -> Bool {
    at + 3 < value.count && value[at + 1] == UInt8(ascii: "x") && isDigit(value[at + 2])
      && isDigit(value[at + 3])
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

  /// The length of the UTF-8 sequence at a place; 0 when it is none.
  private static func sequence(_ value: [UInt8], _ at: Int) -> Int {
    let length =
      switch value[at] {
      case 0xc2..<0xe0: 2
      case 0xe0..<0xf0: 3
      case 0xf0..<0xf5: 4
      default: 0
      }
    guard length > 0, at + length <= value.count,
      String(validating: value[at..<at + length], as: UTF8.self) != nil
    else { return 0 }
    return length
  }
}
