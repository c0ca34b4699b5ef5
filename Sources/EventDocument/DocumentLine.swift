/// A document of a program's own, written member by member: valid JSON on one line, in valid UTF-8
/// whatever its values are.
///
/// Bytes that are no UTF-8 are `\xNN`, as in documents of events: every value can be turned back.
public struct DocumentLine: Sendable {
  private var out = DocumentBytes(.escaped)

  public init() {}

  public var text: String { String(decoding: out.bytes, as: UTF8.self) }

  public mutating func object(_ members: (inout DocumentLine) -> Void) {
    out.beginObject()
    members(&self)
    out.endObject()
  }

  public mutating func object(_ name: String, _ members: (inout DocumentLine) -> Void) {
    key(name)
    object(members)
  }

  public mutating func array(_ name: String, _ values: [String]) {
    array(name, bytes: values.map { Array($0.utf8) })
  }

  public mutating func array(_ name: String, bytes values: [[UInt8]]) {
    key(name)
    out.beginList()
    for value in values { out.string(value[...]) }
    out.endArray()
  }

  public mutating func objects<Value>(
    _ name: String, _ values: [Value], _ members: (Value, inout DocumentLine) -> Void
  ) {
    key(name)
    out.beginList()
    for value in values { object { members(value, &$0) } }
    out.endArray()
  }

  public mutating func member(_ name: String, _ value: String) {
    member(name, bytes: Array(value.utf8))
  }

  public mutating func member(_ name: String, bytes: [UInt8]) {
    key(name)
    out.string(bytes[...])
  }

  public mutating func member(_ name: String, _ value: Int) {
    key(name)
    out.integer(value)
  }

  public mutating func member(_ name: String, _ value: Bool) {
    key(name)
    out.written(Array((value ? "true" : "false").utf8).span)
  }

  private mutating func key(_ name: String) { out.key(Array(name.utf8)) }
}

/// What the Elastic Common Schema asks of an event.
public struct DocumentEvent: Sendable {
  /// Milliseconds since 1970.
  public var at: Int64
  public var kind = "event"
  public var category: [String]
  public var type: [String]
  public var action: String
  public var outcome: String?
  /// How grave it is, from 0 to 99.
  public var severity: Int?
  /// The program that makes such events, and which of its kinds this is.
  public var module: String
  public var dataset: String
  /// The host that it is about; empty for one without a name.
  public var host = ""

  public init(
    at: Int64, category: [String], type: [String], action: String, module: String, dataset: String
  ) {
    self.at = at
    self.category = category
    self.type = type
    self.action = action
    self.module = module
    self.dataset = dataset
  }
}

extension DocumentLine {
  /// The members that every event has: `@timestamp`, `event`, `ecs` and `host`.
  public mutating func head(_ event: DocumentEvent) {
    out.key("@timestamp")
    out.openString()
    TimeText.append(UInt64(clamping: event.at), trimmed: false, to: &out)
    out.closeString()
    object("event") {
      $0.member("kind", event.kind)
      $0.array("category", event.category)
      $0.array("type", event.type)
      $0.member("action", event.action)
      if let outcome = event.outcome { $0.member("outcome", outcome) }
      if let severity = event.severity { $0.member("severity", severity) }
      $0.member("module", event.module)
      $0.member("dataset", event.dataset)
    }
    out.object("ecs")
    out.key("version")
    out.string(ECSForm.version)
    out.endObject()
    if !event.host.isEmpty { object("host") { $0.member("name", event.host) } }
  }
}
