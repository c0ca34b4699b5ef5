import AudispatchPlugin
import EventDocument
import SyslogSending

/// `time=… serial=… [node=…] [key=…] type=SYSCALL arch=… type=CWD cwd=…`: what stands behind a
/// `type=` belongs to that record. A value that is no plain word is in double quotes.
///
/// A name that comes again in a record has a number, `key_2`: many readers keep the last of a name.
/// So has one that differs in case alone, or that the body itself has: names in upper case, behind
/// the others, are auditd's.
enum PairsBody {
  static func write(_ content: EventContent, limit: Int) -> [UInt8] {
    ValueLimits.fit(limit) { write(content, valuesTo: $0) }
  }

  private static func write(_ content: EventContent, valuesTo limit: Int) -> [UInt8] {
    var text = Array(
      "time=\(AuditTime.text(content.milliseconds)) serial=\(content.serial)".utf8)
    if let node = content.node { add("node".utf8, node, limit, to: &text) }
    var names = FieldNames()
    for key in content.keys { add(Array("key".utf8), &names, key, limit, to: &text) }
    if content.isContinuation { add("continued".utf8, "yes".utf8, limit, to: &text) }
    for record in content.records {
      add("type".utf8, content.type(of: record), limit, to: &text)
      var names = FieldNames(reserved: reserved)
      for field in content.fields[record.own] {
        add(plain(content.name(of: field)), &names, content.value(of: field), limit, to: &text)
      }
      for field in content.fields[record.enriched] {
        add(plain(content.name(of: field)), content.value(of: field), limit, to: &text)
      }
    }
    return text
  }

  private static let reserved = ["time", "serial", "node", "continued", "type"]

  private static func plain(_ name: some Sequence<UInt8>) -> [UInt8] {
    name.map { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 ? $0 : UInt8(ascii: "_") }
  }

  private static func add(
    _ name: [UInt8], _ names: inout FieldNames, _ value: ArraySlice<UInt8>, _ limit: Int,
    to text: inout [UInt8]
  ) {
    let number = names.number(of: name.span)
    add(number == 1 ? name : name + Array("_\(number)".utf8), value, limit, to: &text)
  }

  private static func add(
    _ name: some Sequence<UInt8>, _ value: some Collection<UInt8>, _ limit: Int,
    to text: inout [UInt8]
  ) {
    text.append(0x20)
    text += name
    text.append(UInt8(ascii: "="))
    PlainWord.append(value, limit, to: &text)
  }
}

/// The text of one record with its values interpreted, as audisp-syslog's `interpret` writes it,
/// but with the time to the millisecond and the serial, and with values that cannot be mistaken.
enum InterpretedBody {
  static func write(_ content: EventContent, limit: Int) -> [UInt8] {
    ValueLimits.fit(limit) { limit in
      var text: [UInt8] = []
      for record in content.records {
        if !text.isEmpty { text.append(0x20) }
        // The serial behind it must not be cut, and headers have it.
        if let node = content.node, node.count <= limit {
          text += "node=".utf8 + MessageHeader.token(Array(node), limit: 255) + [0x20]
        }
        let type = Array(content.type(of: record))
        text += "type=".utf8 + MessageHeader.token(type, limit: 64)
        text += " msg=audit(\(AuditTime.text(content.milliseconds)):\(content.serial)):".utf8
        for field in content.fields[record.own] {
          text.append(0x20)
          let name = Array(content.name(of: field))
          text += MessageHeader.token(name, limit: 64) + [UInt8(ascii: "=")]
          PlainWord.append(content.value(of: field), limit, to: &text)
        }
      }
      return text
    }
  }
}

/// A value as a word, in double quotes with escapes where it is not plain.
private enum PlainWord {
  static func append(_ value: some Collection<UInt8>, _ limit: Int, to text: inout [UInt8]) {
    // Nearly all values; the same by another way.
    if !value.isEmpty, value.count <= limit, value.allSatisfy(isPlain) {
      text += value
    } else {
      text += SafeText.word(MessageCut.cut(Array(value), to: limit)).utf8
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x2b...0x3a, 0x40...0x5b, 0x5d...0x7a: byte != UInt8(ascii: ",")
    default: false
    }
  }
}
