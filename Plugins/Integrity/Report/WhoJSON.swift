import AudispatchPlugin
import EventDocument

/// Who made a change, in the words of the Elastic Common Schema where that has them.
extension JSONReport {
  /// Members of the whole document: only of the one author who is certain.
  static func person(_ attribution: Attribution, _ json: inout DocumentLine) {
    guard attribution.confidence == .exact, let candidate = attribution.candidates.first,
      let deed = candidate.deeds.last
    else { return }
    user(candidate.author, deed, &json)
    json.object("process") { process(deed, &$0) }
  }

  /// Members of `integrity`.
  static func attribution(_ attribution: Attribution, _ json: inout DocumentLine) {
    json.member("attribution", attribution.confidence.rawValue)
    if !attribution.reasons.isEmpty { json.array("attribution_reasons", attribution.reasons) }
    json.array("audit_events", attribution.stamps)
    guard attribution.confidence == .candidate else { return }
    json.objects("candidates", attribution.candidates) { candidate, json in
      guard let deed = candidate.deeds.last else { return }
      user(candidate.author, deed, &json)
      json.object("process") { process(deed, &$0) }
      json.array("audit_events", candidate.deeds.map(\.stamp.text))
    }
  }

  /// Whether the program sees what it should.
  static func line(_ subject: String, _ findings: [String], at milliseconds: Int64) -> String {
    var event = Self.event(
      "state", ["info"], findings.isEmpty ? "sees" : "blind", ["configuration"], at: milliseconds)
    event.kind = findings.isEmpty ? "state" : "alert"
    var json = DocumentLine()
    json.object {
      $0.head(event)
      $0.object("integrity") {
        $0.member("subject", subject)
        $0.array("findings", findings)
      }
    }
    return json.text
  }

  static func circumstances(_ circumstances: Circumstances, _ json: inout DocumentLine) {
    json.member("witness", circumstances.testimony.rawValue)
    json.member("found_by", circumstances.isFoundByScan ? "scan" : "event")
    guard circumstances.testimony == .disagrees else { return }
    json.objects("witnesses", circumstances.witnesses) { Self.witness($0, &$1) }
  }

  static func witness(_ witness: Witness, _ json: inout DocumentLine) {
    json.member("pid", Int(witness.pid))
    json.member("login", witness.login.word)
    if case .user(let login) = witness.login { json.member("uid", String(login)) }
    if let session = witness.session { json.member("session", String(session)) }
    if let executable = witness.executable { json.member("executable", bytes: executable) }
  }

  private static func user(_ author: Author, _ deed: Deed, _ json: inout DocumentLine) {
    json.object("user") { json in
      // Without a login there is no member, and above all no 0.
      if case .user(let login) = author.login {
        json.object("audit") { json in
          json.member("id", String(login))
          if let name = deed.loginName { json.member("name", bytes: name) }
        }
      }
      if let user = deed.user { json.member("id", String(user)) }
      if let effective = deed.effectiveUser {
        json.object("effective") { $0.member("id", String(effective)) }
      }
    }
    json.object("auditd") { json in
      json.member("login", author.login.word)
      if let session = author.session { json.member("session", String(session)) }
      json.array("keys", bytes: deed.keys)
      if let terminal = deed.terminal {
        json.object("data") { $0.member("tty", bytes: terminal) }
      }
    }
  }

  private static func process(_ deed: Deed, _ json: inout DocumentLine) {
    program(deed.program, &json)
    if let parent = deed.ancestors.first { json.object("parent") { program(parent, &$0) } }
    guard !deed.ancestors.isEmpty else { return }
    json.objects("ancestors", deed.ancestors) { program($0, &$1) }
  }

  static func program(_ program: Deed.Program, _ json: inout DocumentLine) {
    json.member("pid", Int(program.pid))
    if let executable = program.executable {
      json.member("executable", bytes: executable)
      json.member("name", bytes: executable.split(separator: 0x2f).last.map(Array.init) ?? [])
    }
    if !program.arguments.isEmpty { json.array("args", bytes: program.arguments) }
  }
}

extension Login {
  fileprivate var word: String {
    switch self {
    case .user: "set"
    case .unset: "unset"
    case .unknown: "unknown"
    }
  }
}
