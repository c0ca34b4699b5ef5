import AuditRecord

/// The facts of one event that its summary is made of.
struct EventFacts {
  let event: AuditEvent
  let interpreter: Interpreter
  let systemCall: EventRecord?
  /// The record that says what happened.
  let subject: EventRecord
  let subjectName: String

  /// `nil` for an event without records.
  init?(_ event: AuditEvent, _ interpreter: Interpreter) {
    guard let first = event.records.first else { return nil }
    self.event = event
    self.interpreter = interpreter
    systemCall = event.record(.syscall)
    var subject = systemCall ?? first
    for record in event.records where !Action.companions.contains(Self.name(record, event)) {
      subject = record
      break
    }
    self.subject = subject
    subjectName = Self.name(subject, event)
  }

  private static func name(_ record: EventRecord, _ event: AuditEvent) -> String {
    String(decoding: event.bytes[record.typeName], as: UTF8.self)
  }

  /// A field of the record that names the actor, made safe to show.
  func actor(_ field: String) -> String? {
    (event.value(field, of: systemCall ?? subject) ?? event.value(field, of: subject))
      .map { SafeText.word($0.prefix(256)) }
  }

  /// Who did it: the login user, and as whom.
  var who: String {
    let record = systemCall ?? subject
    let login = user("auid", of: record)
    let real = user("uid", of: record)
    let effective = user("euid", of: record)
    let acting = effective ?? real
    guard let acting else {
      if let login { return login }
      return subjectName.hasPrefix("DAEMON_") ? "auditd" : "the kernel"
    }
    guard let login, login != acting else {
      if let real, real != acting { return "\(real) as \(acting)" }
      return acting
    }
    return "\(login) as \(acting)"
  }

  /// A user's name: auditd's enrichment, else libauparse's look-up, else the number.
  func user(_ field: String, of record: EventRecord) -> String? {
    guard let raw = event.field(field, of: record) else { return nil }
    let number = String(decoding: event.bytes[raw.value].prefix(32), as: UTF8.self)
    if number.isEmpty || number == "4294967295" || number == "-1" || number == "unset" {
      return nil
    }
    let name =
      event.enrichment(field.uppercased(), of: record).map { Array(event.bytes[$0.value]) }
      ?? interpreter.meaning(of: field, in: record, event).map { Array($0.utf8) }
    guard let name, !name.starts(with: "unknown(".utf8), !name.elementsEqual("unset".utf8) else {
      return (subjectName.contains("GROUP") ? "gid " : "uid ") + SafeText.word(number.utf8)
    }
    return SafeText.word(name.prefix(256))
  }

  /// Whether it succeeded; `nil` when nothing says so.
  var succeeded: Bool? {
    for record in [subject, systemCall].compactMap(\.self) {
      for name in ["success", "res", "result"] {
        guard let field = event.field(name, of: record) else { continue }
        switch String(decoding: event.bytes[field.value].prefix(16), as: UTF8.self) {
        case "yes", "success", "1": return true
        case "no", "failed", "0", "fail", "failure": return false
        default: continue
        }
      }
    }
    return nil
  }

  /// The error that a system call ended with: `ENOENT (No such file or directory)`.
  var reason: String? {
    guard let record = systemCall, record == subject,
      let exit = event.field("exit", of: record), event.bytes[exit.value].first == 0x2d
    else { return nil }
    guard let meaning = interpreter.meaning(of: "exit", in: record, event) else {
      return "error " + SafeText.word(event.bytes[exit.value].prefix(24))
    }
    guard let bracket = meaning.firstIndex(of: "(") else { return SafeText.escaped(meaning.utf8) }
    return SafeText.escaped("\(meaning[..<bracket]) \(meaning[bracket...])".utf8)
  }

  /// A field's meaning where there is one, else its value; safe to show.
  func shown(_ field: String, of record: EventRecord) -> String? {
    guard let raw = event.field(field, of: record), !raw.value.isEmpty else { return nil }
    if raw.quoting == .none, EncodedFields.contains(event.bytes[raw.name], type: record.type) {
      return event.value(field, of: record).map(SafeText.cut)
    }
    if raw.quoting != .none { return SafeText.cut(Array(event.bytes[raw.value])) }
    if let enriched = event.enrichment(field.uppercased(), of: record) {
      return SafeText.cut(Array(event.bytes[enriched.value]))
    }
    if raw.section == .record,
      let meaning = interpreter.meaning(of: field, in: record, event), !meaning.isEmpty
    {
      return SafeText.cut(Array(meaning.utf8))
    }
    return event.value(field, of: record).map(SafeText.cut)
  }
}

extension SafeText {
  /// A value as a word; a long one is cut, and says how much was left out.
  static func cut(_ bytes: [UInt8]) -> String { cut(bytes, at: 256) }

  static func cut(_ bytes: [UInt8], at limit: Int) -> String {
    guard bytes.count > limit else { return word(bytes) }
    // Not inside a UTF-8 sequence.
    var end = limit
    while end > limit - 4, bytes[end] & 0xc0 == 0x80 { end -= 1 }
    return word(bytes[..<end]) + "…[+\(bytes.count - end) bytes]"
  }
}
