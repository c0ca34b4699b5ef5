import AudispatchPlugin
import AuditRecord

/// What CEF and LEEF have words for, taken from all records of an event.
struct EventOverview: Equatable {
  var milliseconds: UInt64 = 0
  var serial: UInt64 = 0
  var node: [UInt8]?
  /// The type of the first record.
  var type: [UInt8] = []
  /// The types of all records, joined by commas.
  var types: [UInt8] = []
  /// The system call, the `op` of a message of user space, or what a security module decided on.
  var action: [UInt8]?
  var succeeded: Bool?
  /// The error that a system call ended with.
  var reason: [UInt8]?
  var keys: [[UInt8]] = []

  /// Who acts: by login, and as whom.
  var loginUser: [UInt8]?
  var loginID: [UInt8]?
  var user: [UInt8]?
  var userID: [UInt8]?
  /// The account and the group that something is done to.
  var account: [UInt8]?
  var accountID: [UInt8]?
  var group: [UInt8]?
  var groupID: [UInt8]?

  var process: [UInt8]?
  var executable: [UInt8]?
  var session: [UInt8]?
  var terminal: [UInt8]?
  var command: [UInt8]?
  var folder: [UInt8]?
  var path: [UInt8]?
  var inode: [UInt8]?
  var mode: [UInt8]?

  /// What a security module decided (`denied`), and about what.
  var decision: [UInt8]?
  var permissions: [UInt8]?

  /// Who connected or sent, and to whom.
  var source: NetworkEnd?
  var sourceHost: [UInt8]?
  var target: NetworkEnd?
  /// What a socket was bound to.
  var bound: NetworkEnd?

  /// A sentence for people.
  var summary: [UInt8] = []

  /// 0 to 10, as CEF and LEEF count.
  var severity: Int {
    let grave = ["ANOM_", "AVC", "USER_AVC", "SECCOMP", "INTEGRITY_", "RESP_"]
    if grave.contains(where: { type.starts(with: $0.utf8) }) { return 7 }
    return succeeded == false ? 5 : 3
  }

  /// Whose name stands for the one who acts: whoever logged in, else as whom it runs.
  var actor: (name: [UInt8]?, id: [UInt8]?) {
    loginID == nil ? (user, userID) : (loginUser, loginID)
  }

  /// As whom somebody acts who logged in as another, or whom something is done to.
  var other: (name: [UInt8]?, id: [UInt8]?) {
    if account != nil || accountID != nil { return (account, accountID) }
    return loginID == nil || group != nil ? (nil, nil) : (user, userID)
  }
}

extension EventOverview {
  init(_ event: AuditEvent, _ interpreter: Interpreter, summary: String) {
    milliseconds = event.stamp.milliseconds
    serial = event.stamp.serial
    node = event.node.map { Array(event.bytes[$0]) }
    type = event.records.first.map { Array(event.bytes[$0.typeName]) } ?? []
    types = Array(
      event.records.filter { $0.type != .endOfEvent }.map { event.bytes[$0.typeName] }.joined(
        separator: [UInt8(ascii: ",")]))
    keys = event.ruleKeys()
    self.summary = Array(summary.utf8)
    let call = event.record(.syscall)
    guard let actor = call ?? event.records.first else { return }
    let facts = RecordFacts(event: event, record: actor, interpreter: interpreter)
    takeActor(facts)
    takeOutcome(facts, isCall: call != nil)
    if call == nil { takeAccounts(facts) }
    command = (event.arguments()).map { Array($0.joined(separator: [0x20])) }
    command =
      command ?? facts.value("cmd") ?? facts.value("cmdline")
      ?? event.record(.proctitle).flatMap { record in
        event.value("proctitle", of: record).map(EventContent.spaced)
      }
    folder =
      event.record(RecordType(rawValue: 1307)).flatMap { event.value("cwd", of: $0) }
      ?? facts.value("cwd")
    takePath(event)
    takeDecision(event, interpreter, isCall: call != nil)
    takeRemote(facts)
    takeSocket(event, facts)
  }

  private mutating func takeActor(_ facts: RecordFacts) {
    loginID = facts.number("auid")
    loginUser = loginID.flatMap { _ in facts.meaning("auid") }
    userID = facts.number("uid")
    user = userID.flatMap { _ in facts.meaning("uid") }
    process = facts.value("pid")
    executable = facts.value("exe") ?? facts.value("comm")
    session = facts.number("ses")
    terminal = facts.value("tty") ?? facts.value("terminal")
  }

  private mutating func takeOutcome(_ facts: RecordFacts, isCall: Bool) {
    action =
      isCall
      ? facts.systemCall ?? facts.value("syscall")
      : facts.value("op") ?? facts.systemCall
    switch facts.value("success") ?? facts.value("res") ?? facts.value("result") {
    case Array("yes".utf8), Array("success".utf8), Array("1".utf8): succeeded = true
    case Array("no".utf8), Array("failed".utf8), Array("0".utf8): succeeded = false
    default: break
    }
    if succeeded == false, isCall { reason = facts.meaning("exit") ?? facts.value("exit") }
  }

  /// The first PATH that is not the folder of another.
  private mutating func takePath(_ event: AuditEvent) {
    let paths = event.records.filter { $0.type == .path && event.value("name", of: $0) != nil }
    let isParent = { (record: EventRecord) in
      event.value("nametype", of: record)?.elementsEqual("PARENT".utf8) ?? false
    }
    guard let record = paths.first(where: { !isParent($0) }) ?? paths.first else { return }
    path = event.value("name", of: record)
    inode = event.value("inode", of: record)
    mode = event.value("mode", of: record)
  }
}

/// A record with what its values mean.
struct RecordFacts {
  let event: AuditEvent
  let record: EventRecord
  let interpreter: Interpreter

  func value(_ name: String) -> [UInt8]? { event.value(name, of: record) }

  func meaning(_ name: String) -> [UInt8]? {
    if let text = event.enrichment(name.uppercased(), of: record) {
      return Array(event.bytes[text.value])
    }
    return interpreter.meaning(of: name, in: record, event).map { Array($0.utf8) }
  }

  /// A number; minus one, in 32 bits, is none.
  func number(_ name: String) -> [UInt8]? {
    value(name).flatMap {
      $0.elementsEqual("4294967295".utf8) || $0.elementsEqual("-1".utf8) ? nil : $0
    }
  }

  var systemCall: [UInt8]? {
    guard value("syscall") != nil else { return nil }
    return event.systemCallName(in: record).map { Array($0.utf8) } ?? meaning("syscall")
  }
}
