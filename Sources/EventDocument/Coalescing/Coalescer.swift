import AudispatchPlugin
import AuditRecord

/// Puts the records of an event together to one set of facts.
///
/// In the way of go-libaudit it does what that does, faults included; else it keeps what that loses:
/// the differences are named at the places where they are made.
struct Coalescer: Sendable {
  /// Whether go-libaudit's faults are corrected.
  let isComplete: Bool
  private(set) var facts = EventFacts()
  private var libaudit = LibauditRecords()
  private var complete = CompleteRecords()
  private var known = KnownRecords()
  private var kinds: [UInt32: RecordKind] = [:]
  private var content = RecordContent()
  private var main = RecordContent()
  /// The SYSCALL's normalization, and whether there is a call at all.
  private var call: SystemCall?

  init(isComplete: Bool) { self.isComplete = isComplete }

  /// - Returns: `false`, with a warning, for records that go-libaudit makes no event of.
  mutating func coalesce(_ event: AuditEvent) -> Bool {
    facts.begin(event.bytes, event.stamp)
    call = nil
    var records = event.records[...]
    if let last = records.last, last.type == .endOfEvent, records.count > 1 || !isComplete {
      records = records.dropLast()
    }
    guard let first = records.first else {
      facts.warnings.append("messages is empty")
      return false
    }
    let systemCall = systemCall(records)
    if records.count > 1, systemCall == nil, !isComplete {
      facts.warnings.append("missing syscall message in compound event")
      return false
    }
    begin(first, systemCall)
    if records.count > 1 {
      for record in records where isComplete || record.type != .syscall {
        if record != systemCall ?? first { merge(record) }
      }
    }
    if facts.omitted > 0 { facts.warnings.append("\(facts.omitted) fields are left out") }
    normalize()
    takeProcess()
    return true
  }

  private func systemCall(_ records: ArraySlice<EventRecord>) -> EventRecord? {
    records.count == 1 && !isComplete ? nil : records.first { $0.type == .syscall }
  }

  private mutating func read(_ record: EventRecord) {
    if isComplete {
      complete.read(record, &facts.text, into: &content)
    } else {
      libaudit.read(record, &facts.text, into: &content)
    }
  }

  /// Of most records beside the SYSCALL the same ones have been read before.
  private mutating func readComplete(_ record: EventRecord, _ type: UInt32) {
    let body = record.body..<record.line.upperBound
    content.removeAll()
    if known.read(type, body, &facts.text, into: &content.fields) { return }
    let decoded = facts.text.bytes.count
    read(record)
    guard content.keys.isEmpty, content.meanings.isEmpty, content.call == nil else { return }
    known.keep(type, body, decoded: decoded, &content.fields, &facts.text)
  }

  /// What the record that names the event says, and what the SYSCALL does.
  private mutating func begin(_ first: EventRecord, _ systemCall: EventRecord?) {
    facts.kind = kind(of: first)
    facts.category = EventCategory.name(first.type.rawValue)
    read(systemCall ?? first)
    swap(&content, &main)
    call = main.call
    if let failure = main.failure {
      facts.warnings.append(failure)
      return
    }
    facts.tags = main.keys
    addMeanings(main)
    for entry in main.fields.entries {
      switch entry.key {
      case NameKey("result"):
        facts.result = entry.value
        continue
      case NameKey("ses"):
        facts.session = entry.value
        continue
      case NameKey("auid"): facts.actor = entry.value
      case NameKey("uid"): facts.actingAs = entry.value
      default: break
      }
      if entry.isIdentity(facts.text) {
        facts.identities.add(entry)
      } else if facts.text.starts(entry.name, with: "subj_") {
        var entry = entry
        entry.shortenName(by: 5, facts.text)
        facts.subjectLabel.add(entry)
      } else if systemCall == nil || !entry.isCalled("items", facts.text) {
        var entry = entry
        entry.source = (systemCall ?? first).type.rawValue
        facts.addData(entry)
      }
    }
    if facts.result == nil { facts.result = facts.text.add("unknown") }
  }

  private mutating func merge(_ record: EventRecord) {
    let type = record.type.rawValue
    if isComplete, type == RecordNumber.end { return }
    if isComplete, type == RecordNumber.execve { return addArguments(of: record) }
    if isComplete { readComplete(record, type) } else { read(record) }
    if let failure = content.failure {
      facts.warnings.append(Self.warning(failure, type))
      return
    }
    if isComplete {
      for key in content.keys {
        guard facts.tags.count < EventFacts.mostKeys else {
          facts.omitted += 1
          continue
        }
        if !facts.tags.contains(where: { facts.text.isSame($0, key) }) { facts.tags.append(key) }
      }
      addMeanings(content)
    }
    switch type {
    case RecordNumber.path:
      facts.addPath()
      swap(&facts.paths[facts.pathCount - 1], &content.fields)
    case RecordNumber.socketAddress: addAddress()
    case RecordNumber.execve: addArguments()
    default: addData(record)
    }
  }

  private static func warning(_ failure: String, _ type: UInt32) -> String {
    switch type {
    case RecordNumber.path: "failed to parse PATH message: \(failure)"
    case RecordNumber.socketAddress: "failed to parse SOCKADDR message: \(failure)"
    case RecordNumber.execve: "failed to parse EXECVE message: \(failure)"
    default: "failed to parse message: \(failure)"
    }
  }

  private mutating func addMeanings(_ content: RecordContent) {
    for entry in content.meanings.entries
    where facts.accounts.entries.count < EventFacts.mostKeys
      && facts.accounts.index(of: entry, facts.text) == nil
    {
      facts.accounts.add(entry)
    }
  }

  private mutating func addData(_ record: EventRecord) {
    for entry in content.fields.entries {
      var entry = entry
      entry.source = record.type.rawValue
      guard facts.data.entries.count < EventFacts.mostFields else {
        facts.omitted += 1
        continue
      }
      guard let place = facts.data.index(of: entry, facts.text) else {
        facts.addData(entry)
        continue
      }
      if isComplete {
        keep(entry, beside: place)
      } else {
        let name = String(decoding: facts.text[entry.name], as: UTF8.self)
        let kind = String(decoding: kind(of: record).name, as: UTF8.self)
        facts.warnings.append("duplicate key (\(name)) from \(kind) message")
      }
    }
  }

  /// Keeps a further value of a name: always one from another record of the same type, so that the
  /// values of those records go together, else one that says something new.
  private mutating func keep(_ entry: FieldMap.Entry, beside place: Int) {
    let known = facts.data.entries[place]
    if entry.source != known.source,
      facts.data.entries.contains(where: {
        $0.hasName(of: entry, facts.text) && facts.text.isSame($0.value, entry.value)
      })
    {
      return
    }
    facts.addData(entry)
  }

  private mutating func kind(of record: EventRecord) -> RecordKind {
    let type = record.type.rawValue
    if let kind = kinds[type], type != RecordType.unnamed.rawValue { return kind }
    let kind = RecordKind(record, in: facts.text.bytes)
    if kinds.count < 4096 { kinds[type] = kind }
    return kind
  }
}

extension Coalescer {
  private mutating func addAddress() {
    guard let call = isComplete ? EffectiveCall.name(facts) : namedCall else {
      facts.warnings.append("failed to add SOCKADDR data because syscall is unknown")
      if isComplete { addSocketFields() }
      return
    }
    let name = Array(call)
    addSocketFields()
    guard let direction = direction(of: name) else { return }
    let text = facts.text
    let address = EventFacts.Address(
      ip: content.fields.value("addr", text), port: content.fields.value("port", text),
      path: content.fields.value("path", text).flatMap { $0.isEmpty ? nil : $0 })
    facts.direction = direction
    guard address.ip != nil || address.port != nil || address.path != nil else { return }
    if direction == .ingress { facts.source = address } else { facts.destination = address }
  }

  private var namedCall: ArraySlice<UInt8>? {
    facts.data.value("syscall", facts.text).map { facts.text[$0] }
  }

  private func direction(of call: [UInt8]) -> EventFacts.Direction? {
    switch String(decoding: call, as: UTF8.self) {
    case "recvfrom", "recvmsg", "accept", "accept4": .ingress
    case "connect", "sendto", "sendmsg": .egress
    case let name where isComplete && name.hasPrefix("recv"): .ingress
    case let name where isComplete && name.hasPrefix("send"): .egress
    default: nil
    }
  }

  private mutating func addSocketFields() {
    for entry in content.fields.entries {
      let start = facts.text.bytes.count
      _ = facts.text.add("socket_")
      let rest = facts.text.copy(entry.name.range)
      facts.data.set(Text(start..<Int(rest.end)), entry.value, facts.text)
    }
  }

  private mutating func addArguments() {
    // `argc` and every argument are there: the record would not have been read otherwise.
    guard let count = content.fields.value("argc", facts.text) else { return }
    facts.data.set(facts.text.add("argc"), count, facts.text)
    facts.arguments.removeAll(keepingCapacity: true)
    var finder = ArgumentFinder()
    for index in 0..<max(facts.text.number(count) ?? 0, 0) {
      guard let place = finder.place(of: index, content.fields, facts.text) else { return }
      facts.arguments.append(content.fields.entries[place].value)
    }
  }

  /// Arguments whole, also where the kernel cut one in parts or over several records.
  private mutating func addArguments(of record: EventRecord) {
    complete.addArguments(of: record, &facts)
  }

  private mutating func takeProcess() {
    var (pid, parent, title, name, executable, directory):
      (Text?, Text?, Text?, Text?, Text?, Text?)
    let text = facts.text
    /// The first of a name is the process's.
    func take(_ entry: FieldMap.Entry, _ place: inout Text?) -> Bool {
      if place != nil { return false }
      place = entry.value
      return true
    }
    facts.data.removeAll { entry in
      switch entry.key {
      case NameKey("pid"): take(entry, &pid)
      case NameKey("ppid"): take(entry, &parent)
      case NameKey("comm"): take(entry, &name)
      case NameKey("exe"): take(entry, &executable)
      case NameKey("cwd"): take(entry, &directory)
      case NameKey("proctitle"):
        text.has(entry.name, "proctitle") && take(entry, &title)
      default: false
      }
    }
    (facts.pid, facts.parent, facts.title) = (pid, parent, title)
    (facts.name, facts.executable, facts.directory) = (name, executable, directory)
  }

  private mutating func normalize() {
    Normalizer(isComplete: isComplete, call: call, kind: facts.kind).apply(to: &facts)
  }
}
