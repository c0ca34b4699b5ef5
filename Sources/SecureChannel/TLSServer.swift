import CSecureChannel

/// Who may connect over TLS: peers with one of some keys, or with a certificate of an authority. What
/// all connections of a receiver share. Reads no file: everything is given as bytes.
@safe
public final class TLSServer {
  let server: OpaquePointer
  private var why = [CChar](repeating: 0, count: 256)

  /// Takes nobody yet.
  public init() throws(ChannelFailure) {
    var why = [CChar](repeating: 0, count: 256)
    guard let made = unsafe sc_server_new(&why, why.count) else {
      throw ChannelFailure(text(why))
    }
    unsafe server = made
  }

  deinit { unsafe sc_server_free(server) }

  /// A key that some peers have, under the name that they call it.
  public func add(identity: String, key: [UInt8]) throws(ChannelFailure) {
    guard unsafe sc_server_add_key(server, identity, key, key.count, &why, why.count) == 0 else {
      throw ChannelFailure(text(why))
    }
  }

  /// What a server with certificates has, as PEM.
  public struct Certificates: Equatable, Sendable {
    public var certificate: [UInt8]
    public var key: [UInt8]
    /// Who signs the peers' certificates.
    public var authorities: [UInt8]
    /// What they have revoked.
    public var revoked: [UInt8]?

    public init(
      certificate: [UInt8], key: [UInt8], authorities: [UInt8], revoked: [UInt8]?
    ) {
      self.certificate = certificate
      self.key = key
      self.authorities = authorities
      self.revoked = revoked
    }
  }

  /// Shows this certificate, and wants one of every peer that has no key.
  public func use(_ files: Certificates) throws(ChannelFailure) {
    func terminated(_ bytes: [UInt8]) -> [CChar] {
      bytes.filter { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
    }
    let failed = unsafe sc_server_use(
      server, terminated(files.certificate), terminated(files.key), terminated(files.authorities),
      files.revoked.map(terminated), &why, why.count)
    guard failed == 0 else { throw ChannelFailure(text(why)) }
  }

  /// How long what it rests on still counts, as far as that is known: its certificate with what leads
  /// to its authority, the authorities that sign the peers' certificates, and their lists.
  public var validities: [Validity] {
    let parts = [
      ("the certificate", Int(sc_certificate)), ("an authority of tls_ca", Int(sc_authorities)),
      ("a list of tls_crl", Int(sc_revoked)),
    ]
    return parts.compactMap { what, part in
      let seconds = unsafe sc_server_seconds_left(server, Int32(part))
      return seconds == .min ? nil : Validity(what, left: .seconds(seconds))
    }
  }
}
