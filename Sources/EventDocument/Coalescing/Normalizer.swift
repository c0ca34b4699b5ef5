/// Says in common words what happened: action, actor, object and categories, from the tables.
struct Normalizer {
  let isComplete: Bool
  let call: SystemCall?
  let kind: RecordKind

  func apply(to facts: inout EventFacts) {
    setHow(&facts)
    let ofCall = normalizationOfCall(facts)
    guard let found = kind.name.elementsEqual("SYSCALL".utf8) ? ofCall : ofRecord(facts) else {
      facts.warnings.append("no normalization found for event")
      if isComplete, let ofCall { categorize(ofCall, nil, &facts) }
      return
    }
    categorize(found, ofCall, &facts)
    facts.action = action(found, facts)
    facts.objectType = found.object
    if found.isFile { FileObject(isComplete: isComplete).set(found.pathIndex, &facts) }
    if found.isSocket { setSocket(&facts) }
    setNamed(found, &facts)
    if facts.source == nil, !found.source.isEmpty { setSource(found, &facts) }
    for mapping in found.mappings { map(mapping.from, mapping.to, &facts) }
  }

  private func normalizationOfCall(_ facts: EventFacts) -> Normalization? {
    guard facts.data.index(of: "syscall", facts.text) != nil else { return nil }
    let table = isComplete ? NormalizationTable.complete : NormalizationTable.libaudit
    if isComplete, let line = EffectiveCall.line(facts) { return line }
    return (isComplete ? call?.complete : call?.libaudit) ?? table.catchAll
  }

  /// The only line of the record's type, or the last one whose requirements hold.
  private func ofRecord(_ facts: EventFacts) -> Normalization? {
    if isComplete, kind.name.elementsEqual("URINGOP".utf8), let line = EffectiveCall.line(facts) {
      return line
    }
    let lines = isComplete ? kind.complete : kind.libaudit
    if lines.count < 2 { return lines.first }
    return lines.last { line in
      line.required.allSatisfy { wanted in
        guard let value = facts.data.value(wanted.field, facts.text) else { return false }
        return wanted.value.map { facts.text.has(value, $0) } ?? true
      }
    }
  }

  /// A call that has no line of its own is at least named.
  private func action(_ found: Normalization, _ facts: EventFacts) -> [UInt8] {
    guard isComplete, found.action.isEmpty, let call = facts.data.value("syscall", facts.text)
    else { return found.action }
    return Array("called-".utf8) + facts.text[call].prefix(64)
  }

  /// The categories of the record and of the system call that it came with. The complete way says
  /// each once.
  private func categorize(
    _ found: Normalization, _ ofCall: Normalization?, _ facts: inout EventFacts
  ) {
    facts.ecsKind = found.kind
    facts.categories = found.categories
    facts.types = found.types
    guard let ofCall, !ofCall.isSame(as: found) else { return }
    if isComplete {
      for one in ofCall.categories where !facts.categories.contains(one) {
        facts.categories.append(one)
      }
      for one in ofCall.types where !facts.types.contains(one) { facts.types.append(one) }
    } else {
      facts.categories += ofCall.categories
      facts.types += ofCall.types
    }
    if let result = facts.result, facts.text.has(result, "fail") { facts.isFailure = true }
  }

  /// With which program; its name where that is an interpreter, so that a script is seen.
  private func setHow(_ facts: inout EventFacts) {
    let comm = facts.data.value("comm", facts.text)
    guard let program = facts.data.value("exe", facts.text) ?? comm else { return }
    facts.how = program
    guard let comm, facts.text.starts(program, with: "/usr/bin/") else { return }
    var name = program
    name.start += 9
    let text = facts.text
    if text.starts(name, with: "python") || text.starts(name, with: "sh")
      || text.starts(name, with: "bash") || text.starts(name, with: "perl")
    {
      facts.how = comm
    }
  }

  private func setSocket(_ facts: inout EventFacts) {
    if let address = facts.data.value("socket_addr", facts.text)
      ?? facts.data.value("socket_path", facts.text)
    {
      facts.object = address
    }
    if let port = facts.data.value("socket_port", facts.text) { facts.secondaryObject = port }
  }

  private func setNamed(_ found: Normalization, _ facts: inout EventFacts) {
    if let value = named(found.actor, "subject primary", &facts) { facts.actor = value }
    if let value = named(found.actingAs, "subject secondary", &facts) { facts.actingAs = value }
    if let value = named(found.primary, "object primary", &facts) { facts.object = value }
    if let value = named(found.secondary, "object secondary", &facts) {
      facts.secondaryObject = value
    }
    if let value = named(found.how, "how", &facts) { facts.how = value }
  }

  private func named(
    _ names: [[UInt8]], _ what: String, _ facts: inout EventFacts
  ) -> Text? {
    for name in names { if let value = facts.value(name) { return value } }
    if !names.isEmpty { warn(what, names, &facts) }
    return nil
  }

  private func warn(_ what: String, _ names: [[UInt8]], _ facts: inout EventFacts) {
    // What is missing is no news to those who do not ask for go-libaudit's warnings.
    guard !isComplete else { return }
    let keys = names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    facts.warnings.append("failed to set \(what) using keys=[\(keys)] because they were not found")
  }

  private func setSource(_ found: Normalization, _ facts: inout EventFacts) {
    for name in found.source {
      guard let value = facts.data.take(name, facts.text) else { continue }
      facts.source = EventFacts.Address(ip: value)
      facts.direction = .ingress
      return
    }
    warn("source IP", found.source, &facts)
  }

  private func map(_ from: Normalization.From, _ to: Normalization.To, _ facts: inout EventFacts) {
    let value =
      switch from {
      case .actor: facts.actor
      case .actingAs: facts.actingAs
      case .object: facts.object
      case .identity(let name): facts.identities.value(name, facts.text)
      }
    let entity = entity(value, facts.text)
    func setting(_ old: EventFacts.Entity) -> EventFacts.Entity {
      guard !entity.isUnset else { return entity }
      return EventFacts.Entity(id: entity.id ?? old.id, name: entity.name ?? old.name)
    }
    switch to {
    case .user: facts.user = setting(facts.user)
    case .effective: facts.effective = setting(facts.effective)
    case .target: facts.target = setting(facts.target)
    case .changes: facts.changes = setting(facts.changes)
    case .group: facts.group = setting(facts.group)
    }
  }

  private func entity(_ value: Text?, _ text: EventText) -> EventFacts.Entity {
    guard let value, !value.isEmpty, !text.has(value, "unset"), !text.has(value, "4294967295"),
      !text.has(value, "-1")
    else { return EventFacts.Entity(isUnset: true) }
    if text.unsigned(value, base: 10) != nil { return EventFacts.Entity(id: value) }
    return EventFacts.Entity(name: value)
  }
}
