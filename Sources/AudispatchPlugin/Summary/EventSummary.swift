import AuditRecord

/// Makes one line of an event, for people: when, who, did what, to what, and how it ended.
///
///     2026-11-20T23:20:04.303Z #724 alice created directory /home/alice/docs [exe=/usr/bin/mkdir …]
///
/// Whatever the event holds, the line is one line, has nothing in it that a terminal would obey
/// (`SafeText`), and is cut to a few kilobytes. About 20 µs an event, and longer when a user has
/// to be looked up (`Interpreter`); lines that auditd enriched need no look-up.
public struct EventSummary {
  private let interpreter = Interpreter()
  private var time: EventTime

  public init(zone: EventZone = .local) { time = EventTime(zone) }

  /// The line, without a newline.
  public mutating func line(for event: AuditEvent) -> String {
    var words = [time.text(milliseconds: event.stamp.milliseconds)]
    if let node = event.node { words.append(SafeText.word(event.bytes[node].prefix(256))) }
    words.append("#\(event.stamp.serial)")
    guard let facts = EventFacts(event, interpreter) else { return words.joined(separator: " ") }
    words.append(Self.sentence(facts))
    let trail = Self.trail(facts)
    if !trail.isEmpty { words.append("[\(trail.joined(separator: " "))]") }
    if event.isContinuation { words.append("(continued)") }
    return words.joined(separator: " ")
  }

  private static func sentence(_ facts: EventFacts) -> String {
    if let special = gap(facts) ?? facts.accessDecision { return special }
    let isCall = facts.systemCall == facts.subject
    guard isCall || !Action.companions.contains(facts.subjectName) else {
      return companion(facts)
    }
    var verb: Action?
    if isCall {
      verb = facts.systemCallName.map { name in
        Action.systemCalls[name] ?? unknownCall(name, facts)
      }
      if let open = verb, open.past == "opened", facts.createsFile {
        verb = Action(past: "created", infinitive: "create", object: open.object, details: [])
      }
    } else {
      verb = Action.records[facts.subjectName]
    }
    guard let action = verb else { return unknownRecord(facts) }
    let failed = facts.succeeded == false
    var words = [facts.who, failed ? "failed to \(action.infinitive)" : action.past]
    if let object = facts.object(of: action) { words.append(object) }
    if action.object != .fields, let details = facts.fields(action.details, named: true) {
      words.append("(\(details))")
    }
    var sentence = words.joined(separator: " ")
    if failed, let reason = facts.reason { sentence += ": \(reason)" }
    return sentence
  }

  /// The dispatcher's own record of what it had to drop.
  private static func gap(_ facts: EventFacts) -> String? {
    guard facts.subject.type == .daemonError, facts.shown("op", of: facts.subject) == "queue-drop"
    else { return nil }
    func field(_ name: String) -> String { facts.shown(name, of: facts.subject) ?? "?" }
    return "audispatch dropped \(field("dropped")) records of \(field("events")) events"
      + " for \(field("plugin")): \(field("reason"))"
  }

  private static func unknownCall(_ name: String, _ facts: EventFacts) -> Action {
    let name = SafeText.escaped(name.utf8)
    let first = facts.systemCall.flatMap { record in
      facts.interpreter.meaning(of: "a0", in: record, facts.event)
    }
    let argument = first.map { " (a0=\(SafeText.cut(Array($0.utf8))))" } ?? ""
    return Action(
      past: "called \(name)\(argument)", infinitive: "call \(name)\(argument)", object: .none,
      details: [])
  }

  /// A record type without words of its own: its name and its fields.
  private static func unknownRecord(_ facts: EventFacts) -> String {
    "\(facts.who): \(SafeText.word(facts.subjectName.utf8)) \(allFields(facts, facts.subject))"
  }

  /// A part of an event that came without its SYSCALL.
  private static func companion(_ facts: EventFacts) -> String {
    let parts = facts.event.records.prefix(8).map { record in
      let name = SafeText.word(facts.event.bytes[record.typeName])
      let fields = allFields(facts, record)
      return fields.isEmpty ? name : "\(name) \(fields)"
    }
    let more = facts.event.records.count - parts.count
    return "part of an event: " + parts.joined(separator: "; ")
      + (more > 0 ? "; …[+\(more) records]" : "")
  }

  private static func allFields(_ facts: EventFacts, _ record: EventRecord) -> String {
    let shown: Set<String> = ["uid", "auid", "exe", "pid", "res", "success"]
    let fields = facts.event.fields(of: record).filter { $0.section != .enrichment }
    let words = fields.prefix(24).compactMap { field -> String? in
      let name = String(decoding: facts.event.bytes[field.name], as: UTF8.self)
      guard !shown.contains(name) else { return nil }
      let value = facts.event.decoded(field, of: record)
      return "\(SafeText.cut(Array(name.utf8)))=\(SafeText.cut(value, at: 128))"
    }
    let more = fields.count > 24 ? ["…[+\(fields.count - 24) fields]"] : []
    return (words + more).joined(separator: " ")
  }

  /// What stands behind the sentence: with which program, from where, by which rule.
  private static func trail(_ facts: EventFacts) -> [String] {
    var trail: [String] = []
    func add(_ name: String, _ value: String?) {
      if let value { trail.append("\(name)=\(value)") }
    }
    add("exe", facts.actor("exe") ?? facts.actor("comm"))
    add("pid", facts.actor("pid"))
    add("tty", facts.actor("tty") ?? facts.actor("terminal"))
    add("host", facts.actor("hostname"))
    add("addr", facts.actor("addr"))
    if facts.event.record(.execve) == nil, let title = facts.event.processTitle() {
      add("cmd", SafeText.cut(Array(title.joined(separator: [0x20])), at: 128))
    }
    if let record = facts.systemCall, let key = facts.event.value("key", of: record) {
      // Several keys of one rule have a 0x01 between them.
      add("key", key.split(separator: 1).map { SafeText.cut(Array($0)) }.joined(separator: ","))
    }
    return trail
  }
}
