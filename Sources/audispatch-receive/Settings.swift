import Configuration
import Glibc
import Linux
import RemoteProtocol
import SecureChannel

/// What audispatchd has given so far of the settings that are to stand from `apply` on. Files come as
/// descriptors: whoever has the rights has opened them.
struct Settings: ~Copyable {
  let limits: ReceiverOrder.Settings
  private var keys: [(identity: String, key: [UInt8])] = []
  private var files: [ReceiverOrder.File: [UInt8]] = [:]
  /// Those that may connect; `nil`: all.
  private(set) var networks: [AddressRange]?
  private(set) var objections: [String] = []

  init(_ limits: ReceiverOrder.Settings) { self.limits = limits }

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

  mutating func add(network text: String) {
    // Without one that is right nobody may.
    networks = networks ?? []
    guard let range = AddressRange(text) else { return object("no range of addresses: '\(text)'") }
    networks?.append(range)
  }

  mutating func add(_ kind: ReceiverOrder.File, _ file: borrowing Descriptor) {
    do throws(SystemError) {
      files[kind] = try Transfer.contents(
        of: file, named: "\(kind)", limit: RemoteConfiguration.certificatesLimit)
    } catch { objections.append("\(error)") }
  }

  /// What cannot be used.
  mutating func object(_ text: String) { objections.append(text) }

  /// Whether anybody is to connect over TLS.
  var wantsTLS: Bool { !keys.isEmpty || !limits.files.isEmpty }

  /// The certificates that it is to have; `nil`: none.
  ///
  /// - Throws: when only a part of them has come: without its list of revoked ones, for one, a peer
  ///   would be let in that is not to be.
  func certificates() throws(ChannelFailure) -> TLSServer.Certificates? {
    if limits.files.isEmpty { return nil }
    guard limits.files.allSatisfy({ files[$0] != nil }), let certificate = files[.certificate],
      let key = files[.key], let authorities = files[.authorities]
    else { throw ChannelFailure("certificates are not used without all of their files") }
    return TLSServer.Certificates(
      certificate: certificate, key: key, authorities: authorities, revoked: files[.revoked])
  }

  /// One that takes peers with the keys that came, and with these certificates.
  func server(_ certificates: TLSServer.Certificates?) throws(ChannelFailure) -> TLSServer {
    let server = try TLSServer()
    for (identity, key) in keys { try server.add(identity: identity, key: key) }
    if let certificates { try server.use(certificates) }
    return server
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

}
