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
  static let statements = 4

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
    let found =
      isCall ? callAction(facts) : facts.recordVariant ?? Action.records[facts.subjectName]
    guard let action = found else { return unknownRecord(facts) }
    let isReport = action.infinitive.isEmpty
    let failed = facts.succeeded == false && !isReport
    let hasNoResult = isCall && facts.lacksResult
    let object = facts.subjectName == "LOGIN" ? facts.loginChange : facts.object(of: action)
    var verb =
      failed
      ? "failed to \(action.infinitive)"
      : hasNoResult ? "tried to \(action.infinitive)" : action.past
    if object == nil { verb = Action.alone(verb) }
    var sentence = "\(facts.who) \(verb)"
    // auditd does not start, stop or reconfigure another one.
    if sentence.hasPrefix("auditd "), verb.hasSuffix(" auditd"), object == nil {
      sentence.removeLast(7)
    }
    if let passive = action.passive, facts.isActorUnknown, !failed { sentence = passive }
    if let object { sentence += " \(object)" }
    var details: [String] = []
    if action.object != .fields {
      facts.fields(action.details, named: true, known: object).map { details.append($0) }
      // What the kernel wrote in words of its own.
      if details.isEmpty, facts.subjectName == "SELINUX_ERR" {
        details.append(allFields(facts, facts.subject))
      }
    }
    if isReport, let result = facts.result(of: facts.subject), !(action.hasHappened && result) {
      details.append("res=\(result ? "success" : "failed")")
    }
    if hasNoResult { details.append("no result") }
    if !details.isEmpty { sentence += " (\(details.joined(separator: " ")))" }
    if failed, let reason = facts.reason { sentence += ": \(reason)" }
    return sentence
  }

  private static func callAction(_ facts: EventFacts) -> Action? {
    guard let name = facts.systemCallName else { return nil }
    return facts.callVariant ?? Action.systemCalls[name] ?? unknownCall(name, facts)
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
    // libauparse takes the first argument of `socketcall` for the call itself.
    let record = facts.event.record(.socketCall) == nil ? facts.call : nil
    let first =
      record.flatMap { facts.interpreter.meaning(of: "a0", in: $0, facts.event) }
      ?? facts.argument(0).map { "0x" + String($0, radix: 16) }
    let argument = first.map { " (a0=\(SafeText.cut(Array($0.utf8))))" } ?? ""
    return Action("called \(name)\(argument)", "call \(name)\(argument)", .named)
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
    var scanner = FieldScanner(body: record.body, end: record.line.upperBound, words: true)
    var fields: [Field] = []
    while let field = scanner.next(facts.event.bytes.span) {
      if field.section != .enrichment { fields.append(field) }
    }
    let words = fields.prefix(24).compactMap { field -> String? in
      let name = String(decoding: facts.event.bytes[field.name], as: UTF8.self)
      guard !shown.contains(name) else { return nil }
      let value = facts.event.decoded(field, of: record)
      if name.isEmpty { return SafeText.cut(value, at: 128) }
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
    let exe = facts.actor("exe")
    add("exe", exe)
    if exe == nil { add("comm", facts.actor("comm")) }
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
