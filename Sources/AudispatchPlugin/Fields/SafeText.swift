import Linux

/// Text of unknown origin, made fit for a line on a terminal.
///
/// Nothing that a terminal would obey or that could pass for something else comes through:
/// control characters, bytes that are no UTF-8, line separators, and marks that turn the
/// direction of writing or cannot be seen are written as escapes.
public enum SafeText {
  /// The text as it is if it is one plain word, else in double quotes with escapes.
  public static func word(_ bytes: some Collection<UInt8>) -> String {
    let text = escaped(bytes)
    return !bytes.isEmpty && text.utf8.elementsEqual(bytes) && text.utf8.allSatisfy(isPlain)
      ? text : "\"\(text)\""
  }

  /// A record's line for a terminal: control characters escaped, all else as it is.
  public static func line(_ bytes: some Collection<UInt8>) -> String {
    escaped(bytes, quotes: false)
  }

  /// The text with escapes and without quotes around it.
  public static func escaped(_ bytes: some Collection<UInt8>) -> String {
    escaped(bytes, quotes: true)
  }

  private static func escaped(_ bytes: some Collection<UInt8>, quotes: Bool) -> String {
    let bytes = Array(bytes)
    var text = ""
    var at = 0
    while at < bytes.count {
      if let (scalar, length) = scalar(in: bytes, at: at) {
        if !quotes, scalar == "\"" || scalar == "\\" {
          text.unicodeScalars.append(scalar)
        } else {
          append(scalar, to: &text)
        }
        at += length
      } else {
        text += "\\x" + hex(UInt32(bytes[at]), digits: 2)
        at += 1
      }
    }
    return text
  }

  /// The UTF-8 sequence at a place; `nil` when what stands there is none.
  private static func scalar(in bytes: [UInt8], at: Int) -> (Unicode.Scalar, Int)? {
    let first = bytes[at]
    let (length, least): (Int, UInt32)
    switch first {
    case 0..<0x80: return (Unicode.Scalar(first), 1)
    case 0xc2..<0xe0: (length, least) = (2, 0x80)
    case 0xe0..<0xf0: (length, least) = (3, 0x800)
    case 0xf0..<0xf5: (length, least) = (4, 0x10000)
    default: return nil
    }
    guard at + length <= bytes.count else { return nil }
    var value = UInt32(first) & (0x7f >> UInt32(length))
    for byte in bytes[at + 1..<at + length] {
      guard byte & 0xc0 == 0x80 else { return nil }
      value = value << 6 | UInt32(byte & 0x3f)
    }
    guard value >= least, let scalar = Unicode.Scalar(value) else { return nil }
    return (scalar, length)
  }

  private static func append(_ scalar: Unicode.Scalar, to text: inout String) {
    switch scalar.value {
    case 0x22, 0x5c:
      text += "\\"
      text.unicodeScalars.append(scalar)
    case 0x0a: text += "\\n"
    case 0x09: text += "\\t"
    case 0x0d: text += "\\r"
    case 0..<0x20, 0x7f: text += "\\x" + hex(scalar.value, digits: 2)
    case 0x20..<0x7f: text.unicodeScalars.append(scalar)
    default:
      if isSeen(scalar) {
        text.unicodeScalars.append(scalar)
      } else {
        text += "\\u{" + hex(scalar.value, digits: 1) + "}"
      }
    }
  }

  private static func isSeen(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
      .unassigned:
      false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20, 0x22, 0x27, 0x28, 0x29, 0x2c, 0x3b: false
    default: true
    }
  }

  private static func hex(_ value: UInt32, digits: Int) -> String {
    padded(String(value, radix: 16), to: digits)
  }
}
