import Configuration
import Glibc
import Linux
import RemoteProtocol
import SecureChannel

/// What audispatchd has given so far of the settings that are to stand from `apply` on. Files come as
/// descriptors: whoever has the rights has opened them.
struct Settings: ~Copyable {
  /// Bytes of a file that are read.
  private static let fileLimit = 4 << 20

  let limits: ReceiverOrder.Settings
  private var keys: [(identity: String, key: [UInt8])] = []
  private var files: [ReceiverOrder.File: [UInt8]] = [:]
  private(set) var objections: [String] = []

  init(_ limits: ReceiverOrder.Settings) { self.limits = limits }

  var identities: [String] { keys.map(\.identity) }
  var hasCertificate: Bool { files[.certificate] != nil }

  mutating func add(key identity: String, _ file: borrowing Descriptor) {
    do throws(SystemError) {
      let text = try Transfer.contents(
        of: file, named: "the key \(identity)", limit: SharedKeyText.limit)
      guard let key = SharedKeyText.key(text) else {
        return objections.append(
          "the first line of the key '\(identity)' is not 32 bytes or more in hexadecimal")
      }
      keys.append((identity, key))
    } catch { objections.append("\(error)") }
  }

  mutating func add(_ kind: ReceiverOrder.File, _ file: borrowing Descriptor) {
    do throws(SystemError) {
      files[kind] = try Transfer.contents(of: file, named: "\(kind)", limit: Self.fileLimit)
    } catch { objections.append("\(error)") }
  }

  /// Who may connect over TLS; `nil` when nobody was given a key, nor we a certificate.
  mutating func server() -> TLSServer? {
    guard !keys.isEmpty || !files.isEmpty else { return nil }
    do throws(ChannelFailure) {
      let server = try TLSServer()
      for (identity, key) in keys { try server.add(identity: identity, key: key) }
      if let certificate = files[.certificate], let key = files[.key],
        let authorities = files[.authorities]
      {
        try server.use(
          TLSServer.Certificates(
            certificate: certificate, key: key, authorities: authorities,
            revoked: files[.revoked]))
      }
      if let left = server.timeLeft, left < .seconds(30 * 86400) {
        let days = left.components.seconds / 86400
        objections.append(
          left < .zero
            ? "the certificate has ended: peers will refuse it"
            : "the certificate ends in \(days) days")
      }
      return server
    } catch {
      objections.append("TLS: \(error)")
      return nil
    }
  }

  var admission: PeerAdmission.Limits {
    let ports = Int(limits.firstPort)...max(Int(limits.firstPort), Int(limits.lastPort))
    return PeerAdmission.Limits(
      connections: Int(limits.connections), perAddress: Int(limits.perAddress),
      ports: limits.lastPort == 0 ? nil : ports)
  }

  var peers: PeerState.Limits {
    PeerState.Limits(
      idle: limits.idleMilliseconds == 0 ? nil : .milliseconds(Int64(limits.idleMilliseconds)))
  }

  var networks: [AddressRange] {
    limits.networks.split(separator: " ").compactMap { AddressRange(String($0)) }
  }
}
