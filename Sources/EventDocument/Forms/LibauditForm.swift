import AudispatchPlugin
import AuditRecord

/// Writes an event as go-libaudit's `aucoalesce` gives it, for comparison: every value is a string
/// but the serial, nothing is looked up, and what went wrong is in `warnings`.
struct LibauditForm {
  static func write(_ facts: EventFacts, _ out: inout DocumentBytes) {
    out.beginObject()
    out.time(facts.stamp)
    out.key("sequence")
    out.integer(Int(clamping: facts.stamp.serial))
    out.key("category")
    out.string(facts.category)
    out.key("record_type")
    out.string(facts.kind.lowerName[...])
    out.member("result", facts.result, facts.text)
    out.key("session")
    if let session = facts.session { out.string(facts.text[session]) } else { out.string("") }
    out.list("tags", facts.tags, facts.text)
    summary(facts, &out)
    out.object("user")
    out.fields("ids", facts.identities, facts.text)
    out.fields("selinux", facts.subjectLabel, facts.text)
    out.endObject()
    process(facts, &out)
    file(facts, &out)
    out.address("source", facts.source, facts.text)
    out.address("destination", facts.destination, facts.text)
    if let direction = facts.direction {
      out.object("network")
      out.key("direction")
      out.string(direction == .ingress ? "ingress" : "egress")
      out.endObject()
    }
    out.fields("data", facts.data, facts.text)
    if facts.pathCount > 0 {
      out.array("paths")
      for path in facts.paths.prefix(facts.pathCount) {
        out.beginObject()
        for entry in path.entries { out.member(entry, facts.text) }
        out.endObject()
      }
      out.endArray()
    }
    ecs(facts, &out)
    warnings(facts.warnings, &out)
    out.endObject()
  }

  /// An event that it refuses: what it says of it, and the records as they came.
  static func writeRefused(_ event: AuditEvent, _ facts: EventFacts, _ out: inout DocumentBytes) {
    out.beginObject()
    out.time(event.stamp)
    out.key("sequence")
    out.integer(Int(clamping: event.stamp.serial))
    warnings(facts.warnings, &out)
    out.array("raw_msgs")
    for record in event.records { out.string(event.bytes[record.line]) }
    out.endArray()
    out.endObject()
  }

  private static func summary(_ facts: EventFacts, _ out: inout DocumentBytes) {
    out.object("summary")
    out.object("actor")
    out.member("primary", facts.actor, facts.text)
    out.member("secondary", facts.actingAs, facts.text)
    out.endObject()
    out.member("action", facts.action)
    out.object("object")
    out.member("type", facts.objectType)
    out.member("primary", facts.object, facts.text)
    out.member("secondary", facts.secondaryObject, facts.text)
    out.endObject()
    out.member("how", facts.how, facts.text)
    out.endObject()
  }

  private static func process(_ facts: EventFacts, _ out: inout DocumentBytes) {
    out.object("process")
    out.processMembers(facts)
    out.endObject()
  }

  private static func file(_ facts: EventFacts, _ out: inout DocumentBytes) {
    guard let file = facts.file else { return }
    out.object("file")
    out.fileMembers(file, facts.text)
    out.fields("selinux", facts.fileLabel, facts.text)
    out.endObject()
  }

  private static func ecs(_ facts: EventFacts, _ out: inout DocumentBytes) {
    out.object("ecs")
    out.object("event")
    out.member("kind", facts.ecsKind)
    out.list("category", facts.categories)
    out.list("type", facts.types)
    if facts.isFailure {
      out.key("outcome")
      out.string("failure")
    }
    out.endObject()
    out.object("user")
    entity(facts.user, facts.text, &out)
    for (name, one): (StaticString, EventFacts.Entity) in [
      ("effective", facts.effective), ("target", facts.target), ("changes", facts.changes),
    ] {
      out.object(name)
      entity(one, facts.text, &out)
      out.endObject()
    }
    out.endObject()
    out.object("group")
    entity(facts.group, facts.text, &out)
    out.endObject()
    out.endObject()
  }

  private static func entity(
    _ entity: EventFacts.Entity, _ text: EventText, _ out: inout DocumentBytes
  ) {
    out.member("name", entity.name, text)
    if entity.isUnset {
      out.key("id")
      out.string("unset")
    } else {
      out.member("id", entity.id, text)
    }
  }

  private static func warnings(_ warnings: [String], _ out: inout DocumentBytes) {
    guard !warnings.isEmpty else { return }
    out.array("warnings")
    for warning in warnings.sorted() { out.string(Array(warning.utf8)[...]) }
    out.endArray()
  }
}

/// Writes one record as go-libaudit's `auparse` gives it.
struct LibauditRecordForm: Sendable {
  private var reader = LibauditRecords()
  private var content = RecordContent()
  private var text = EventText()
  private var out = DocumentBytes(.replaced)

  mutating func document(_ record: EventRecord, in lines: [UInt8]) -> [UInt8] {
    text.begin(lines)
    reader.read(record, &text, into: &content)
    out.begin()
    out.beginObject()
    out.time(record.stamp)
    out.key("record_type")
    out.string(RecordKind(record, in: lines).lowerName[...])
    out.key("sequence")
    out.integer(Int(clamping: record.stamp.serial))
    out.key("raw_msg")
    var raw = lines[record.typeName.upperBound + 5..<record.line.upperBound]
    while let last = raw.last, LibauditRecords.isSpace(last) { raw.removeLast() }
    out.string(raw)
    out.list("keys", content.keys, text)
    out.key("data")
    if let failure = content.failure {
      out.null()
      out.key("error")
      out.string(Array(failure.utf8)[...])
    } else {
      out.beginObject()
      for entry in content.fields.entries { out.member(entry, text) }
      out.endObject()
    }
    out.endObject()
    return out.bytes
  }
}
