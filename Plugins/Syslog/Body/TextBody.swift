import AudispatchPlugin
import SyslogSending

/// Records as they are.
///
/// What is cut never has the first record's serial in it: its node, which headers have, goes first,
/// then its type.
enum TextBody {
  /// A record's line with its last 0x1d, in front of what auditd added, made a space. Others are
  /// somebody's text and become `?`. Other control characters become spaces: a server might take
  /// them for the end of the message.
  static func write(_ record: EventRecord, in bytes: [UInt8], limit: Int) -> [UInt8] {
    var text = line(of: record, in: bytes)
    cut(&text, record, limit)
    return text
  }

  /// Records of one event, a space between them.
  static func write(_ records: [EventRecord], in bytes: [UInt8], limit: Int) -> [UInt8] {
    var text = Array(records.map { line(of: $0, in: bytes) }.joined(separator: [0x20]))
    if let first = records.first { cut(&text, first, limit) }
    return text
  }

  private static func line(of record: EventRecord, in bytes: [UInt8]) -> [UInt8] {
    var text = Array(bytes[record.line])
    var isAdded = true
    for index in text.indices.reversed() where text[index] < 0x20 {
      let isSeparator = text[index] == 0x1d
      text[index] = isSeparator && !isAdded ? UInt8(ascii: "?") : 0x20
      if isSeparator { isAdded = false }
    }
    return text
  }

  private static func cut(_ text: inout [UInt8], _ first: EventRecord, _ limit: Int) {
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
