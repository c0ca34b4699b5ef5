import AudispatchPlugin

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
    for key in content.keys { add(names.unused(Array("key".utf8)), key, limit, to: &text) }
    if content.isContinuation { add("continued".utf8, Array("yes".utf8), limit, to: &text) }
    for record in content.records {
      add("type".utf8, record.type, limit, to: &text)
      var names = FieldNames(reserved: reserved)
      for field in record.fields {
        add(names.unused(plain(field.name)), field.value, limit, to: &text)
      }
      for field in record.enriched { add(plain(field.name), field.value, limit, to: &text) }
    }
    return text
  }

  private static let reserved = ["time", "serial", "node", "continued", "type"]

  private static func plain(_ name: [UInt8]) -> [UInt8] {
    name.map { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 ? $0 : UInt8(ascii: "_") }
  }

  private static func add(
    _ name: some Sequence<UInt8>, _ value: [UInt8], _ limit: Int, to text: inout [UInt8]
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
          text += "node=".utf8 + MessageHeader.token(node, limit: 255) + [0x20]
        }
        text += "type=".utf8 + MessageHeader.token(record.type, limit: 64)
        text += " msg=audit(\(AuditTime.text(content.milliseconds)):\(content.serial)):".utf8
        for field in record.fields {
          text.append(0x20)
          text += MessageHeader.token(field.name, limit: 64) + [UInt8(ascii: "=")]
          PlainWord.append(field.value, limit, to: &text)
        }
      }
      return text
    }
  }
}

/// A value as a word, in double quotes with escapes where it is not plain.
private enum PlainWord {
  static func append(_ value: [UInt8], _ limit: Int, to text: inout [UInt8]) {
    // Nearly all values; the same by another way.
    if !value.isEmpty, value.count <= limit, value.allSatisfy(isPlain) {
      text += value
    } else {
      text += SafeText.word(MessageCut.cut(value, to: limit)).utf8
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x2b...0x3a, 0x40...0x5b, 0x5d...0x7a: byte != UInt8(ascii: ",")
    default: false
    }
  }
}
