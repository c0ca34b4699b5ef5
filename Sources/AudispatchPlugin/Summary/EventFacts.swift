import AuditRecord

/// The facts of one event that its summary is made of.
struct EventFacts {
  let event: AuditEvent
  let interpreter: Interpreter
  /// What was called, by whom and how it ended: the SYSCALL record, or io_uring's URINGOP.
  let call: EventRecord?
  /// The record with the actor: SYSCALL where there is one.
  let actorRecord: EventRecord
  /// The record that says what happened.
  private(set) var subject: EventRecord
  private(set) var subjectName: String
  /// All records that say what happened, in their order, the subject first.
  let statements: [EventRecord]

  /// `nil` for an event without records.
  init?(_ event: AuditEvent, _ interpreter: Interpreter) {
    guard let first = event.records.first else { return nil }
    self.event = event
    self.interpreter = interpreter
    let systemCall = event.record(.syscall)
    call = event.record(.uringOperation) ?? systemCall
    let whole = event.records.filter { !EventParts.contains($0, event) }
    // A record of a kind that we do not know may be one that goes with the call.
    var statements = whole.filter { Action.records[Self.name($0, event)] != nil }
    if statements.isEmpty {
      statements = call.map { [$0] } ?? Array(whole.prefix(1))
    } else if call != nil {
      // What a module's call did is said better by the call.
      let others = statements.filter { $0.type != .kernelModule }
      statements = others.isEmpty ? [call ?? first] : others
      if let call, statements.allSatisfy({ Action.insideCall.contains(Self.name($0, event)) }) {
        statements.insert(call, at: min(statements.count, EventSummary.statements - 1))
      }
    }
    self.statements = statements
    subject = statements.first ?? first
    subjectName = Self.name(subject, event)
    actorRecord = systemCall ?? call ?? subject
  }

  /// The same event, seen by another of its statements.
  func facts(of statement: EventRecord) -> EventFacts {
    var other = self
    other.subject = statement
    other.subjectName = Self.name(statement, event)
    return other
  }

  /// The type's name: as it stands there where nobody knows it.
  static func name(_ record: EventRecord, _ event: AuditEvent) -> String {
    if record.type != .unnamed { return record.type.knownName }
    return String(decoding: event.bytes[record.typeName], as: UTF8.self)
  }

  /// A field of the record that names the actor, made safe to show.
  func actor(_ field: String) -> String? {
    (event.value(field, of: actorRecord) ?? event.value(field, of: subject))
      .flatMap { $0.elementsEqual("?".utf8) ? nil : SafeText.word($0.prefix(256)) }
  }

  /// A user's or a group's name: auditd's enrichment, else libauparse's look-up, else the number.
  func user(_ field: String, of record: EventRecord) -> String? {
    guard let raw = event.field(field, of: record) else { return nil }
    return account(raw, field, of: record) {
      interpreter.meaning(of: field, in: record, event)
    }
  }

  /// The account in a field; `meaning` is asked for its name where auditd gave none.
  func account(
    _ raw: Field, _ name: String, of record: EventRecord, meaning: () -> String?
  ) -> String? {
    let number = String(decoding: event.bytes[raw.value].prefix(32), as: UTF8.self)
    guard !number.isEmpty, number.utf8.allSatisfy({ $0 &- 0x30 < 10 }), number != "4294967295"
    else { return nil }
    let found =
      event.enrichment(name.uppercased(), of: record).map { Array(event.bytes[$0.value]) }
      ?? meaning().map { Array($0.utf8) }
    guard let found, !found.elementsEqual("unset".utf8), !AddedMeanings.isUnknown(found),
      !found.elementsEqual(number.utf8)
    else {
      if number == "0" { return "root" }
      return (AccountFields.isGroup(name, in: record.type) ? "gid " : "uid ")
        + SafeText.word(number.utf8)
    }
    return SafeText.word(found.prefix(256))
  }

  /// Whether it succeeded; `nil` when nothing says so.
  var succeeded: Bool? { result(of: subject) ?? call.flatMap(result) }

  /// Whether the call has ended without telling how, as the kernel has it when the process died in
  /// it. Calls that never come back have nothing to tell.
  var lacksResult: Bool {
    guard let call, result(of: call) == nil else { return false }
    return !["exit", "exit_group", "rt_sigreturn", "sigreturn"].contains(systemCallName)
  }

  /// What a record says of the result.
  func result(of record: EventRecord) -> Bool? {
    for name in ["success", "res", "result"] {
      guard let field = event.field(name, of: record) else { continue }
      let text = String(decoding: event.bytes[field.value].prefix(16), as: UTF8.self)
      switch text.lowercased() {
      case "yes", "success", "1": return true
      case "no", "failed", "0", "fail", "failure": return false
      default: continue
      }
    }
    return nil
  }

  /// Errors that no program sees (`include/linux/errno.h`).
  private static let kernelErrors = [
    512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND", 515: "ENOIOCTLCMD",
    516: "ERESTART_RESTARTBLOCK", 517: "EPROBE_DEFER", 518: "EOPENSTALE", 519: "ENOPARAM",
  ]

  /// The error that a system call ended with: `ENOENT (No such file or directory)`.
  var reason: String? {
    guard let record = call, let exit = event.field("exit", of: record),
      event.bytes[exit.value].first == 0x2d
    else { return nil }
    let number = event.bytes[exit.value].dropFirst().prefix(24)
    if let name = Digits.value(number).flatMap({ Self.kernelErrors[$0] }) { return name }
    guard let meaning = interpreter.meaning(of: "exit", in: record, event), meaning.first == "E"
    else { return "error " + SafeText.word(number) }
    guard let bracket = meaning.firstIndex(of: "(") else { return SafeText.escaped(meaning.utf8) }
    return SafeText.escaped("\(meaning[..<bracket]) \(meaning[bracket...])".utf8)
  }

  /// A field's meaning where there is one, else its value; safe to show.
  func shown(_ field: String, of record: EventRecord) -> String? {
    guard let raw = event.field(field, of: record), !raw.value.isEmpty else { return nil }
    if field == "key" {
      return event.value(field, of: record).map { key in
        // Several keys of one rule have a 0x01 between them.
        key.split(separator: 1).map { SafeText.cut(Array($0)) }.joined(separator: ",")
      }
    }
    if field == "syscall", let name = event.systemCallName(in: record) {
      return SafeText.cut(Array(name.utf8))
    }
    if raw.quoting == .none, EncodedFields.contains(event.bytes[raw.name], type: record.type) {
      return event.value(field, of: record).map(SafeText.cut)
    }
    if raw.quoting != .none { return SafeText.cut(Array(event.bytes[raw.value])) }
    if let enriched = event.enrichment(field.uppercased(), of: record) {
      return SafeText.cut(Array(event.bytes[enriched.value]))
    }
    if let number = Self.numberBesideHex(event.bytes[raw.value]) { return number }
    if raw.section == .record, Self.isNumber(event.bytes[raw.value]),
      let meaning = interpreter.meaning(of: field, in: record, event), !meaning.isEmpty
    {
      return SafeText.cut(Array(meaning.utf8))
    }
    return event.value(field, of: record).map(SafeText.cut)
  }

  /// Whether a value has the form of a number. libauparse takes whatever stands in a field that
  /// holds a number elsewhere for one: `mode=enforcing`, `action=measure`.
  private static func isNumber(_ value: ArraySlice<UInt8>) -> Bool {
    let digits = value.starts(with: "0x".utf8) ? value.dropFirst(2) : value
    let text = digits.first == 0x2d ? digits.dropFirst() : digits
    return !text.isEmpty && text.allSatisfy(Hex.isDigit)
  }

  /// A number that the kernel writes twice: `spi=7(0x7)`.
  private static func numberBesideHex(_ value: ArraySlice<UInt8>) -> String? {
    let digits = value.prefix { $0 &- 0x30 < 10 }
    let rest = value[digits.endIndex...]
    guard !digits.isEmpty, rest.starts(with: "(0x".utf8), rest.last == UInt8(ascii: ")"),
      rest.dropFirst(3).dropLast().allSatisfy(Hex.isDigit)
    else { return nil }
    return SafeText.escaped(value.prefix(48))
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
