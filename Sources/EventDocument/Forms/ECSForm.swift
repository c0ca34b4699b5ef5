import AudispatchPlugin
import AuditRecord
import ProcessContext

/// Writes an event in the Elastic Common Schema, with the fields that Auditbeat's module auditd
/// gives. `Documentation/documents.md` has the differences, each with its reason.
struct ECSForm: Sendable {
  static let version: StaticString = "8.17.0"

  let options: DocumentOptions
  var people: PersonFinder
  /// What a node is called whose lines do not name it.
  private let host: [UInt8]
  /// Names for `related.user`.
  private var related: [ArraySlice<UInt8>] = []
  private var shownProcesses = ShownProcesses()
  private var shownUsers = ShownUsers()

  init(_ options: DocumentOptions) {
    self.options = options
    people = PersonFinder(options.accounts)
    host = Array(options.host.utf8)
  }

  mutating func write(
    _ event: AuditEvent, _ facts: EventFacts, _ context: EventContext?, _ extent: DocumentExtent,
    _ out: inout DocumentBytes
  ) {
    related.removeAll(keepingCapacity: true)
    people.begin()
    out.beginObject()
    out.key("@timestamp")
    out.openString()
    TimeText.append(facts.stamp.milliseconds, trimmed: false, to: &out)
    out.closeString()
    let node = event.node.map { event.bytes[$0] } ?? host[...]
    writeEvent(event, node, facts, extent, &out)
    if out.notesValues { Self.writeFixed(&out) } else { out.written(Self.fixed.span) }
    if !node.isEmpty {
      out.object("host")
      out.member("name", node)
      out.endObject()
    }
    out.tags(facts)
    if let context { ECSContext.writeMembers(context, &out) }
    writeUser(facts, &out)
    writeProcess(facts, context, &out)
    writeFile(facts, &out)
    writeNetwork(facts, &out)
    writeRelated(facts, &out)
    writeAudit(facts, context, extent, &out)
    out.endObject()
  }

  /// What every document has.
  private static func writeFixed(_ out: inout DocumentBytes) {
    out.object("ecs")
    out.member("version", version)
    out.endObject()
    out.object("service")
    out.member("type", "auditd")
    out.endObject()
  }

  private static let fixed: [UInt8] = {
    var out = DocumentBytes(.escaped)
    writeFixed(&out)
    return out.bytes
  }()

  private func writeEvent(
    _ event: AuditEvent, _ node: ArraySlice<UInt8>, _ facts: EventFacts,
    _ extent: DocumentExtent, _ out: inout DocumentBytes
  ) {
    out.object("event")
    out.key("id")
    out.openString()
    EventIdentity.append(event, node: node, to: &out)
    out.closeString()
    out.key("kind")
    if facts.ecsKind.isEmpty { out.string("event") } else { out.string(facts.ecsKind[...]) }
    out.list("category", facts.categories)
    out.list("type", facts.types)
    out.member("action", facts.action)
    out.key("outcome")
    out.string(outcome(facts))
    out.member("module", "auditd")
    out.member("dataset", "auditd.log")
    if options.keepsOriginal, extent.keepsDetails {
      out.array("original")
      for record in event.records.prefix(out.itemLimit) { out.string(event.bytes[record.line]) }
      out.endArray()
    }
    out.endObject()
  }

  private func outcome(_ facts: EventFacts) -> StaticString {
    if facts.result == nil { return facts.isFailure ? "failure" : "unknown" }
    return switch facts.outcome {
    case .success: "success"
    case .failure: "failure"
    case .unknown: "unknown"
    }
  }

  private mutating func writeProcess(
    _ facts: EventFacts, _ context: EventContext?, _ out: inout DocumentBytes
  ) {
    guard facts.hasProcess else { return }
    out.object("process")
    out.numberMember("pid", facts.pid, facts.text)
    if let parent = facts.parent {
      out.numberMember("ppid", parent, facts.text)
      out.object("parent")
      out.numberMember("pid", parent, facts.text)
      if let parent = context?.parent { shownProcesses.write(.other, of: parent, &out) }
      out.endObject()
    }
    out.member("name", facts.name, facts.text)
    out.member("executable", facts.executable, facts.text)
    out.member("working_directory", facts.directory, facts.text)
    out.member("title", facts.title, facts.text)
    if facts.arguments.isEmpty, let process = context?.process {
      shownProcesses.write(.arguments, of: process, &out)
    } else {
      out.list("args", facts.arguments, facts.text)
    }
    if let context { ECSContext.writeProcess(context, &shownProcesses, &out) }
    out.endObject()
  }

  private mutating func writeFile(_ facts: EventFacts, _ out: inout DocumentBytes) {
    guard let file = facts.file else { return }
    out.object("file")
    out.member("path", file.path, facts.text)
    out.member("device", file.device, facts.text)
    out.member("inode", file.inode, facts.text)
    out.member("mode", file.mode, facts.text)
    let owner = people.person(file.uid, named: file.ownerName, false, facts.text)
    out.member("uid", owner.id, facts.text, people.found)
    out.member("owner", owner.name, facts.text, people.found)
    let group = people.person(file.gid, named: file.groupName, true, facts.text)
    out.member("gid", group.id, facts.text, people.found)
    out.member("group", group.name, facts.text, people.found)
    out.fields("selinux", facts.fileLabel, facts.text)
    out.endObject()
  }

  private func writeNetwork(_ facts: EventFacts, _ out: inout DocumentBytes) {
    writeAddress("source", facts.source, facts.text, &out)
    writeAddress("destination", facts.destination, facts.text, &out)
    guard let direction = facts.direction else { return }
    out.object("network")
    out.key("direction")
    out.string(direction == .ingress ? "ingress" : "egress")
    out.endObject()
  }

  private func writeAddress(
    _ name: StaticString, _ address: EventFacts.Address?, _ text: EventText,
    _ out: inout DocumentBytes
  ) {
    guard let address else { return }
    out.object(name)
    if let ip = address.ip {
      if IPText.isAddress(ip, text) {
        out.member("ip", ip, text)
      } else {
        out.member("address", ip, text)
      }
    }
    out.numberMember("port", address.port, text)
    out.member("path", address.path, text)
    out.endObject()
  }

  private mutating func writeRelated(_ facts: EventFacts, _ out: inout DocumentBytes) {
    var addresses: [Text] = []
    if let ip = facts.source?.ip, IPText.isAddress(ip, facts.text) { addresses.append(ip) }
    if let ip = facts.destination?.ip, IPText.isAddress(ip, facts.text) { addresses.append(ip) }
    guard !related.isEmpty || !addresses.isEmpty else { return }
    out.object("related")
    if !related.isEmpty {
      related.sort { $0.lexicographicallyPrecedes($1) }
      out.array("user")
      for name in related { out.string(name) }
      out.endArray()
    }
    out.list("ip", addresses, facts.text)
    out.endObject()
  }
}

extension ECSForm {
  /// Adds a name to `related.user`.
  private mutating func relate(_ person: Person, _ text: EventText) {
    guard !person.name.isEmpty else { return }
    let name = people.bytes(person.name, text)
    if !related.contains(name) { related.append(name) }
  }

  /// `user`, and `group` where a record names one; most events have those of one before.
  private mutating func writeUser(_ facts: EventFacts, _ out: inout DocumentBytes) {
    guard !out.isLimited, shownUsers.begin(facts, areNamed: people.cache.isAsked) else {
      shownUsers.pass()
      return makeUser(facts, &out)
    }
    if shownUsers.write(to: &out) {
      for name in shownUsers.related { related.append(name[...]) }
    } else {
      let start = out.bytes.count
      makeUser(facts, &out)
      let isProcess =
        facts.actor == facts.identities.value("auid", facts.text)
        && facts.actingAs == facts.identities.value("uid", facts.text)
      let actors =
        isProcess ? [facts.actor, facts.actingAs].map { Array(people.actor($0, facts)) } : []
      shownUsers.keep(out.bytes[start...], related: related, actors: actors)
    }
  }

  /// Lets names be looked up again.
  mutating func forgetAccounts() {
    people.cache.forget()
    shownUsers.removeAll()
  }

  /// `user`: who the process is, and, where a record says so, who did it and to whom.
  private mutating func makeUser(_ facts: EventFacts, _ out: inout DocumentBytes) {
    let text = facts.text
    var user = people.identity("uid", facts)
    var effective = people.identity("euid", facts)
    if !facts.user.isEmpty { user = people.entity(facts.user, false, facts) }
    if !facts.effective.isEmpty { effective = people.entity(facts.effective, false, facts) }
    let target = people.entity(facts.target, false, facts)
    let changes = people.entity(facts.changes, false, facts)
    let audit = people.identity("auid", facts)
    let group = people.identity("gid", facts)
    var effectiveGroup = people.identity("egid", facts)
    // What is the same as the user itself says nothing.
    if people.isSame(effective, user, text)
      || !user.id.isEmpty && people.isSame(effective.id, user.id, text)
    {
      effective = Person()
    }
    if people.isSame(effectiveGroup, group, text) { effectiveGroup = Person() }
    out.object("user")
    out.members(user, text, people.found)
    out.person("group", group, text, people.found)
    out.person("audit", audit, text, people.found)
    out.person("effective", effective, group: effectiveGroup, text, people.found)
    out.person(
      "saved", people.identity("suid", facts), group: people.identity("sgid", facts), text,
      people.found)
    out.person(
      "filesystem", people.identity("fsuid", facts), group: people.identity("fsgid", facts), text,
      people.found)
    out.person("target", target, text, people.found)
    out.person("changes", changes, text, people.found)
    out.fields("selinux", facts.subjectLabel, text)
    out.endObject()
    relate(user, text)
    relate(audit, text)
    relate(effective, text)
    relate(target, text)
    relate(changes, text)
    if !facts.group.isEmpty {
      let group = people.entity(facts.group, true, facts)
      out.person("group", group, text, people.found)
    }
  }

  private mutating func writeAudit(
    _ facts: EventFacts, _ context: EventContext?, _ extent: DocumentExtent,
    _ out: inout DocumentBytes
  ) {
    out.object("auditd")
    out.key("sequence")
    out.integer(Int(clamping: facts.stamp.serial))
    out.key("message_type")
    out.string(facts.kind.lowerName[...])
    out.member("result", facts.result, facts.text)
    out.member("session", facts.session, facts.text)
    if let (actor, actingAs) = shownUsers.actors(of: facts) {
      out.summary(facts, actor: actor[...], actingAs: actingAs[...])
    } else {
      let actor = people.actor(facts.actor, facts)
      out.summary(facts, actor: actor, actingAs: people.actor(facts.actingAs, facts))
    }
    if extent.keepsDetails {
      AuditData.write(facts, identities: true, &out)
      AuditData.writePaths(facts, &out)
    }
    if let context { ECSContext.writeAudit(context, &shownProcesses, &out) }
    if extent != .whole || facts.omitted > 0 { out.flag("truncated") }
    out.endObject()
  }
}
