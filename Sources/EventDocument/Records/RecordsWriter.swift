import AuditRecord

/// How much of a value is kept, from everything to little: what is too long is written again with
/// less of each value, so that what is cut is values, not the form.
public enum ValueLimits {
  public static let steps = [Int.max, 2048, 512, 128, 32]
}

/// Writes events record by record, as JSON in valid UTF-8:
/// `{"time":"…Z","serial":1,"node":"n","keys":["k"],"records":[{"type":"CWD","fields":{…}}]}`.
///
/// All values are strings. A name that comes again in a record has the next number that makes
/// it another one, also for readers that know no case: `uid`, `uid_2`. What auditd found values to
/// mean stands apart, in `"enriched":{…}` behind the fields, so that nothing in a program's
/// message passes for it. Bytes that are no UTF-8, and NULs, are `\xNN`, of which every value can be
/// had back. What is left out is counted: `"cut_records":2` beside the records, `"cut_fields":3`
/// beside a record's fields.
public struct RecordsWriter: Sendable {
  var out = DocumentBytes(.escapedWithNUL)
  var names = FieldNames()
  /// The last millisecond of the year 9999.
  private static let lastTime: UInt64 = 253_402_300_799_999

  public init() {}

  /// What was read of an event in at most `limit` bytes, of which the shortest needs 84; it is valid
  /// until the next one.
  public mutating func document(_ content: EventContent, limit: Int) -> [UInt8] {
    for values in ValueLimits.steps {
      if write(content, valuesTo: values, limit) { return out.bytes }
    }
    cut(content, to: limit)
    return out.bytes
  }

  /// All of it with values of so many bytes; `false` when that is more than the limit.
  private mutating func write(
    _ content: EventContent, valuesTo values: Int, _ limit: Int
  ) -> Bool {
    let main = Self.main(of: content)
    writeHead(content, content.nodePlace, content.keyPlaces, content.isContinuation, values)
    out.array("records")
    for index in content.records.indices {
      // Long values of others are no reason to cut what was run, and by whom.
      let isKept = index == main && content.records.count > 1
      out.valueLimit = isKept ? max(values, 512) : values
      write(content.records[index], content)
      if out.bytes.count > limit { return false }
    }
    out.endArray()
    out.endObject()
    return out.bytes.count <= limit
  }

  /// The record that says most.
  static func main(of content: EventContent) -> Int {
    content.records.firstIndex { content.text.has($0.type, "SYSCALL") } ?? 0
  }

  /// Begins with what stands in front of the records.
  mutating func writeHead(
    _ content: EventContent, _ node: Text?, _ keys: [Text], _ isContinuation: Bool, _ limit: Int
  ) {
    out.begin()
    out.valueLimit = limit
    out.beginObject()
    out.key("time")
    out.openString()
    TimeText.append(min(content.milliseconds, Self.lastTime), trimmed: false, to: &out)
    out.closeString()
    out.key("serial")
    out.integer(Int(clamping: content.serial))
    if let node {
      out.key("node")
      out.string(content.text[node])
    }
    if !keys.isEmpty {
      out.array("keys")
      for key in keys { out.string(content.text[key]) }
      out.endArray()
    }
    if isContinuation { out.flag("continued") }
  }

  private mutating func write(_ record: EventContent.Record, _ content: EventContent) {
    out.beginObject()
    out.key("type")
    out.string(content.text[record.type])
    out.object("fields")
    write(record.own, content)
    if !record.enriched.isEmpty {
      out.object("enriched")
      write(record.enriched, content)
    }
    out.endObject()
  }

  private mutating func write(_ fields: Range<Int>, _ content: EventContent) {
    names.removeAll()
    for place in fields { write(content.fields[place], content.text) }
    out.endObject()
  }

  /// A name that is not taken yet, and its value.
  mutating func write(_ field: EventContent.Field, _ text: EventText) {
    let name = text.bytes.span.extracting(field.name.range)
    let value = text.bytes.span.extracting(field.value.range)
    let number: Int
    if name.count <= out.valueLimit {
      number = names.number(of: name)
      if number == 1 { return out.member(name, value) }
    } else {
      // As it is written: names may differ only in what is cut.
      let kept = DocumentBytes.whole(name, out.valueLimit)
      let start = field.name.range.lowerBound
      let cut = text.bytes[start..<start + kept] + Array("…\(name.count - kept)".utf8)
      number = names.number(of: cut.span)
    }
    out.string(name)
    if number > 1 {
      out.reopenString()
      out.raw("_")
      out.piece(number)
      out.closeString()
    }
    out.byte(UInt8(ascii: ":"))
    out.string(value)
  }
}
