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
  /// The system call, or the `op` of a message of user space.
  var action: [UInt8]?
  var succeeded: Bool?
  /// The error that a system call ended with.
  var reason: [UInt8]?
  var keys: [[UInt8]] = []
  var loginUser: [UInt8]?
  var loginID: [UInt8]?
  var user: [UInt8]?
  var userID: [UInt8]?
  /// The account that something was done to.
  var account: [UInt8]?
  var process: [UInt8]?
  var executable: [UInt8]?
  var session: [UInt8]?
  var terminal: [UInt8]?
  var command: [UInt8]?
  var folder: [UInt8]?
  var path: [UInt8]?
  var inode: [UInt8]?
  var mode: [UInt8]?
  var sourceAddress: [UInt8]?
  var sourceHost: [UInt8]?
  var targetAddress: [UInt8]?
  var targetPort: UInt16?
  /// A sentence for people.
  var summary: [UInt8] = []

  /// 0 to 10, as CEF and LEEF count.
  var severity: Int {
    let grave = ["ANOM_", "AVC", "USER_AVC", "SECCOMP", "INTEGRITY_", "RESP_"]
    if grave.contains(where: { type.starts(with: $0.utf8) }) { return 7 }
    return succeeded == false ? 5 : 3
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
    func value(_ name: String) -> [UInt8]? { event.value(name, of: actor) }
    func meaning(_ name: String) -> [UInt8]? {
      if let text = event.enrichment(name.uppercased(), of: actor) {
        return Array(event.bytes[text.value])
      }
      return interpreter.meaning(of: name, in: actor, event).map { Array($0.utf8) }
    }
    action = call == nil ? value("op") : meaning("syscall") ?? value("syscall")
    switch value("success") ?? value("res") ?? value("result") {
    case Array("yes".utf8), Array("success".utf8), Array("1".utf8): succeeded = true
    case Array("no".utf8), Array("failed".utf8), Array("0".utf8): succeeded = false
    default: break
    }
    if succeeded == false, call != nil { reason = meaning("exit") ?? value("exit") }
    // Minus one, in 32 bits: none.
    func set(_ name: String) -> [UInt8]? {
      value(name).flatMap { $0 == Array("4294967295".utf8) || $0 == Array("-1".utf8) ? nil : $0 }
    }
    loginID = set("auid")
    loginUser = loginID.flatMap { _ in meaning("auid") }
    userID = set("uid")
    user = userID.flatMap { _ in meaning("uid") }
    account = value("acct")
    process = value("pid")
    executable = value("exe") ?? value("comm")
    session = set("ses")
    terminal = value("tty") ?? value("terminal")
    sourceAddress = value("addr")
    sourceHost = value("hostname")
    command = (event.arguments() ?? event.processTitle()).map {
      Array($0.joined(separator: [0x20]))
    }
    folder = event.record(RecordType(rawValue: 1307)).flatMap { event.value("cwd", of: $0) }
    takePath(event)
    if let record = event.record(RecordType(rawValue: 1306)),
      let field = event.field("saddr", of: record),
      let address = Hex.decode(event.bytes[field.value]).flatMap(SocketAddress.init)
    {
      switch address {
      case .inet(let address, let port), .inet6(let address, let port):
        targetAddress = Array(address.utf8)
        targetPort = port
      case .path(let path): self.path = path
      default: break
      }
    }
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
