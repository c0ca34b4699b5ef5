import Glibc

/// The name that a host writes into its records as `node=`, by auditd's `name_format`.
public enum NodeName {
  /// auditd's words for where the name comes from.
  public enum Format: String, CaseIterable, Codable, Sendable {
    case none, hostname, fqd, numeric, user
  }

  /// Why there is no name.
  public struct Failure: Error, CustomStringConvertible, Sendable {
    public let description: String
  }

  /// Finds the name; `nil` for `none`. `fqd` and `numeric` ask the resolver, and may wait for it.
  ///
  /// - `hostname`: `gethostname`, spaces made underscores.
  /// - `fqd`: the canonical name that the resolver gives for the host's name.
  /// - `numeric`: the first address that it gives.
  /// - `user`: `name`, which must be given.
  public static func resolve(_ format: Format, name: String?) throws(Failure) -> String? {
    switch format {
    case .none: return nil
    case .user:
      guard let name, !name.isEmpty else {
        throw Failure(description: "name_format user needs a name")
      }
      return name
    case .hostname: return String(try hostName().map { $0 == " " ? "_" : $0 })
    case .fqd:
      return try unsafe look(up: hostName(), flags: AI_ADDRCONFIG | AI_CANONNAME, canonicalName)
    case .numeric:
      return try unsafe look(up: hostName(), flags: AI_ADDRCONFIG | AI_PASSIVE, address)
    }
  }

  private static func hostName() throws(Failure) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    let failed = unsafe gethostname(&buffer, 254) != 0
    let name = failed ? "" : text(buffer)
    guard !name.isEmpty else { throw Failure(description: "the host has no name") }
    return name
  }

  private static func look(
    up host: String, flags: Int32, _ answer: (addrinfo) -> String?
  ) throws(Failure) -> String {
    var hints = unsafe addrinfo()
    unsafe hints.ai_flags = flags
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let result = unsafe getaddrinfo(host, nil, &hints, &found)
    defer { if let found = unsafe found { unsafe freeaddrinfo(found) } }
    guard result == 0, let first = unsafe found else {
      let reason = unsafe String(cString: gai_strerror(result))
      throw Failure(description: "cannot resolve the host's name \(host): \(reason)")
    }
    guard let text = unsafe answer(first.pointee) else {
      throw Failure(description: "the resolver gives no name for \(host)")
    }
    return text
  }

  private static func canonicalName(_ answer: addrinfo) -> String? {
    guard let name = unsafe answer.ai_canonname else { return nil }
    return unsafe String(cString: name)
  }

  private static func address(_ answer: addrinfo) -> String? {
    guard let socketAddress = unsafe answer.ai_addr else { return nil }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let family = unsafe answer.ai_family
    // Behind family and port: at once in IPv4, behind the flow label in IPv6.
    let offset = family == AF_INET ? 4 : 8
    let bytes = unsafe UnsafeRawPointer(socketAddress) + offset
    guard unsafe inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return nil }
    return self.text(text)
  }

  private static func text(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
