/// A pre-shared key as its file has it.
public enum SharedKeyText {
  /// Of a file, so many bytes are looked at.
  public static let limit = 64 << 10

  /// The bytes whose hexadecimal digits are in the first line; `nil` for fewer than 32, or for
  /// anything else. Spaces do not count.
  public static func key(_ text: [UInt8]) -> [UInt8]? {
    let line = text.prefix { $0 != 0x0a }.filter { $0 != 0x0d && $0 != 0x20 && $0 != 0x09 }
    guard line.count % 2 == 0, line.count >= 64 else { return nil }
    var key: [UInt8] = []
    var high: UInt8?
    for character in line {
      let digit: UInt8
      switch character {
      case 0x30...0x39: digit = character - 0x30
      case 0x61...0x66: digit = character - 0x61 + 10
      case 0x41...0x46: digit = character - 0x41 + 10
      default: return nil
      }
      if let first = high {
        key.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return key
  }
}
