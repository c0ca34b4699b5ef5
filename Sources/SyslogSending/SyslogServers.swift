package import AudispatchPlugin
package import Configuration
import Glibc
import Linux
import SecureChannel

/// The servers that messages go to, and how: the same keywords for every program that sends any,
/// behind a prefix of its own.
package struct SyslogServers: Equatable, Sendable {
  package enum Framing: String, CaseIterable, Sendable {
    /// `LENGTH SP MESSAGE`, RFC 6587 3.4.1.
    case octetCounting = "octet_counting"
    /// A newline behind each message, RFC 6587 3.4.2.
    case lines
  }

  package struct TLS: Equatable, Sendable {
    package var authorities: String?
    package var certificate: String?
    package var key: String?
    package var name: String?

    package init() {}

    /// What a server is shown, and asked for.
    func certificates(for host: String) -> TLSIdentity.Certificates {
      TLSIdentity.Certificates(
        authorities: authorities, certificate: certificate, key: key, revoked: nil,
        name: name ?? host)
    }
  }

  /// Where what is objected to stands; no part of what is asked for.
  struct Places: Equatable, Sendable {
    var words = SettingPlaces()
    /// Those of `servers`.
    var servers: [Word] = []

    static func == (_: Places, _: Places) -> Bool { true }
  }

  /// In the order in which they are tried.
  package var addresses: [ServerAddress] = []
  package var framing = Framing.octetCounting
  /// Messages that may be on their way to the server and not acknowledged.
  package var window = 1000
  package var timeout = Duration.seconds(30)
  package var retryDelay = Duration.milliseconds(500)
  package var retryDelayMaximum = Duration.seconds(30)
  package var tls = TLS()
  private var prefix = ""
  private var places = Places()

  package init() {}

  /// - Parameter prefix: what keywords begin with.
  package init(prefix: String) { self.prefix = prefix }

  package static func keywords<Options>(
    _ place: any WritableKeyPath<Options, SyslogServers> & Sendable, prefix: String = ""
  ) -> [PluginKeyword<Options>] {
    func keyword(
      _ name: String, _ value: String, _ about: String,
      set: @escaping @Sendable (inout SyslogServers, Word, String) throws(Diagnostic) -> Void
    ) -> PluginKeyword<Options> {
      let name = prefix + name
      return .value(name, value, about) { (o: inout Options, w: Word) throws(Diagnostic) in
        try set(&o[keyPath: place], w, name)
        o[keyPath: place].places.words[name] = w
      }
    }
    let server: PluginKeyword<Options> = .value(
      prefix + "server", "WHERE", "local, journal, or udp, tcp, tls, relp ://HOST[:PORT]",
      letter: prefix.isEmpty ? "s" : nil, repeats: true
    ) { (o: inout Options, w: Word) throws(Diagnostic) in
      o[keyPath: place].addresses.append(try ServerAddress(w))
      o[keyPath: place].places.servers.append(w)
    }
    return [
      server,
      keyword("framing", "HOW", "over tcp: octet_counting or lines") {
        (s, w, name) throws(Diagnostic) in s.framing = try w.choice(Framing.self, for: name)
      },
      keyword("window", "MESSAGES", "messages on their way that are not acknowledged") {
        (s, w, name) throws(Diagnostic) in s.window = try w.number(in: 1...100_000, for: name)
      },
      keyword("timeout", "SECONDS", "how long a server may not answer") {
        (s, w, name) throws(Diagnostic) in
        s.timeout = try w.seconds(in: .milliseconds(100)...(.seconds(3600)), for: name)
      },
      keyword("retry_delay", "SECONDS", "between attempts to connect, at first") {
        (s, w, name) throws(Diagnostic) in s.retryDelay = try w.seconds(in: pauses, for: name)
      },
      keyword("retry_delay_max", "SECONDS", "between attempts to connect, at last") {
        (s, w, name) throws(Diagnostic) in
        s.retryDelayMaximum = try w.seconds(in: pauses, for: name)
      },
      keyword("tls_ca", "FILE", "whose signature a server's certificate needs") {
        (s, w, name) throws(Diagnostic) in s.tls.authorities = try w.absolutePath(for: name)
      },
      keyword("tls_cert", "FILE", "our own certificate, for servers that ask") {
        (s, w, name) throws(Diagnostic) in s.tls.certificate = try w.absolutePath(for: name)
      },
      keyword("tls_key", "FILE", "the private key of our certificate") {
        (s, w, name) throws(Diagnostic) in s.tls.key = try w.absolutePath(for: name)
      },
      keyword("tls_name", "NAME", "the name in the server's certificate, if not HOST") {
        (s, w, _) throws(Diagnostic) in s.tls.name = try MessageHeader.name(w, limit: 253)
      },
    ]
  }

  private static let pauses = Duration.milliseconds(10)...(.seconds(3600))

  /// All of them are on this host.
  package var areLocal: Bool { addresses.allSatisfy(\.isLocal) }
  /// Every one is the journal.
  package var areJournals: Bool { addresses.allSatisfy(\.isJournal) }
  package var haveDatagrams: Bool { addresses.contains { $0.kind == .udp } }

  /// Bytes that every one of them takes of a message: of what rsyslog takes unless it is told otherwise
  /// is 8 KiB, but for a hundred bytes.
  package var usualSize: Int { haveDatagrams ? 2048 : areLocal ? 64 << 10 : 8096 }

  /// Where a server was named, or ought to be.
  private func problem(
    of index: Int, _ message: String, severity: Diagnostic.Severity = .error,
    suggestion: String? = nil
  ) -> Diagnostic {
    places.servers.indices.contains(index)
      ? places.servers[index].problem(message, severity: severity, suggestion: suggestion)
      : problem("server", message, severity: severity, suggestion: suggestion)
  }

  private func problem(
    _ keyword: String, _ message: String, severity: Diagnostic.Severity = .error,
    suggestion: String? = nil
  ) -> Diagnostic {
    places.words.problem(prefix + keyword, message, severity: severity, suggestion: suggestion)
  }
}

// MARK: - What does not fit

extension SyslogServers {
  package mutating func settle() -> [Diagnostic] {
    retryDelayMaximum = max(retryDelay, retryDelayMaximum)
    var found: [Diagnostic] = []
    if let other = addresses.firstIndex(where: { !$0.isJournal }),
      addresses.contains(where: \.isJournal)
    {
      found.append(
        problem(of: other, "the journal takes messages of another form than the other servers"))
    }
    if framing == .lines && addresses.contains(where: { $0.kind == .tls }) {
      found.append(
        problem(
          "framing", "over TLS messages are counted (RFC 5425): framing has no effect there",
          severity: .warning))
    }
    return found + socketObjections + tlsObjections
  }

  /// Paths on this host where something else than a socket is. What is missing may come: under a
  /// dispatcher records wait until somebody hears this host's syslog.
  private var socketObjections: [Diagnostic] {
    addresses.enumerated().compactMap { index, server in
      guard let path = server.path else { return nil }
      do throws(Errno) {
        let status = try Files.status(of: path)
        return status.kind == .socket
          ? nil : problem(of: index, "\(path) is a \(status.kind.rawValue), not a socket")
      } catch {
        guard error == .noSuchFile, server == .local,
          unsafe getenv("AUDISPATCH_PLUGIN") != nil
        else {
          return nil
        }
        return problem(
          of: index, "\(path) is not there: no syslog runs on this host", severity: .warning,
          suggestion: "start one, or name a server")
      }
    }
  }

  private var tlsObjections: [Diagnostic] {
    var found: [Diagnostic] = []
    let keywords = ["tls_ca", "tls_cert", "tls_key", "tls_name"]
    let first = keywords.first { places.words[prefix + $0] != nil } ?? "tls_ca"
    let usesTLS = addresses.contains(where: \.usesTLS)
    if !usesTLS && tls != TLS() {
      found.append(
        problem(
          first, "no server uses TLS: what is set for it has no effect", severity: .warning))
    }
    if (tls.certificate == nil) != (tls.key == nil) {
      found.append(
        problem(
          tls.key == nil ? "tls_cert" : "tls_key", "a certificate and its key belong together",
          suggestion: "set both \(prefix)tls_cert and \(prefix)tls_key"))
    }
    guard usesTLS else { return found }
    found += fileObjections
    guard tls.authorities != nil || tls.certificate != nil,
      !found.contains(where: { $0.severity == .error })
    else { return found }
    if let (part, reason) = tls.certificates(for: "localhost").objection {
      found.append(problem(part.keyword, reason))
    }
    return found
  }

  private var fileObjections: [Diagnostic] {
    var found: [Diagnostic] = []
    for (keyword, path) in [
      ("tls_ca", tls.authorities), ("tls_cert", tls.certificate), ("tls_key", tls.key),
    ] {
      guard let path else { continue }
      do throws(Errno) {
        let status = try Files.status(of: path)
        if status.kind != .regular {
          found.append(problem(keyword, "\(path) is a \(status.kind.rawValue), not a file"))
        }
        if keyword == "tls_key" && status.mode & 0o077 != 0 {
          found.append(
            problem(
              keyword, "others may read the private key \(path)", severity: .warning,
              suggestion: "chmod 0600 \(path)"))
        }
      } catch { found.append(problem(keyword, "cannot examine \(path): \(error)")) }
    }
    return found
  }
}

extension ServerAddress {
  var isJournal: Bool {
    if case .journal = kind { true } else { false }
  }

  /// Where it is on this host.
  package var path: String? {
    switch kind {
    case .unix(let path), .journal(let path): path
    default: nil
    }
  }
}
