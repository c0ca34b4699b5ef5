import AudispatchPlugin

/// Who made a change, in the words of the Elastic Common Schema where that has them.
extension JSONReport {
  /// Members of the whole document: only of the one author who is certain.
  static func person(_ attribution: Attribution, _ json: inout JSONText) {
    guard attribution.confidence == .exact, let candidate = attribution.candidates.first,
      let deed = candidate.deeds.last
    else { return }
    user(candidate.author, deed, &json)
    json.object("process") { process(deed, &$0) }
  }

  /// Members of `integrity`.
  static func attribution(_ attribution: Attribution, _ json: inout JSONText) {
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
    var json = JSONText()
    json.object {
      $0.member("@timestamp", Timestamp.text(milliseconds: milliseconds))
      $0.object("event") {
        $0.member("kind", findings.isEmpty ? "state" : "alert")
        $0.array("category", ["configuration"])
        $0.array("type", ["info"])
        $0.member("action", findings.isEmpty ? "sees" : "blind")
        $0.member("module", "integrity")
      }
      $0.object("integrity") {
        $0.member("subject", subject)
        $0.array("findings", findings)
      }
    }
    return json.text
  }

  static func circumstances(_ circumstances: Circumstances, _ json: inout JSONText) {
    json.member("witness", circumstances.testimony.rawValue)
    json.member("found_by", circumstances.isFoundByScan ? "scan" : "event")
    guard circumstances.testimony == .disagrees else { return }
    json.objects("witnesses", circumstances.witnesses) { Self.witness($0, &$1) }
  }

  static func witness(_ witness: Witness, _ json: inout JSONText) {
    json.member("pid", Int(witness.pid))
    json.member("login", witness.login.word)
    if case .user(let login) = witness.login { json.member("uid", String(login)) }
    if let session = witness.session { json.member("session", String(session)) }
    if let executable = witness.executable { json.member("executable", bytes: executable) }
  }

  private static func user(_ author: Author, _ deed: Deed, _ json: inout JSONText) {
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
    }
  }

  private static func process(_ deed: Deed, _ json: inout JSONText) {
    program(deed.program, &json)
    if let terminal = deed.terminal { json.member("tty", bytes: terminal) }
    guard !deed.ancestors.isEmpty else { return }
    json.objects("ancestors", deed.ancestors) { program($0, &$1) }
  }

  static func program(_ program: Deed.Program, _ json: inout JSONText) {
    json.member("pid", Int(program.pid))
    if let executable = program.executable { json.member("executable", bytes: executable) }
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
