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

  /// At most so many statements of one event.
  private static let statements = 4

  /// What each of the event's statements says.
  private static func sentence(_ facts: EventFacts) -> String {
    guard facts.statements.count > 1 else { return statement(facts) }
    var sentences: [String] = []
    for record in facts.statements.prefix(statements) {
      var sentence = statement(facts.facts(of: record))
      // Who it was is said once.
      let who = facts.who + " "
      if !sentences.isEmpty, sentence.hasPrefix(who) { sentence.removeFirst(who.count) }
      sentences.append(sentence)
    }
    let more = facts.statements.count - sentences.count
    if more > 0 { sentences.append("…[+\(more) more]") }
    return sentences.joined(separator: "; ")
  }

  private static func statement(_ facts: EventFacts) -> String {
    if let special = gap(facts) ?? facts.accessDecision { return special }
    let isCall = facts.call == facts.subject
    guard isCall || !EventParts.contains(facts.subject, facts.event) else {
      return parts(facts)
    }
    guard let action = isCall ? callAction(facts) : Action.records[facts.subjectName] else {
      return unknownRecord(facts)
    }
    let isReport = action.infinitive.isEmpty
    let failed = facts.succeeded == false && !isReport
    let object = facts.subjectName == "LOGIN" ? facts.loginChange : facts.object(of: action)
    var verb = failed ? "failed to \(action.infinitive)" : action.past
    if object == nil { verb = Action.alone(verb) }
    var words = [facts.who, verb]
    // auditd does not start, stop or reconfigure another one.
    if words[0] == "auditd", verb.hasSuffix(" auditd"), object == nil {
      words[1] = String(verb.dropLast(7))
    }
    if let object { words.append(object) }
    var details: [String] = []
    if action.object != .fields {
      facts.fields(action.details, named: true, known: object).map { details.append($0) }
    }
    if isReport, let result = facts.result(of: facts.subject) {
      details.append("res=\(result ? "success" : "failed")")
    }
    if !details.isEmpty { words.append("(\(details.joined(separator: " ")))") }
    var sentence = words.joined(separator: " ")
    if failed, let reason = facts.reason { sentence += ": \(reason)" }
    return sentence
  }

  private static func callAction(_ facts: EventFacts) -> Action? {
    guard let name = facts.systemCallName else { return nil }
    let action = Action.systemCalls[name] ?? unknownCall(name, facts)
    if action.past == "opened", facts.createsFile {
      return Action(past: "created", infinitive: "create", object: action.object, details: [])
    }
    if action.object == .rename, facts.exchangesFiles {
      return Action(past: "exchanged", infinitive: "exchange", object: .rename, details: [])
    }
    return action
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
    let first = facts.call.flatMap { record in
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
  private static func parts(_ facts: EventFacts) -> String {
    let parts = facts.event.records.prefix(8).map { record in
      let name = SafeText.word(EventFacts.name(record, facts.event).utf8)
      let fields = allFields(facts, record)
      return fields.isEmpty ? name : "\(name) \(fields)"
    }
    let more = facts.event.records.count - parts.count
    return "part of an event: " + parts.joined(separator: "; ")
      + (more > 0 ? "; …[+\(more) records]" : "")
  }

  private static func allFields(_ facts: EventFacts, _ record: EventRecord) -> String {
    let shown: Set<String> = ["uid", "auid", "exe", "pid"]
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
    if let record = facts.call { add("key", facts.shown("key", of: record)) }
    return trail
  }
}
