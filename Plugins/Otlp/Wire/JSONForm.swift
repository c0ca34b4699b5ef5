import AudispatchPlugin
import EventDocument
import Linux

/// Messages as OTLP's JSON has them: names in camelCase, numbers of 64 bits as text, enumerations as
/// numbers (OTLP specification, "JSON Protobuf Encoding").
enum JSONForm {
  static func request(_ groups: [ResourceGroup]) -> [UInt8] {
    var out = Array(#"{"resourceLogs":["#.utf8)
    for (place, group) in groups.enumerated() {
      if place > 0 { out.append(comma) }
      out += #"{"resource":{"attributes":["#.utf8
      pairs(group.attributes.map { ($0.name, .text($0.value)) }, &out)
      out += #"]},"scopeLogs":[{"scope":{"name":"audispatch-otlp","version":"#.utf8
      JSONString.append(Release.version, to: &out)
      out += #"},"logRecords":["#.utf8
      for (place, record) in group.records.enumerated() {
        if place > 0 { out.append(comma) }
        out += record
      }
      out += "]}]}".utf8
    }
    return out + "]}".utf8
  }

  static func record(_ record: LogRecord) -> [UInt8] {
    var out = Array(#"{"timeUnixNano":""#.utf8)
    out += String(record.time).utf8
    out += #"","severityNumber":"#.utf8
    out += String(record.severity.rawValue).utf8
    out += #","severityText":"#.utf8
    JSONString.append(record.severity.text, to: &out)
    out += #","body":"#.utf8
    switch record.body {
    case .text(let text): string(text.span, &out)
    case .document(let document):
      var place = 0
      value(document, &place, &out)
    }
    out += #","attributes":["#.utf8
    pairs(record.attributes, &out)
    out += #"],"observedTimeUnixNano":""#.utf8
    out += String(record.observed).utf8
    return out + "\"}".utf8
  }

  private static let comma = UInt8(ascii: ",")

  private static func pairs(
    _ pairs: [(name: String, value: LogRecord.Value)], _ out: inout [UInt8]
  ) {
    for (place, pair) in pairs.enumerated() {
      if place > 0 { out.append(comma) }
      out += #"{"key":"#.utf8
      JSONString.append(pair.name, to: &out)
      out += #","value":"#.utf8
      switch pair.value {
      case .text(let text): string(text.utf8.span, &out)
      case .number(let number): integer(number, &out)
      case .list(let texts):
        out += #"{"arrayValue":{"values":["#.utf8
        for (place, text) in texts.enumerated() {
          if place > 0 { out.append(comma) }
          string(text.utf8.span, &out)
        }
        out += "]}}".utf8
      }
      out += "}".utf8
    }
  }

  private static func string(_ text: borrowing Span<UInt8>, _ out: inout [UInt8]) {
    out += #"{"stringValue":"#.utf8
    JSONString.append(text, to: &out)
    out += "}".utf8
  }

  private static func integer(_ value: Int, _ out: inout [UInt8]) {
    out += #"{"intValue":""#.utf8
    out += String(value).utf8
    out += "\"}".utf8
  }

  /// The `AnyValue` that stands at a place, which moves behind it.
  private static func value(
    _ document: DocumentValues, _ place: inout Int, _ out: inout [UInt8]
  ) {
    let (kind, text) = document[place]
    place += 1
    switch kind {
    case .object:
      out += #"{"kvlistValue":{"values":["#.utf8
      while document[place].kind == .name {
        if out.last != UInt8(ascii: "[") { out.append(comma) }
        out += #"{"key":"#.utf8
        let name = document[place].text
        JSONString.append(name.span, to: &out)
        place += 1
        out += #","value":"#.utf8
        value(document, &place, &out)
        out += "}".utf8
      }
      place += 1
      out += "]}}".utf8
    case .array:
      out += #"{"arrayValue":{"values":["#.utf8
      while document[place].kind != .end {
        if out.last != UInt8(ascii: "[") { out.append(comma) }
        value(document, &place, &out)
      }
      place += 1
      out += "]}}".utf8
    case .text: string(text.span, &out)
    case .number: number(text, &out)
    case .yes: out += #"{"boolValue":true}"#.utf8
    case .no: out += #"{"boolValue":false}"#.utf8
    case .null, .name, .end: out += "{}".utf8
    }
  }

  private static func number(_ digits: ArraySlice<UInt8>, _ out: inout [UInt8]) {
    switch NumberText(digits) {
    case .integer(let value): integer(value, &out)
    case .real:
      out += #"{"doubleValue":"#.utf8
      out += digits
      out += "}".utf8
    case .text(let text): string(text.utf8.span, &out)
    }
  }
}
