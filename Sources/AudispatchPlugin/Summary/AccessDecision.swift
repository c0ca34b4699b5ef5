import AuditRecord

extension EventFacts {
  /// The sentence of an AVC record: what SELinux or AppArmor decided about whom.
  var accessDecision: String? {
    guard subjectName == "AVC" || subjectName == "USER_AVC" else { return nil }
    if event.field("apparmor", of: subject) != nil { return appArmorDecision }
    return selinuxDecision
  }

  private var appArmorDecision: String {
    func field(_ name: String) -> String? { shown(name, of: subject) }
    var words = ["AppArmor \((field("apparmor") ?? "?").lowercased())"]
    words.append(field("operation") ?? "an operation")
    if let name = field("name") { words.append("of \(name)") }
    words.append("to \(field("comm") ?? "?")")
    if let details = fields(["profile", "requested_mask", "denied_mask", "info"], named: true) {
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
    if let name = shown("path", of: subject) ?? shown("name", of: subject) {
      words.append("of \(name)")
    }
    words.append("to \(shown("comm", of: subject) ?? shown("exe", of: subject) ?? "?")")
    if let details = fields(["tclass", "scontext", "tcontext", "permissive"], named: true) {
      words.append("(\(details))")
    }
    return words.joined(separator: " ")
  }
}
