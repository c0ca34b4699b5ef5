import AudispatchPlugin
import AuditRecord

/// Writes an event as Auditbeat 6 did, faults included: identities by their short names with a map
/// of names beside them, numbers as strings, a file's device from the number of the device that it
/// is, `event.category` and `event.type` in auditd's words.
struct Auditbeat6Form: Sendable {
  /// The last version of that form.
  static let version: StaticString = "6.8.23"

  let options: DocumentOptions
  var people: PersonFinder

  init(_ options: DocumentOptions) {
    self.options = options
    people = PersonFinder(options.accounts)
  }

  mutating func write(
    _ event: AuditEvent, _ facts: EventFacts, _ isWhole: Bool, _ extent: DocumentExtent,
    _ out: inout DocumentBytes
  ) {
    people.begin()
    out.beginObject()
    out.key("@timestamp")
    out.openString()
    TimeText.append(event.stamp.milliseconds, trimmed: false, to: &out)
    out.closeString()
    let node = options.node(of: event)
    out.object("beat")
    out.key("version")
    out.string(Self.version)
    out.member("name", node)
    out.member("hostname", node)
    out.endObject()
    if isWhole {
      writeEvent(facts, extent, &out)
    } else {
      writeRefused(event, facts, &out)
    }
    out.endObject()
  }

  /// What it says of records that it makes no event of.
  private func writeRefused(
    _ event: AuditEvent, _ facts: EventFacts, _ out: inout DocumentBytes
  ) {
    out.object("event")
    out.member("module", "auditd")
    out.endObject()
    out.object("auditd")
    out.key("sequence")
    out.integer(Int(clamping: event.stamp.serial))
    out.array("messages")
    for record in event.records.prefix(out.itemLimit) { out.string(event.bytes[record.line]) }
    out.endArray()
    out.endObject()
    out.object("error")
    out.array("message")
    for warning in facts.warnings { out.string(Array(warning.utf8)[...]) }
    out.endArray()
    out.endObject()
  }

  private mutating func writeEvent(
    _ facts: EventFacts, _ extent: DocumentExtent, _ out: inout DocumentBytes
  ) {
    out.object("event")
    out.key("category")
    out.string(facts.category)
    out.key("type")
    out.string(facts.kind.lowerName[...])
    out.member("action", facts.action)
    out.key("module")
    out.string("auditd")
    out.endObject()
    out.tags(facts)
    writeUser(facts, &out)
    writeProcess(facts, &out)
    writeFile(facts, &out)
    out.address("source", facts.source, facts.text)
    out.address("destination", facts.destination, facts.text)
    if let direction = facts.direction {
      out.object("network")
      out.key("direction")
      out.string(direction == .ingress ? "incoming" : "outgoing")
      out.endObject()
    }
    writeAudit(facts, extent, &out)
  }

  private mutating func writeUser(_ facts: EventFacts, _ out: inout DocumentBytes) {
    out.object("user")
    for entry in facts.identities.entries { out.member(entry, facts.text) }
    var hasNames = false
    for entry in facts.identities.entries {
      let isGroup = facts.text.ends(entry.name, with: "gid")
      let name = people.person(entry.value, isGroup, facts.text).name
      guard !name.isEmpty else { continue }
      if !hasNames { out.object("name_map") }
      hasNames = true
      out.key(facts.text[entry.name])
      out.string(people.bytes(name, facts.text))
    }
    if hasNames { out.endObject() }
    out.fields("selinux", facts.subjectLabel, facts.text)
    out.endObject()
  }

  private func writeProcess(_ facts: EventFacts, _ out: inout DocumentBytes) {
    guard facts.hasProcess else { return }
    out.object("process")
    out.processMembers(facts)
    out.endObject()
  }

  private mutating func writeFile(_ facts: EventFacts, _ out: inout DocumentBytes) {
    guard let file = facts.file else { return }
    out.object("file")
    out.fileMembers(file, facts.text)
    let owner = people.person(file.uid, false, facts.text)
    out.member("owner", owner.name, facts.text, people.found)
    let group = people.person(file.gid, true, facts.text)
    out.member("group", group.name, facts.text, people.found)
    out.fields("selinux", facts.fileLabel, facts.text)
    out.endObject()
  }

  private mutating func writeAudit(
    _ facts: EventFacts, _ extent: DocumentExtent, _ out: inout DocumentBytes
  ) {
    out.object("auditd")
    out.key("sequence")
    out.integer(Int(clamping: facts.stamp.serial))
    out.member("result", facts.result, facts.text)
    out.member("session", facts.session, facts.text)
    let actor = people.actor(facts.actor, facts)
    out.summary(facts, actor: actor, actingAs: people.actor(facts.actingAs, facts))
    if extent.keepsDetails {
      AuditData.write(facts, identities: false, &out)
      AuditData.writePaths(facts, &out)
    }
    if extent != .whole || facts.omitted > 0 { out.flag("truncated") }
    out.endObject()
  }
}
