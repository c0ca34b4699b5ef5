public import AudispatchPlugin
import AuditRecord
import Glibc
import ProcessContext

/// Reads overviews. Keeps what it needs from event to event.
public struct OverviewReader: Sendable {
  private var coalescer = Coalescer(isComplete: true)
  private var people: PersonFinder
  private let host: [UInt8]

  /// - Parameters:
  ///   - accounts: where names of users are looked up that the lines do not bring; on this host that
  ///     may block.
  ///   - host: this host's name: users of other nodes are not looked up.
  public init(accounts: AccountLookup, host: [UInt8]) {
    people = PersonFinder(accounts)
    self.host = host
  }

  public mutating func overview(of event: AuditEvent) -> EventOverview {
    var overview = EventOverview()
    guard coalescer.coalesce(event) else { return overview }
    people.cache.isAsked = OwnNode.isOwn(event, host: host)
    people.begin()
    overview.take(event, coalescer.facts, &people)
    return overview
  }

  /// Lets names of users and groups be looked up again.
  public mutating func forgetAccounts() { people.cache.forget() }
}

extension EventOverview {
  fileprivate mutating func take(
    _ event: AuditEvent, _ facts: EventFacts, _ people: inout PersonFinder
  ) {
    let isCall = event.record(.syscall) != nil
    takeActor(facts, &people)
    takeOutcome(facts, isCall: isCall)
    if event.records.first?.type == .login {
      takeLogin(facts, &people)
    } else if event.records.first?.type == .packet {
      takePacket(facts)
    } else if !isCall {
      takeAccounts(event, facts, &people)
      takeRemote(facts)
    }
    command = facts.commandLine(event)
    folder = facts.bytes(facts.directory)
    takePath(event, facts)
    takeDecision(facts, isCall: isCall)
    takeSocket(facts)
  }

  private mutating func takeActor(_ facts: EventFacts, _ people: inout PersonFinder) {
    login = people.party("auid", facts)
    user = people.party("uid", facts)
    process = facts.bytes(facts.pid)
    executable = facts.bytes(facts.executable ?? facts.name)
    session = facts.bytes(facts.session).flatMap { $0.elementsEqual("unset".utf8) ? nil : $0 }
    terminal = facts.field("tty") ?? facts.field("terminal")
  }

  private mutating func takeOutcome(_ facts: EventFacts, isCall: Bool) {
    let call = facts.field("syscall")
    action = isCall ? call : facts.field("op") ?? call
    outcome = facts.outcome
    guard isCall, outcome == .failure, let place = facts.data.index(of: "exit", facts.text) else {
      return
    }
    let exit = facts.data.entries[place]
    var text = Array(facts.text[exit.value])
    if !facts.text.isSame(exit.value, exit.raw), let code = facts.text.number(exit.raw) {
      let meaning = unsafe String(cString: strerror(Int32(clamping: -code)))
      text += "(\(meaning))".utf8
    }
    reason = text
  }

  /// The file that it is about, by the table where that has one, else the first that is no folder of
  /// another.
  private mutating func takePath(_ event: AuditEvent, _ facts: EventFacts) {
    if event.records.first?.type == .path, facts.data.value("syscall", facts.text) == nil {
      // A part of an event, whose first record is not among the paths.
      path = facts.field("name")
      inode = facts.field("inode")
      mode = facts.field("mode")
    } else if let file = facts.file, let name = file.path {
      path = facts.bytes(name)
      takeFile(facts.paths[file.place], facts)
    } else if let place = FileObject.named(in: facts) {
      var text = facts
      let isNew = FileObject.isNew(facts.paths[place], facts.text)
      let name = facts.paths[place].value("name", facts.text).map {
        AbsolutePath.of($0, isNew: isNew, &text)
      }
      path = text.bytes(name)
      takeFile(facts.paths[place], facts)
    }
  }

  private mutating func takeFile(_ record: FieldMap, _ facts: EventFacts) {
    inode = facts.bytes(record.value("inode", facts.text))
    mode = facts.bytes(record.value("mode", facts.text))
  }

  /// What SELinux or AppArmor decided.
  private mutating func takeDecision(_ facts: EventFacts, isCall: Bool) {
    if let result = facts.field("seresult") {
      decision = result
      permissions = facts.field("seperms")
      path = path ?? facts.field("path") ?? facts.field("name")
    } else if let word = facts.field("apparmor") {
      decision = word.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
      permissions = facts.field("denied_mask") ?? facts.field("requested_mask")
      if !isCall { action = facts.field("operation") ?? action }
      // Of others, such as names on a bus and profiles, it is no file's.
      path =
        path ?? ["name", "target"].lazy.compactMap { facts.field($0) }.first { $0.first == 0x2f }
    } else {
      return
    }
    guard !isCall else { return }
    action = action ?? decision
    if outcome == .unknown, let decision {
      outcome = decision.elementsEqual("denied".utf8) ? .failure : .success
    }
  }
}

extension EventFacts {
  /// `nil` for what is not there or empty.
  func bytes(_ place: Text?) -> [UInt8]? {
    guard let place, !place.isEmpty else { return nil }
    return Array(text[place])
  }

  /// A field's value; `nil` where it says that there is none.
  func field(_ name: StaticString) -> [UInt8]? {
    guard let place = data.value(name, text), !text.has(place, "(none)") else { return nil }
    return bytes(place)
  }

  /// The arguments of a program that was started, else the command that a program names, else what
  /// the process showed of its own.
  fileprivate func commandLine(_ event: AuditEvent) -> [UInt8]? {
    if !arguments.isEmpty {
      return Array(arguments.map { text[$0] }.joined(separator: [0x20]))
    }
    // A part of an event begins with them.
    if event.records.first?.type == .execve, let arguments = event.arguments() {
      return Array(arguments.joined(separator: [0x20]))
    }
    if let command = field("cmd") ?? field("cmdline") { return command }
    var title = title
    while let place = title, !place.isEmpty, text.bytes[Int(place.end) - 1] == 0x20 {
      title?.end -= 1
    }
    return bytes(title)
  }
}

extension PersonFinder {
  func bytes(_ person: Person, _ facts: EventFacts) -> EventOverview.Party {
    func known(_ text: PersonText) -> [UInt8]? {
      text.isEmpty ? nil : Array(bytes(text, facts.text))
    }
    return EventOverview.Party(id: known(person.id), name: known(person.name))
  }

  /// A user or group by the name of its number.
  mutating func party(_ name: StaticString, _ facts: EventFacts) -> EventOverview.Party {
    let person = identity(name, facts)
    return bytes(person, facts)
  }
}
