import AuditRecord

/// What a security module decided about whom, or said otherwise.
extension EventFacts {
  /// The sentence of a record of SELinux, AppArmor, Smack, IPE, Landlock, BPF or fanotify; `nil` for
  /// what is none of that, and for one in words that are not known.
  var accessDecision: String? {
    switch subjectName {
    case "FANOTIFY": return fanotifyDecision
    case "IPE_ACCESS":
      return decision("IPE", denied: !(shown("rule", of: subject)?.contains("ALLOW") ?? false)) {
        shown("ipe_op", of: subject)
      }
    case "LANDLOCK_ACCESS":
      return decision("Landlock", denied: true) { shown("blockers", of: subject) }
    case "LANDLOCK_DOMAIN": return landlockDomain
    case "USER_AVC":
      if event.field("apparmor", of: subject) != nil { return appArmorDecision }
      return selinuxDecision ?? selinuxNotice
    case "AVC" where event.field("lsm", of: subject) != nil:
      let isDenied = shown("action", of: subject) != "granted"
      return decision(shown("lsm", of: subject) ?? "?", denied: isDenied) {
        shown("requested", of: subject)
      }
    case "AVC": break
    default: guard subjectName.hasPrefix("APPARMOR") else { return nil }
    }
    if event.field("apparmor", of: subject) != nil { return appArmorDecision }
    return selinuxDecision
  }

  /// `MODULE denied RIGHTS of PATH to PROGRAM (…)`.
  private func decision(_ module: String, denied: Bool, _ rights: () -> String?) -> String {
    var words = ["\(module) \(denied ? "denied" : "granted") \(rights() ?? "access")"]
    if let file { words += ["of", file] }
    words += ["to", asker(shown("comm", of: subject) ?? actor("comm"))]
    let names = ["domain", "fn", "subject", "object", "ipe_hook", "enforcing", "rule"]
    var details = fields(names, named: true)
    if subjectName == "LANDLOCK_ACCESS",
      let record = event.records.first(where: { $0.type == .landlockDomain }),
      let domain = facts(of: record).domain(["mode"])
    {
      details = [details, domain].compactMap { $0 }.joined(separator: " ")
    }
    if let details { words.append("(\(details))") }
    return words.joined(separator: " ")
  }

  /// Which file: by its whole path where PATH records have it.
  private var file: String? {
    if let path = shown("path", of: subject) { return path }
    guard let name = event.value("name", of: subject) else { return nil }
    return event.value("ino", of: subject).flatMap { path(named: name, inode: $0) }
      ?? SafeText.cut(name)
  }

  /// What the kernel tells of a domain by itself: its end, and how often it denied something.
  private var landlockDomain: String {
    let status = shown("status", of: subject)
    let verb =
      switch status {
      case "allocated": "denied something for the first time"
      case "deallocated": "ended"
      default: "changed to \(status ?? "?")"
      }
    let details = domain(["domain", "mode", "denials"]).map { " (\($0))" } ?? ""
    return "a Landlock domain \(verb)\(details)"
  }

  /// A domain's fields, and who made it, which the record of its beginning tells.
  private func domain(_ names: [String]) -> String? {
    let told = fields(names, named: true)
    let maker = [
      user("uid", of: subject), shown("pid", of: subject).map { "pid \($0)" },
      shown("exe", of: subject),
    ].compactMap { $0 }
    guard !maker.isEmpty else { return told }
    return [told, "made by \(maker.joined(separator: " "))"].compactMap { $0 }
      .joined(separator: ", ")
  }

  private var fanotifyDecision: String? {
    guard let response = shown("resp", of: subject) else { return nil }
    // libauparse names 1 and 2; later kernels add bits above them.
    let isDenied = response == "deny" || response == "2"
    var words = [who, isDenied ? "was denied by fanotify" : "was allowed by fanotify"]
    if let name = systemCallName {
      let action = Action.systemCalls[name]
      let object = action.flatMap { self.object(of: $0) }
      let verb = action?.infinitive ?? "call \(SafeText.escaped(name.utf8))"
      words += ["to", object == nil ? Action.alone(verb) : verb]
      if let object { words.append(object) }
    } else {
      words.append("an access")
      if let path { words += ["of", path] }
    }
    let names = ["fan_type", "fan_info", "subj_trust", "obj_trust"]
    if let details = fields(names, named: true) { words.append("(\(details))") }
    return words.joined(separator: " ")
  }

  private var appArmorDecision: String {
    func field(_ name: String) -> String? { shown(name, of: subject) }
    let kind = (field("apparmor") ?? "?").lowercased()
    let operation = field("operation") ?? "an operation"
    let isDecision = kind == "denied" || kind == "allowed"
    let verb = isDecision ? "\(kind) " : kind == "audit" ? "noted " : "\(kind): "
    var words = ["AppArmor \(verb)\(operation)"]
    let name = field("name") ?? field("capname") ?? field("target")
    if let name { words += ["of", name] }
    let label = subjectName == "USER_AVC" ? field("label") : nil
    if let program = field("comm") ?? label { words += [isDecision ? "to" : "by", asker(program)] }
    let names = [
      "profile", "requested_mask", "denied_mask", "mask", "srcname", "target", "peer", "bus",
      "path",
      "interface", "member", "peer_label", "family", "sock_type", "addr", "peer_addr", "laddr",
      "lport", "faddr", "fport", "signal", "fstype", "flags", "class", "info", "error",
    ]
    if let details = fields(names, named: true, known: field("target") == name ? name : nil) {
      words.append("(\(details))")
    }
    return words.joined(separator: " ")
  }

  /// `avc:  denied  { read } for  pid=…`: the words in front of the fields are the decision.
  private var selinuxDecision: String? {
    guard let vector = event.accessVector(of: subject) else { return nil }
    let granted = event.bytes[vector.result].elementsEqual("granted".utf8)
    let rights = event.bytes[vector.permissions].split(separator: 0x20).prefix(32)
      .map { SafeText.word($0.prefix(64)) }.joined(separator: ",")
    var words = ["SELinux \(granted ? "granted" : "denied") \(rights)"]
    if let file { words.append("of \(file)") }
    words.append("to \(requester)")
    let names = [
      "msgtype", "interface", "member", "laddr", "lport", "faddr", "fport", "saddr", "src", "daddr",
      "dest", "netif", "kmod", "ioctlcmd", "key_desc", "tclass", "scontext", "tcontext",
      "permissive",
    ]
    if let details = fields(names, named: true) { words.append("(\(details))") }
    return words.joined(separator: " ")
  }

  /// Who was refused. A USER_AVC is sent by the program that asked SELinux: who asked that is in
  /// its message, `for auid=… uid=… cmdline=…` or `spid=…`.
  private var requester: String {
    let isUserSpace = subjectName == "USER_AVC"
    if let command = shown("comm", of: subject) ?? shown("cmdline", of: subject) {
      return isUserSpace ? command : asker(command)
    }
    if !isUserSpace { return asker(shown("exe", of: subject) ?? actor("comm") ?? "?") }
    if let user = askingUser { return user }
    return shown("spid", of: subject).map { "pid \($0)" } ?? shown("scontext", of: subject) ?? "?"
  }

  private var askingUser: String? {
    var scanner = FieldScanner(body: subject.body, end: subject.line.upperBound)
    var users: [String: String] = [:]
    while let field = scanner.next(event.bytes.span) {
      let name = String(decoding: event.bytes[field.name], as: UTF8.self)
      guard field.section == .message, name == "auid" || name == "uid" else { continue }
      users[name] = account(field, name, of: subject) {
        interpreter.meanings(in: subject, event).last { $0.name == name }?.meaning
      }
    }
    guard let acting = users["uid"] else { return users["auid"] }
    guard let login = users["auid"], login != acting else { return acting }
    return "\(login) as \(acting)"
  }

  /// `avc:  received setenforce notice (enforcing=0)`: what SELinux told a program.
  private var selinuxNotice: String? {
    let line = event.bytes[subject.body..<subject.line.upperBound]
    let mark = Array("avc:".utf8)
    guard line.count > mark.count,
      let start = (line.startIndex..<line.endIndex - mark.count).first(where: {
        line[$0...].starts(with: mark)
      })
    else { return nil }
    var words = line[(start + mark.count)...].prefix { $0 != 0x1d }.split(separator: 0x20)
    if let end = words.firstIndex(where: { $0.starts(with: "exe=".utf8) }) {
      words.removeSubrange(end...)
    }
    guard !words.isEmpty else { return nil }
    let text = SafeText.escaped(Array(words.joined(separator: [0x20])).prefix(512))
    return "\(who) \(words[0].elementsEqual("received".utf8) ? "" : "said of SELinux: ")\(text)"
  }
}
