import AudispatchPlugin

/// The login uid of whoever did something.
enum Login: Hashable, Sendable {
  case user(UInt32)
  /// The process comes from no login (4294967295): a daemon, or what one started.
  case unset
  /// No record says. It is nobody, and above all not 0.
  case unknown

  /// From the field `auid` of a record.
  init(_ value: [UInt8]?) {
    guard let value else {
      self = .unknown
      return
    }
    let text = String(decoding: value, as: UTF8.self)
    if text == "unset" || text == "-1" || text == "4294967295" {
      self = .unset
    } else {
      self = UInt32(text).map(Login.user) ?? .unknown
    }
  }

  /// From `/proc/PID/loginuid`.
  init(number: UInt32?) {
    switch number {
    case nil: self = .unknown
    case UInt32.max?: self = .unset
    case let number?: self = .user(number)
    }
  }
}

/// One who can have done something: a login in a session. What comes from no login is told apart by
/// uid and program, since all of it would be one otherwise.
struct Author: Hashable, Sendable {
  var login: Login
  var session: UInt32?
  var user: UInt32?
  var program: [UInt8]?

  init(login: Login, session: UInt32?, user: UInt32?, program: [UInt8]?) {
    self.login = login
    self.session = session
    if case .user = login { return }
    self.user = user
    self.program = program
  }
}
