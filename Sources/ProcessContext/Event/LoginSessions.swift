import AudispatchPlugin
public import AuditRecord

/// Who logged in, from where: what begins an audit session (`ses=`), which everything done in it
/// has, behind sudo and su too.
public struct LoginSession: Equatable, Sendable {
  public internal(set) var number: UInt32
  /// The account by name, as the program that let it in says.
  public internal(set) var account: [UInt8] = []
  /// The user who logged in (`auid`).
  public internal(set) var user: UInt32?
  public internal(set) var address: [UInt8] = []
  public internal(set) var host: [UInt8] = []
  public internal(set) var terminal: [UInt8] = []
  /// The program that let it in.
  public internal(set) var program: [UInt8] = []
  public internal(set) var began: RecordStamp?

  init(number: UInt32) { self.number = number }
}

/// The sessions that are known, at most as many as it may hold.
struct LoginSessions: Sendable {
  let limit: Int
  private(set) var sessions: [UInt32: LoginSession] = [:]
  private var order: [UInt32] = []

  init(limit: Int) { self.limit = limit }

  subscript(_ number: UInt32) -> LoginSession? { sessions[number] }

  /// Takes a session as it was known before.
  mutating func add(_ session: LoginSession) {
    if sessions[session.number] == nil {
      if order.count >= limit { sessions[order.removeFirst()] = nil }
      order.append(session.number)
    }
    sessions[session.number] = session
  }

  /// Takes note of records that tell who logged in. What is known of a session stays: what sudo says
  /// later of the same one is not where it came from.
  mutating func note(_ event: AuditEvent) {
    for record in event.records {
      switch record.type.rawValue {
      case 1112, 1105: noteProgram(record, event)
      case 1006: noteChange(record, event)
      case 1106: break
      default: break
      }
    }
  }

  private static func unsigned(_ text: [UInt8]?) -> UInt32? {
    text.flatMap { ProcessEvent.number($0) }.flatMap { UInt32(exactly: $0) }
  }

  private mutating func begin(_ number: UInt32, _ event: AuditEvent) -> LoginSession {
    sessions[number]
      ?? {
        var session = LoginSession(number: number)
        session.began = event.stamp
        return session
      }()
  }

  /// `LOGIN`: the kernel gave a process another session.
  private mutating func noteChange(_ record: EventRecord, _ event: AuditEvent) {
    guard let number = Self.unsigned(event.value("ses", of: record)), number != .max,
      sessions[number] == nil
    else { return }
    var session = begin(number, event)
    session.user = Self.unsigned(event.value("auid", of: record))
    add(session)
  }

  /// `USER_LOGIN`, `USER_START`: a program let somebody in.
  private mutating func noteProgram(_ record: EventRecord, _ event: AuditEvent) {
    guard let number = Self.unsigned(event.value("ses", of: record)), number != .max,
      let result = event.value("res", of: record),
      result.elementsEqual("success".utf8) || result.elementsEqual("1".utf8)
    else { return }
    func known(_ name: String) -> [UInt8] {
      let value = event.value(name, of: record) ?? []
      return value.elementsEqual("?".utf8) ? [] : value
    }
    var session = begin(number, event)
    let isLogin = record.type.rawValue == 1112
    let program = known("exe")
    // What begins within a session does not say where that came from.
    guard isLogin || session.program.isEmpty, !Self.isChange(program) else { return }
    session.user = session.user ?? Self.unsigned(event.value("auid", of: record))
    if session.account.isEmpty {
      session.account = isLogin && known("acct").isEmpty ? [] : known("acct")
    }
    if session.address.isEmpty { session.address = known("addr") }
    if session.host.isEmpty { session.host = known("hostname") }
    if session.terminal.isEmpty { session.terminal = known("terminal") }
    if session.program.isEmpty { session.program = program }
    add(session)
  }

  /// Programs that make another user of one who is in already.
  private static func isChange(_ program: [UInt8]) -> Bool {
    let name = program.split(separator: 0x2f).last ?? []
    return ["sudo", "su", "pkexec", "runuser", "doas"].contains { name.elementsEqual($0.utf8) }
  }
}
