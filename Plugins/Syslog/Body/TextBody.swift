import AudispatchPlugin

/// Records as they are.
///
/// What is cut never has the first record's serial in it: its node, which headers have, goes first,
/// then its type.
enum TextBody {
  /// A record's line with its first 0x1d made a space, as audisp-syslog does it. Other control
  /// characters become spaces too: a server might take them for the end of the message.
  static func write(_ record: EventRecord, in bytes: [UInt8], limit: Int) -> [UInt8] {
    var text = Array(bytes[record.line])
    finish(&text, record, limit)
    return text
  }

  /// Records of one event, a space between them.
  static func write(_ records: [EventRecord], in bytes: [UInt8], limit: Int) -> [UInt8] {
    var text = Array(records.map { bytes[$0.line] }.joined(separator: [0x20]))
    if let first = records.first { finish(&text, first, limit) }
    return text
  }

  private static func finish(_ text: inout [UInt8], _ first: EventRecord, _ limit: Int) {
    for index in text.indices where text[index] < 0x20 { text[index] = 0x20 }
    guard text.count > limit else { return }
    let room = limit - MessageCut.mark(text.count).count
    let start = first.line.lowerBound
    let type = first.typeName.lowerBound - "type=".utf8.count
    let stamp = first.typeName.upperBound + 1
    let place = [start, type, stamp].first { first.body - $0 <= room } ?? stamp
    text.removeFirst(place - start)
    MessageCut.cut(&text, to: limit)
  }
}
