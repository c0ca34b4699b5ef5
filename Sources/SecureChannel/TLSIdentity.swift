import CSecureChannel

/// What a client shows a server, and what it asks of it.
public enum TLSIdentity: Equatable, Sendable {
  case certificates(Certificates)
  case sharedKey(SharedKey)

  public struct Certificates: Equatable, Sendable {
    /// A file; the authorities that the host trusts without it.
    public var authorities: String?
    public var certificate: String?
    public var key: String?
    /// A file of what the authorities have revoked.
    public var revoked: String?
    /// What the server's certificate must be valid for: a DNS name or an address.
    public var name: String

    public init(
      authorities: String?, certificate: String?, key: String?, revoked: String?, name: String
    ) {
      self.authorities = authorities
      self.certificate = certificate
      self.key = key
      self.revoked = revoked
      self.name = name
    }

    /// A file that cannot be used.
    public enum Part: Equatable, Sendable {
      case authorities, certificate, key

      /// What names the file in a configuration.
      public var keyword: String {
        switch self {
        case .authorities: "tls_ca"
        case .certificate: "tls_cert"
        case .key: "tls_key"
        }
      }
    }

    /// The file that cannot be used, and why; `nil` when all can.
    public var objection: (part: Part, reason: String)? {
      var why = [CChar](repeating: 0, count: 256)
      let wrong = unsafe sc_check_files(authorities, certificate, key, &why, why.count)
      switch Int(wrong) {
      case 0: return nil
      case Int(sc_authorities): return (.authorities, text(why))
      case Int(sc_certificate): return (.certificate, text(why))
      default: return (.key, text(why))
      }
    }
  }

  /// A key that both sides have, as auditd 4.2 uses it with `transport = tls`.
  public struct SharedKey: Equatable, Sendable {
    /// Bytes that say which key it is; no secret.
    public var identity: String
    public var key: [UInt8]
    /// OpenSSL's words; `nil`: as auditd 4.2 has them.
    public var suites: String?
    public var groups: String?

    public init(identity: String, key: [UInt8], suites: String?, groups: String?) {
      self.identity = identity
      self.key = key
      self.suites = suites
      self.groups = groups
    }

    public enum Word: Equatable, Sendable { case suites, groups }

    /// The words that OpenSSL does not take, or suites that do not begin with one of SHA-256, which
    /// auditd 4.2 refuses; `nil` when all is well.
    public static func objection(suites: String?, groups: String?) -> Word? {
      switch Int(unsafe sc_check_words(suites, groups)) {
      case 0: nil
      case Int(sc_suites): .suites
      default: .groups
      }
    }
  }

  /// How long a certificate in a file still counts, below zero when it does not any more; `nil` when
  /// it cannot be read.
  public static func timeLeft(of certificate: String) -> Duration? {
    let seconds = unsafe sc_seconds_left(certificate)
    return seconds == .min ? nil : .seconds(seconds)
  }
}

func text(_ bytes: [CChar]) -> String {
  String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
