import AuditRecord

/// Who did what an event tells.
extension EventFacts {
  /// The login user, and as whom; in words where no record names anybody.
  var who: String {
    if Action.ofAuditd.contains(subjectName) { return "auditd" }
    return actingAccount ?? nobody
  }

  /// Whether no record names an account that did it.
  var isActorUnknown: Bool { actingAccount == nil }

  /// The account that did it, as the records name it.
  var actingAccount: String? {
    // Its `uid` is what the rule is about.
    if actorRecord == subject, subjectName == "INTEGRITY_POLICY_RULE" { return nil }
    // In a LOGIN, `auid` is the one that was set.
    let login = subjectName == "LOGIN" ? oldLogin : user("auid", of: actorRecord)
    if login == nil, isStranger { return "somebody" }
    let real = user("uid", of: actorRecord)
    let effective = user("euid", of: actorRecord)
    guard let acting = effective ?? real else { return login }
    guard let login, login != acting else {
      if let real, real != acting { return "\(real) as \(acting)" }
      return acting
    }
    return "\(login) as \(acting)"
  }

  /// Whether it was someone who has not logged in: `uid` is then that of the program that asked for
  /// a password, as sshd.
  private var isStranger: Bool {
    switch subjectName {
    case "USER_LOGIN", "USER_AUTH": result(of: subject) == false
    default: subjectName.hasPrefix("ANOM_LOGIN_") || subjectName == "ANOM_ORIGIN_FAILURES"
    }
  }

  /// Who it was when no record names anybody.
  private var nobody: String {
    if subjectName.hasPrefix("DAEMON_") { return "auditd" }
    if event.field("auid", of: actorRecord) != nil { return "somebody (login unset)" }
    return Action.besideCall.contains(subjectName) ? "somebody" : "the kernel"
  }

  /// Who asked a security module, with the program in brackets where a call's record names both.
  func asker(_ program: String?) -> String {
    guard call != nil, let account = actingAccount else { return program ?? who }
    return program.map { "\(account) (\($0))" } ?? account
  }
}
