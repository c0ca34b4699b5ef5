package import Configuration

/// Where messages go: `local`, `unix:PATH`, `journal`, or `udp`, `tcp`, `tls`, `relp` or
/// `relp+tls` with `://HOST[:PORT]`.
package struct ServerAddress: Equatable, Sendable, CustomStringConvertible {
  package enum Kind: Equatable, Sendable {
    /// A datagram socket of this host, as syslog(3) uses it.
    case unix(path: String)
    /// The journal's own protocol, at this socket.
    case journal(path: String)
    case udp, tcp, tls, relp, relpOverTLS
  }

  package var kind: Kind
  /// A name or an address; empty on this host.
  package var host = ""
  package var port: UInt16 = 0

  package static let local = ServerAddress(kind: .unix(path: "/dev/log"))

  package init(kind: Kind, host: String = "", port: UInt16 = 0) {
    self.kind = kind
    self.host = host
    self.port = port
  }

  package init(_ word: Word) throws(Diagnostic) {
    let text = word.text
    switch text {
    case "local": self = .local
    case "journal": self.init(kind: .journal(path: "/run/systemd/journal/socket"))
    default:
      if let path = text.afterPrefix("unix:") {
        self.init(kind: .unix(path: try Self.path(path, word)))
      } else if let path = text.afterPrefix("journal:") {
        self.init(kind: .journal(path: try Self.path(path, word)))
      } else {
        self = try Self.remote(text, word)
      }
    }
  }

  private static func path(_ path: String, _ word: Word) throws(Diagnostic) -> String {
    guard path.hasPrefix("/"), path.utf8.count < 108 else {
      throw word.error("the socket is an absolute path of at most 107 bytes")
    }
    return path
  }

  private static let schemes: [(name: String, kind: Kind, port: UInt16)] = [
    ("udp", .udp, 514), ("tcp", .tcp, 514), ("tls", .tls, 6514), ("relp", .relp, 2514),
    ("relp+tls", .relpOverTLS, 2514),
  ]

  private static func remote(_ text: String, _ word: Word) throws(Diagnostic) -> ServerAddress {
    for (name, kind, usual) in schemes {
      guard let rest = text.afterPrefix(name + "://") else { continue }
      let place = rest.hasSuffix("/") ? String(rest.dropLast()) : rest
      // A host that is an address with colons stands in brackets, so that its port is no part of it.
      guard let found = HostAndPort(place), place.hasPrefix("[") || !found.host.contains(":") else {
        throw word.error(
          "no host and port", suggestion: "write \(name)://HOST:PORT, an IPv6 address in brackets")
      }
      return ServerAddress(kind: kind, host: found.host, port: found.port ?? usual)
    }
    throw word.error(
      "server is local, unix:PATH, journal, or udp, tcp, tls, relp or relp+tls with ://HOST[:PORT]",
      suggestion: text.contains("://") ? nil : "did you mean 'udp://\(text)' or 'tcp://\(text)'?")
  }

  /// Whether it is on this host, where no host's name is written into a message.
  package var isLocal: Bool {
    switch kind {
    case .unix, .journal: true
    default: false
    }
  }

  package var usesTLS: Bool { kind == .tls || kind == .relpOverTLS }

  package var description: String {
    let scheme: String
    switch kind {
    case .unix(let path): return path
    case .journal(let path): return "the journal at \(path)"
    case .udp: scheme = "udp"
    case .tcp: scheme = "tcp"
    case .tls: scheme = "tls"
    case .relp: scheme = "relp"
    case .relpOverTLS: scheme = "relp+tls"
    }
    return "\(scheme)://\(HostAndPort(host: host, port: port))"
  }
}

extension String {
  fileprivate func afterPrefix(_ prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
