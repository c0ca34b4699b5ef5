import Glibc

/// An address of the internet as a text that every reader takes for one.
public enum NetworkAddress: Equatable, Sendable {
  case four([UInt8])
  case six([UInt8])

  /// `nil` for what is no address, such as `?` or `UNKNOWN`. An IPv4 address that is written in
  /// IPv6's form is the IPv4 address; a zone (`%eth0`) is left out.
  public init?(_ text: some Collection<UInt8>) {
    var text = Array(text.prefix { $0 != UInt8(ascii: "%") })
    if text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]") {
      text = Array(text.dropFirst().dropLast())
    }
    let mapped = Array("::ffff:".utf8)
    if text.starts(with: mapped), Self.isAddress(text.dropFirst(mapped.count), AF_INET) {
      self = .four(Array(text.dropFirst(mapped.count)))
    } else if Self.isAddress(text, AF_INET) {
      self = .four(text)
    } else if Self.isAddress(text, AF_INET6) {
      self = .six(text)
    } else {
      return nil
    }
  }

  public var text: [UInt8] {
    switch self {
    case .four(let text), .six(let text): text
    }
  }

  private static func isAddress(_ text: some Collection<UInt8>, _ family: Int32) -> Bool {
    guard !text.isEmpty, text.count < 46, !text.contains(0) else { return false }
    var room = in6_addr()
    return unsafe inet_pton(family, String(decoding: text, as: UTF8.self), &room) == 1
  }
}

/// An end of a connection.
public struct NetworkEnd: Equatable, Sendable {
  public internal(set) var address: NetworkAddress
  public internal(set) var port: UInt16?
}
