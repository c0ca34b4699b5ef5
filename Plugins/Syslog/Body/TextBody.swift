/// Records as they are.
enum TextBody {
  /// A record's line with its first 0x1d made a space, as audisp-syslog does it. Other control
  /// characters become spaces too: a server might take them for the end of the message.
  static func write(_ line: ArraySlice<UInt8>, limit: Int) -> [UInt8] {
    var text = Array(line)
    for index in text.indices where text[index] < 0x20 { text[index] = 0x20 }
    MessageCut.cut(&text, to: limit)
    return text
  }

  /// Records of one event, a space between them.
  static func write(_ lines: [ArraySlice<UInt8>], limit: Int) -> [UInt8] {
    var text = Array(lines.joined(separator: [0x20]))
    for index in text.indices where text[index] < 0x20 { text[index] = 0x20 }
    MessageCut.cut(&text, to: limit)
    return text
  }
}
