/// A host and perhaps a port: `host`, `host:514`, `192.0.2.1:514`, `2001:db8::1`, `[2001:db8::1]:514`.
public struct HostAndPort: Equatable, Codable, Sendable {
  /// A name or an address, without brackets.
  public var host: String
  public var port: UInt16?

  public init(host: String, port: UInt16?) {
    self.host = host
    self.port = port
  }

  /// `nil` for what is none. Whether there is such a host is not asked.
  public init?(_ text: String) {
    var host = text[...]
    var port: Substring?
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      if !rest.isEmpty {
        guard rest.first == ":" else { return nil }
        port = rest.dropFirst()
      }
    } else if let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    let isName = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
    guard !host.isEmpty, host.utf8.count <= 253, isName else { return nil }
    self.host = String(host)
    guard let port else { return }
    guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(port),
      number > 0
    else { return nil }
    self.port = number
  }
}

extension HostAndPort: CustomStringConvertible {
  /// With brackets around an address that has colons.
  public var description: String {
    (host.contains(":") ? "[\(host)]" : host) + (port.map { ":\($0)" } ?? "")
  }
}
