import Configuration
import Linux

extension SyslogOptions {
  mutating func settle() -> [Diagnostic] {
    if servers.isEmpty { servers = [.local] }
    let isLocal = servers.allSatisfy(\.isLocal)
    if format == nil { format = isLocal ? .rfc3164 : .rfc5424 }
    if unit == nil { unit = body == .text || body == .keyValue ? .records : .events }
    // As the program has it that these arguments were made for.
    if tag == nil { tag = priority.facility == .user ? "audisp-syslog" : "audispd" }
    if ends == nil { ends = true }
    if maximumSize == nil {
      // What rsyslog takes unless it is told otherwise is 8 KiB, but for a hundred bytes.
      maximumSize =
        servers.contains { $0.kind == .udp } ? 2048 : isLocal ? 64 << 10 : 8096
    }
    retryDelayMaximum = max(retryDelay, retryDelayMaximum)
    return objections()
  }

  /// RFC 3164 on a socket of this host has no host's name in it.
  var headerForm: MessageHeader.Form {
    if format == .rfc5424 { return .rfc5424 }
    return servers.allSatisfy(\.isLocal) ? .local : .rfc3164
  }

  /// Every server is the journal.
  var isForJournal: Bool { servers.allSatisfy(\.isJournal) }

  private func objections() -> [Diagnostic] {
    var diagnostics: [Diagnostic] = []
    func add(_ severity: Diagnostic.Severity, _ message: String, _ suggestion: String? = nil) {
      diagnostics.append(
        Diagnostic(severity, file: "configuration", message, suggestion: suggestion))
    }
    if (body == .cef || body == .leef) && unit == .records {
      add(.error, "\(body.rawValue) describes whole events", "set messages = events")
    }
    if servers.contains(where: \.isJournal) && !isForJournal {
      add(.error, "the journal takes messages of another form than the other servers")
    }
    if servers.contains(where: { $0.kind == .udp }), maximumSize ?? 0 > 65_507 {
      add(.error, "no datagram has more than 65507 bytes", "set max_size")
    }
    let usesTLS = servers.contains(where: \.usesTLS)
    if !usesTLS && tls != TLS() {
      add(.warning, "no server uses TLS: what is set for it has no effect")
    }
    if (tls.certificate == nil) != (tls.key == nil) {
      add(.error, "a certificate and its key belong together", "set both tls_cert and tls_key")
    }
    if framing == .lines && servers.contains(where: { $0.kind == .tls }) {
      add(.warning, "over TLS messages are counted (RFC 5425): framing has no effect there")
    }
    guard usesTLS else { return diagnostics }
    for (keyword, path) in [
      ("tls_ca", tls.authorities), ("tls_cert", tls.certificate), ("tls_key", tls.key),
    ] {
      guard let path else { continue }
      do throws(Errno) {
        let status = try Files.status(of: path)
        if status.kind != .regular { add(.error, "\(keyword): \(path) is no file") }
        if keyword == "tls_key" && status.mode & 0o077 != 0 {
          add(.warning, "others may read the private key \(path)", "chmod 0600 \(path)")
        }
      } catch { add(.error, "\(keyword): cannot examine \(path): \(error)") }
    }
    return diagnostics
  }
}

extension ServerAddress {
  var isJournal: Bool {
    if case .journal = kind { true } else { false }
  }
}
