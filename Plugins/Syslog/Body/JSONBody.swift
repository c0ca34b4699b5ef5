/// `{"time":"…Z","serial":1,"node":"n","keys":["k"],"records":[{"type":"CWD","fields":{…}}]}`.
///
/// All values are strings. A name that comes again in a record has the next number that makes
/// it another one, also for readers that know no case: `uid`, `uid_2`. What auditd found values to
/// mean stands apart, in `"enriched":{…}` behind the fields, so that nothing in a program's
/// message passes for it. Bytes that are no UTF-8, and NULs, at which some readers cut, are
/// `\xNN` (see `ReversibleText`; in JSON, with its backslash escaped). What is left out is counted: `"cut_records":2` beside the records,
/// `"cut_fields":3` beside a record's fields.
enum JSONBody {
  static func write(_ content: EventContent, limit: Int) -> [UInt8] {
    for step in ValueLimits.steps {
      if let body = write(content, valuesTo: step, limit) { return body }
    }
    return cut(content, to: limit)
  }

  /// The body with values of so many bytes; `nil` when it has more than the limit.
  private static func write(
    _ content: EventContent, valuesTo values: Int, _ limit: Int
  ) -> [UInt8]? {
    let main = main(of: content.records)
    var text = head(content, valuesTo: values)
    text += ",\"records\":[".utf8
    for (index, record) in content.records.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      // Long values of others are no reason to cut what was run, and by whom.
      let isKept = index == main && content.records.count > 1
      add(record, isKept ? max(values, 512) : values, to: &text)
      if text.count > limit { return nil }
    }
    text += "]}".utf8
    return text.count <= limit ? text : nil
  }

  /// What stands in front of the records.
  static func head(_ content: EventContent, valuesTo limit: Int) -> [UInt8] {
    var time = MessageTime(.utc)
    var text = Array("{\"time\":\"".utf8)
    time.appendLong(content.milliseconds, to: &text)
    text += "\",\"serial\":\(content.serial)".utf8
    if let node = content.node {
      text += ",\"node\":".utf8
      add(node, limit, to: &text)
    }
    if !content.keys.isEmpty {
      text += ",\"keys\":".utf8
      list(content.keys, to: &text) { add($0, limit, to: &$1) }
    }
    if content.isContinuation { text += ",\"continued\":true".utf8 }
    return text
  }

  static func list<Item>(
    _ items: [Item], to text: inout [UInt8], _ each: (Item, inout [UInt8]) -> Void
  ) {
    text.append(UInt8(ascii: "["))
    for (index, item) in items.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      each(item, &text)
    }
    text.append(UInt8(ascii: "]"))
  }

  private static func add(_ record: EventContent.Record, _ limit: Int, to text: inout [UInt8]) {
    text += "{\"type\":".utf8
    add(record.type, limit, to: &text)
    text += ",\"fields\":{".utf8
    add(record.fields, limit, to: &text)
    if !record.enriched.isEmpty {
      text += JSONRecord.enriched.utf8
      add(record.enriched, limit, to: &text)
    }
    text += [UInt8(ascii: "}"), UInt8(ascii: "}")]
  }

  private static func add(_ fields: [EventContent.Field], _ limit: Int, to text: inout [UInt8]) {
    var names = FieldNames()
    for (index, field) in fields.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      add(field, limit, &names, to: &text)
    }
  }

  /// A name that is not taken yet, and its value.
  static func add(
    _ field: EventContent.Field, _ limit: Int, _ names: inout FieldNames, to text: inout [UInt8]
  ) {
    // As it is written: names may differ only in what is cut.
    var name: [UInt8] = []
    escape(field.name, limit, to: &name)
    text.append(UInt8(ascii: "\""))
    text += names.unused(name)
    text += "\":".utf8
    add(field.value, limit, to: &text)
  }

  /// A string with its quotes.
  static func add(_ value: [UInt8], _ limit: Int, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    escape(value, limit, to: &text)
    text.append(UInt8(ascii: "\""))
  }

  private static func escape(_ value: [UInt8], _ limit: Int, to text: inout [UInt8]) {
    let value = ReversibleText.text(MessageCut.cut(value, to: limit)) { _ in false }
    for byte in value {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [0x5c, byte]
      case 0x0a: text += [0x5c, UInt8(ascii: "n")]
      case 0x09: text += [0x5c, UInt8(ascii: "t")]
      case 0x0d: text += [0x5c, UInt8(ascii: "r")]
      case 0..<0x20, 0x7f: text += "\\u00".utf8 + hex(byte)
      default: text.append(byte)
      }
    }
  }

  private static func hex(_ byte: UInt8) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
  }
}
