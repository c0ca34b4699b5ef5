import AudispatchPlugin
import Configuration
import Glibc
import Linux
import RemoteProtocol
import SecureChannel

extension RemoteOptions {
  /// Warned of when a certificate counts no longer than this.
  private static let soon = Duration.seconds(30 * 86400)

  mutating func settle() -> [Diagnostic] {
    retryTimeMaximum = max(retryTime, retryTimeMaximum)
    var found: [Diagnostic] = []
    if servers.isEmpty {
      found.append(
        places.problem(
          "remote_server", "no server is named", suggestion: "set remote_server = HOST"))
    }
    found += actionProblems
    if mode == .forward, OwnDispatcher(self) == nil {
      found.append(
        places.problem(
          "mode", "without audispatchd what waits under auditd is kept in memory",
          severity: .warning,
          suggestion: "install it in /usr/sbin"))
    }
    if transport == .tls {
      found += sharedKeyIsUsed ? takeSharedKey() : certificateProblems
    } else if let word = Self.tlsWords.first(where: { places[$0] != nil }),
      let word = places[word]
    {
      found.append(word.warning("without transport = tls what is set for TLS has no effect"))
    }
    return found
  }

  private static let tlsWords = [
    "tls_psk_file", "tls_psk_identity", "tls_ca", "tls_cert", "tls_key", "tls_crl", "tls_name",
    "tls_require_pqc",
  ]
  /// What auditd 4.2 calls its group with ML-KEM.
  private static let quantumSafeGroup = "X25519MLKEM768"

  var sharedKeyIsUsed: Bool { tls.sharedKeyFile != nil || tls.sharedKeyIdentity != nil }

  /// How a server is talked to.
  func target(_ server: HostAndPort) -> ChannelOpening.Target {
    var identity: TLSIdentity?
    if transport == .tls, sharedKeyIsUsed {
      identity = .sharedKey(
        TLSIdentity.SharedKey(
          identity: tls.sharedKeyIdentity ?? "", key: tls.sharedKey, suites: tls.suites,
          groups: tls.groups))
    } else if transport == .tls {
      identity = .certificates(certificates(for: tls.name ?? server.host))
    }
    return ChannelOpening.Target(
      host: server.host, port: server.port ?? port, localPort: localPort, identity: identity)
  }

  /// A server as messages name it.
  func name(_ server: HostAndPort) -> String {
    HostAndPort(host: server.host, port: server.port ?? port).description
  }

  private func certificates(for name: String) -> TLSIdentity.Certificates {
    TLSIdentity.Certificates(
      authorities: tls.authorities, certificate: tls.certificate, key: tls.key,
      revoked: tls.revoked, name: name)
  }

  private var actionProblems: [Diagnostic] {
    RemoteAction.Occasion.allCases.compactMap { occasion in
      let action = action(occasion)
      guard action.runsPrograms else { return nil }
      guard runsPrograms else {
        return places.problem(
          occasion.rawValue, "exec, single and halt run programs, which is not allowed",
          suggestion: "set run_programs = yes, or \(occasion.rawValue) = syslog")
      }
      guard case .execute(let path) = action else { return nil }
      return ActionPrograms.objection(to: path).map {
        places.problem(occasion.rawValue, $0.message, suggestion: $0.suggestion)
      }
    }
  }

  // MARK: TLS

  /// Reads the key, which only root may.
  private mutating func takeSharedKey() -> [Diagnostic] {
    guard let path = tls.sharedKeyFile, tls.sharedKeyIdentity != nil else {
      return [
        places.problem(
          tls.sharedKeyFile == nil ? "tls_psk_identity" : "tls_psk_file",
          "a key and what it is called belong together",
          suggestion: "set both tls_psk_file and tls_psk_identity")
      ]
    }
    if let problem = demandQuantumSafeGroups() { return [problem] }
    if let wrong = TLSIdentity.SharedKey.objection(suites: tls.suites, groups: tls.groups) {
      if wrong == .groups, tls.wantsQuantumSafe {
        return [noQuantumSafety("OpenSSL here has none")]
      }
      return [
        wrong == .suites
          ? places.problem(
            "tls_cipher_suites", "not suites of TLS 1.3 of which the first uses SHA-256",
            suggestion: "set TLS_AES_128_GCM_SHA256 first: the key is one for it")
          : places.problem("tls_key_exchange", "OpenSSL has no such groups")
      ]
    }
    do throws(Errno) {
      let (status, bytes) = try Files.contents(of: path, limit: SharedKeyText.limit)
      guard let bytes else {
        return [
          places.problem("tls_psk_file", "\(path) is a \(status.kind.rawValue), not a file")
        ]
      }
      guard status.mode & 0o077 == 0, status.owner == 0 || status.owner == geteuid() else {
        return [
          places.problem(
            "tls_psk_file", "others may have read the key \(path)",
            suggestion: "chown root \(path); chmod 0400 \(path)")
        ]
      }
      guard let key = SharedKeyText.key(bytes) else {
        return [
          places.problem(
            "tls_psk_file", "the first line of \(path) is not a key of 32 bytes in hexadecimal",
            suggestion: "openssl rand -hex 32")
        ]
      }
      tls.sharedKey = key
      return []
    } catch { return [places.problem("tls_psk_file", "cannot read \(path): \(error)")] }
  }

  /// Leaves the groups that have ML-KEM, where that is asked for.
  private mutating func demandQuantumSafeGroups() -> Diagnostic? {
    guard tls.wantsQuantumSafe else { return nil }
    let groups = tls.groups ?? Self.quantumSafeGroup
    tls.groups = groups
    return groups.split(separator: ":").allSatisfy { $0.contains("MLKEM") }
      ? nil : noQuantumSafety("tls_key_exchange names others, too")
  }

  private func noQuantumSafety(_ reason: String) -> Diagnostic {
    let keyword = places["tls_require_pqc"] == nil ? "tls_crypto_profile" : "tls_require_pqc"
    return places.problem(
      keyword, "only groups with ML-KEM are to be used, and \(reason)",
      suggestion: "set tls_require_pqc = no and tls_crypto_profile = compatible")
  }

  private var certificateProblems: [Diagnostic] {
    if tls.wantsQuantumSafe { return [noQuantumSafety("certificates leave them to OpenSSL")] }
    if (tls.certificate == nil) != (tls.key == nil) {
      return [
        places.problem(
          tls.key == nil ? "tls_cert" : "tls_key", "a certificate and its key belong together",
          suggestion: "set both tls_cert and tls_key")
      ]
    }
    let files = [
      ("tls_ca", tls.authorities), ("tls_cert", tls.certificate), ("tls_key", tls.key),
      ("tls_crl", tls.revoked),
    ]
    let missing: [Diagnostic] = files.compactMap { keyword, path in
      guard let path else { return nil }
      do throws(Errno) {
        let status = try Files.status(of: path)
        return status.kind == .regular
          ? nil : places.problem(keyword, "\(path) is a \(status.kind.rawValue), not a file")
      } catch { return places.problem(keyword, "cannot examine \(path): \(error)") }
    }
    guard missing.isEmpty else { return missing }
    if let (part, reason) = certificates(for: tls.name ?? "localhost").objection {
      return [places.problem(part.keyword, reason)]
    }
    return ageWarning.map { [$0] } ?? []
  }

  /// Our own certificate ends soon, or has.
  private var ageWarning: Diagnostic? {
    guard let path = tls.certificate, let left = TLSIdentity.timeLeft(of: path), left < Self.soon
    else { return nil }
    let days = left.components.seconds / 86400
    return places.problem(
      "tls_cert",
      left < .zero ? "the certificate has ended" : "the certificate ends in \(days) days",
      severity: .warning)
  }
}
