import EventDocument

/// An event as OTLP has it: a log record, before it is encoded.
struct LogRecord: Equatable {
  /// How bad it is, of `SeverityNumber` in opentelemetry-proto's logs.proto.
  enum Severity: Int, Equatable {
    case info = 9
    case warning = 13

    var text: String { self == .info ? "INFO" : "WARN" }
  }

  enum Body: Equatable {
    case document(DocumentValues)
    /// Valid UTF-8.
    case text([UInt8])
  }

  enum Value: Equatable {
    case text(String)
    case number(Int)
    case list([String])
  }

  /// In nanoseconds since 1970, as is the time at which it was taken here.
  var time: UInt64
  var observed: UInt64
  var severity: Severity
  var body: Body
  var attributes: [(name: String, value: Value)]

  static func == (a: LogRecord, b: LogRecord) -> Bool {
    a.time == b.time && a.observed == b.observed && a.severity == b.severity && a.body == b.body
      && a.attributes.elementsEqual(b.attributes) { $0 == $1 }
  }
}

/// How requests are written.
enum OtlpEncoding: String, CaseIterable, Sendable {
  case protobuf
  case json

  var mediaType: String { self == .json ? "application/json" : "application/x-protobuf" }

  func record(_ record: LogRecord) -> [UInt8] {
    switch self {
    case .protobuf: ProtobufForm.record(record)
    case .json: JSONForm.record(record)
    }
  }

  /// A request with records that are encoded already.
  func request(_ groups: [ResourceGroup]) -> [UInt8] {
    switch self {
    case .protobuf: ProtobufForm.request(groups)
    case .json: JSONForm.request(groups)
    }
  }
}

/// Encoded records of one resource: a host, as its dispatcher sees it.
struct ResourceGroup: Equatable {
  let node: String
  var records: [[UInt8]] = []

  var attributes: [(name: String, value: String)] {
    [("service.name", "audispatch")] + (node.isEmpty ? [] : [("host.name", node)])
  }

  /// Records by their nodes, in the order in which those come first; the order within each stays.
  static func groups(_ records: [(node: String, bytes: [UInt8])]) -> [ResourceGroup] {
    var groups: [ResourceGroup] = []
    var places: [String: Int] = [:]
    for record in records {
      let place = places[record.node] ?? groups.count
      if place == groups.count {
        groups.append(ResourceGroup(node: record.node))
        places[record.node] = place
      }
      groups[place].records.append(record.bytes)
    }
    return groups
  }
}
