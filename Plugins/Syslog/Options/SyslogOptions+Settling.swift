import AudispatchPlugin
import Configuration
import Glibc
import Linux
import SecureChannel

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

  /// The body is the records as they are.
  var isVerbatim: Bool { body == .text && !interpret }

  private func objections() -> [Diagnostic] {
    var found: [Diagnostic] = []
    if volume.redacts, isVerbatim, !redactsVerbatim {
      let keywords = ["redact", "redact_option", "redact_pattern"]
      found.append(
        places.words.problem(
          keywords.first { places.words[$0] != nil } ?? "redact",
          "nothing is taken out of records that are sent as they are",
          suggestion: "choose another body, or set redact_verbatim = yes"))
    }
    if (body == .cef || body == .leef) && unit == .records {
      found.append(
        places.words.problem(
          "messages", "\(body.rawValue) describes whole events",
          suggestion: "set messages = events"))
    }
    if places.words["leef_delimiter"] != nil && body != .leef {
      found.append(
        places.words.problem(
          "leef_delimiter", "only body = leef has a delimiter", severity: .warning))
    }
    if let other = servers.firstIndex(where: { !$0.isJournal }),
      servers.contains(where: \.isJournal)
    {
      found.append(
        places.servers[other].error(
          "the journal takes messages of another form than the other servers"))
    }
    if servers.contains(where: { $0.kind == .udp }), maximumSize ?? 0 > 65_507 {
      found.append(
        places.words.problem(
          "max_size", "no datagram has more than 65507 bytes", suggestion: "set max_size"))
    }
    if framing == .lines && servers.contains(where: { $0.kind == .tls }) {
      found.append(
        places.words.problem(
          "framing", "over TLS messages are counted (RFC 5425): framing has no effect there",
          severity: .warning))
    }
    return found + socketObjections + tlsObjections
  }

  /// Paths on this host where something else than a socket is. What is missing may come: under a
  /// dispatcher records wait until somebody hears this host's syslog.
  private var socketObjections: [Diagnostic] {
    servers.enumerated().compactMap { index, server in
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

  /// Where a server was named, or ought to be.
  private func problem(
    of index: Int, _ message: String, severity: Diagnostic.Severity = .error,
    suggestion: String? = nil
  ) -> Diagnostic {
    places.servers.indices.contains(index)
      ? places.servers[index].problem(message, severity: severity, suggestion: suggestion)
      : places.words.problem("server", message, severity: severity, suggestion: suggestion)
  }

  private var tlsObjections: [Diagnostic] {
    var found: [Diagnostic] = []
    let keywords = ["tls_ca", "tls_cert", "tls_key", "tls_name"]
    let first = keywords.first { places.words[$0] != nil } ?? "tls_ca"
    let usesTLS = servers.contains(where: \.usesTLS)
    if !usesTLS && tls != TLS() {
      found.append(
        places.words.problem(
          first, "no server uses TLS: what is set for it has no effect", severity: .warning))
    }
    if (tls.certificate == nil) != (tls.key == nil) {
      found.append(
        places.words.problem(
          tls.key == nil ? "tls_cert" : "tls_key", "a certificate and its key belong together",
          suggestion: "set both tls_cert and tls_key"))
    }
    guard usesTLS else { return found }
    found += fileObjections
    guard tls.authorities != nil || tls.certificate != nil,
      !found.contains(where: { $0.severity == .error })
    else { return found }
    if let (part, reason) = tls.certificates(for: "localhost").objection {
      found.append(places.words.problem(part.keyword, reason))
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
          found.append(
            places.words.problem(keyword, "\(path) is a \(status.kind.rawValue), not a file"))
        }
        if keyword == "tls_key" && status.mode & 0o077 != 0 {
          found.append(
            places.words.problem(
              keyword, "others may read the private key \(path)", severity: .warning,
              suggestion: "chmod 0600 \(path)"))
        }
      } catch { found.append(places.words.problem(keyword, "cannot examine \(path): \(error)")) }
    }
    return found
  }
}

extension ServerAddress {
  var isJournal: Bool {
    if case .journal = kind { true } else { false }
  }

  /// Where it is on this host.
  var path: String? {
    switch kind {
    case .unix(let path), .journal(let path): path
    default: nil
    }
  }
}
