import AudispatchPlugin
import EventDocument
import Linux

/// Messages as opentelemetry-proto 1.x numbers their fields: collector/logs/v1/logs_service.proto,
/// logs/v1/logs.proto, resource/v1/resource.proto, common/v1/common.proto.
enum ProtobufForm {
  /// `ExportLogsServiceRequest.resource_logs`
  private static let resourceLogs: UInt64 = 1

  private enum ResourceLogs {
    static let resource: UInt64 = 1
    static let scopeLogs: UInt64 = 2
  }

  /// `Resource.attributes`
  private static let resourceAttributes: UInt64 = 1

  private enum ScopeLogs {
    static let scope: UInt64 = 1
    static let records: UInt64 = 2
  }

  private enum Scope {
    static let name: UInt64 = 1
    static let version: UInt64 = 2
  }

  private enum Record {
    static let time: UInt64 = 1
    static let severity: UInt64 = 2
    static let severityText: UInt64 = 3
    static let body: UInt64 = 5
    static let attributes: UInt64 = 6
    static let observed: UInt64 = 11
  }

  private enum AnyValue {
    static let text: UInt64 = 1
    static let bool: UInt64 = 2
    static let int: UInt64 = 3
    static let double: UInt64 = 4
    static let array: UInt64 = 5
    static let list: UInt64 = 6
  }

  /// `ArrayValue.values` and `KeyValueList.values`
  private static let values: UInt64 = 1

  private enum KeyValue {
    static let key: UInt64 = 1
    static let value: UInt64 = 2
  }

  static func request(_ groups: [ResourceGroup]) -> [UInt8] {
    var out = ProtobufWriter()
    for group in groups {
      let logs = out.begin(resourceLogs)
      let resource = out.begin(ResourceLogs.resource)
      for (name, value) in group.attributes {
        pair(resourceAttributes, name, .text(value), &out)
      }
      out.end(resource)
      let scopeLogs = out.begin(ResourceLogs.scopeLogs)
      let scope = out.begin(ScopeLogs.scope)
      out.text(Scope.name, "audispatch-otlp".utf8)
      out.text(Scope.version, Release.version.utf8)
      out.end(scope)
      for record in group.records { out.text(ScopeLogs.records, record) }
      out.end(scopeLogs)
      out.end(logs)
    }
    return out.bytes
  }

  static func record(_ record: LogRecord) -> [UInt8] {
    var out = ProtobufWriter(capacity: room(for: record.body))
    out.fixed(Record.time, record.time)
    out.number(Record.severity, record.severity.rawValue)
    out.text(Record.severityText, record.severity.text.utf8)
    let body = out.begin(Record.body)
    switch record.body {
    case .text(let text): out.text(AnyValue.text, text)
    case .document(let document):
      var place = 0
      value(document, &place, &out)
    }
    out.end(body)
    for (name, value) in record.attributes { pair(Record.attributes, name, value, &out) }
    out.fixed(Record.observed, record.observed)
    return out.bytes
  }

  /// A name or a value takes some bytes beside its own, and attributes come on top.
  private static func room(for body: LogRecord.Body) -> Int {
    switch body {
    case .text(let text): text.count + 256
    case .document(let document): document.byteCount + document.count * 5 + 256
    }
  }

  private static func pair(
    _ field: UInt64, _ name: String, _ value: LogRecord.Value, _ out: inout ProtobufWriter
  ) {
    let pair = out.begin(field)
    out.text(KeyValue.key, name.utf8)
    let start = out.begin(KeyValue.value)
    switch value {
    case .text(let text): out.text(AnyValue.text, text.utf8)
    case .number(let number): out.number(AnyValue.int, number)
    case .list(let texts):
      let array = out.begin(AnyValue.array)
      for text in texts {
        let item = out.begin(values)
        out.text(AnyValue.text, text.utf8)
        out.end(item)
      }
      out.end(array)
    }
    out.end(start)
    out.end(pair)
  }

  /// The fields of the `AnyValue` that stands at a place, which moves behind it; none for null.
  private static func value(
    _ document: DocumentValues, _ place: inout Int, _ out: inout ProtobufWriter
  ) {
    let (kind, text) = document[place]
    place += 1
    switch kind {
    case .object:
      let list = out.begin(AnyValue.list)
      while document[place].kind == .name {
        let pair = out.begin(values)
        out.text(KeyValue.key, document[place].text)
        place += 1
        let start = out.begin(KeyValue.value)
        value(document, &place, &out)
        out.end(start)
        out.end(pair)
      }
      place += 1
      out.end(list)
    case .array:
      let array = out.begin(AnyValue.array)
      while document[place].kind != .end {
        let item = out.begin(values)
        value(document, &place, &out)
        out.end(item)
      }
      place += 1
      out.end(array)
    case .text: out.text(AnyValue.text, text)
    case .number: number(text, &out)
    case .yes, .no: out.number(AnyValue.bool, kind == .yes ? 1 : 0)
    case .null, .name, .end: break
    }
  }

  private static func number(_ digits: ArraySlice<UInt8>, _ out: inout ProtobufWriter) {
    switch NumberText(digits) {
    case .integer(let value): out.number(AnyValue.int, value)
    case .real(let value): out.double(AnyValue.double, value)
    case .text(let text): out.text(AnyValue.text, text.utf8)
    }
  }
}

/// What a JSON number is for OTLP, which has 64 bits.
enum NumberText {
  case integer(Int)
  case real(Double)
  /// Larger than any of them.
  case text(String)

  init(_ digits: ArraySlice<UInt8>) {
    let text = String(decoding: digits, as: UTF8.self)
    if let value = Int(text) {
      self = .integer(value)
    } else if let value = Double(text), value.isFinite {
      self = .real(value)
    } else {
      self = .text(text)
    }
  }
}
