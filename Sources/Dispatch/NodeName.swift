import Configuration
import Glibc
import Linux

/// The node's name, as `name_format` asks for it; found once, at start.
enum NodeName {
  /// - Throws: when the name cannot be found; `fqd` and `numeric` ask the resolver, which can block.
  static func resolve(_ configuration: DaemonConfiguration) throws(SetupError) -> String? {
    switch configuration.nameFormat {
    case .none: return nil
    case .user:
      guard let name = configuration.nodeName else {
        throw SetupError("name_format = user needs a name: add 'name = NODE'")
      }
      return name
    case .hostname:
      return String(hostname().map { $0 == " " ? "_" : $0 })
    case .fqd: return try look(canonical: true)
    case .numeric: return try look(canonical: false)
    }
  }

  private static func hostname() -> String {
    var facts = utsname()
    guard unsafe uname(&facts) == 0 else { return "localhost" }
    return unsafe withUnsafeBytes(of: &facts.nodename) { raw in
      unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  private static func look(canonical: Bool) throws(SetupError) -> String {
    let host = hostname()
    var hints = unsafe addrinfo()
    unsafe hints.ai_flags = AI_CANONNAME | AI_ADDRCONFIG
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let status = unsafe getaddrinfo(host, nil, &hints, &found)
    guard status == 0, let first = unsafe found else {
      let reason = unsafe String(cString: gai_strerror(status))
      throw SetupError("name_format: cannot resolve '\(host)': \(reason)")
    }
    defer { unsafe freeaddrinfo(first) }
    if canonical {
      guard let name = unsafe first.pointee.ai_canonname else { return host }
      return unsafe String(cString: name)
    }
    var text = [CChar](repeating: 0, count: 64)
    let result = unsafe getnameinfo(
      first.pointee.ai_addr, first.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
      NI_NUMERICHOST)
    guard result == 0 else { throw SetupError("name_format: '\(host)' has no numeric address") }
    return unsafe text.withUnsafeBytes {
      unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
