public import Linux

/// What peers may, whose records come over `tcp:` and `tls:`.
public struct RemoteConfiguration: Equatable, Codable, Sendable {
  /// Whether records may come in the clear from another host.
  public var allowsPlaintext = false
  /// Whose connections are taken; none: everybody's.
  public var allowedNetworks: [AddressRange] = []
  /// Connections that may wait to be taken.
  public var listenQueue = 128
  public var connectionsPerAddress = 16
  public var connections = 1024
  /// The ports that a peer may connect from; `nil`: any.
  public var clientPorts: ClosedRange<Int>?
  /// A peer that says nothing for that long is let go; zero: none is.
  public var idleLimit = Duration.zero
  public var nodePolicy = NodePolicy.accept
  /// Whether each record gets a field with its peer's address.
  public var addsPeerField = false
  /// Keys that a peer may have.
  public var keys: [SharedKeyFile] = []
  public var certificate: String?
  public var key: String?
  public var authorities: String?
  public var revoked: String?

  /// What auditd can and this does not: told apart from what is merely not set.
  public var wantsLibwrap = false
  public var wantsKerberos = false
  public var wantsClientList = false
  public var wantsQuantumSafeKeys = false
  /// Which of auditd's keywords name suites or groups of TLS.
  public var namedCiphers: Set<String> = []
  /// As many as `keys` were to have.
  var keyNames: [String] = []
  var keyFiles: [String] = []
  var keyNodes: [String] = []

  /// What becomes of a record that claims to be of another host than the one that sent it.
  public enum NodePolicy: String, CaseIterable, Codable, Sendable {
    case accept
    /// It is given a field that says who sent it.
    case mark
    /// It is acknowledged and counted, and no plugin gets it.
    case refuse
  }

  /// A key that this host and some peers have.
  public struct SharedKeyFile: Equatable, Codable, Sendable {
    /// What a peer calls it.
    public var identity: String
    public var file: String
    /// The node that records of its holder may name; `nil`: its identity.
    public var node: String?
  }

  public init() {}
}

extension DaemonConfiguration {
  /// Why records of other hosts could not be taken as it is asked for.
  func remoteProblems(file: String) -> [Diagnostic] {
    var problems: [Diagnostic] = []
    func object(_ message: String, _ suggestion: String) {
      problems.append(Diagnostic(.error, file: file, message, suggestion: suggestion))
    }
    guard !remoteSources.isEmpty else { return [] }
    if remote.wantsLibwrap {
      object(
        "use_libwrap: the files hosts.allow and hosts.deny are not read",
        "set use_libwrap = no, and say in allowed_networks who may connect")
    }
    if remote.wantsKerberos {
      object(
        "Kerberos is not spoken", "use source = tls:ADDRESS:PORT, with keys or certificates")
    }
    for case .tcp(let place) in remoteSources
    where !remote.allowsPlaintext && HostAddress(place.host)?.isLoopback != true {
      object(
        "tcp:\(place) would take records that anybody on the way can read and change",
        "use tls:\(place), or set allow_plaintext = yes")
    }
    let wantsTLS = remoteSources.contains { if case .tls = $0 { true } else { false } }
    if wantsTLS, remote.wantsClientList {
      object(
        "tls_allowed_clients: auditd's list of clients is not read",
        "name each client that is enabled there in tls_psk_identity, and its key in tls_psk_file")
    }
    if wantsTLS, remote.wantsQuantumSafeKeys {
      object(
        "a key exchange that is safe from quantum computers is not demanded of peers",
        "set tls_crypto_profile = compatible, and tls_require_pqc = no")
    }
    if wantsTLS {
      for keyword in remote.namedCiphers.sorted() {
        problems.append(
          Diagnostic(
            .warning, file: file, "\(keyword) has no effect: peers may use what OpenSSL has"))
      }
    }
    if remote.keyNames.count != remote.keyFiles.count {
      object(
        "tls_psk_identity and tls_psk_file do not match: \(remote.keyNames.count) names, "
          + "\(remote.keyFiles.count) files", "give each key its name, in the same order")
    }
    if !remote.keyNodes.isEmpty, remote.keyNodes.count != remote.keyNames.count {
      object(
        "tls_psk_node and tls_psk_identity do not match: \(remote.keyNodes.count) nodes, "
          + "\(remote.keyNames.count) names", "give each key its node, in the same order, or none")
    }
    let names = remote.keyNames
    if let twice = names.indices.first(where: { names[..<$0].contains(names[$0]) }) {
      object(
        "tls_psk_identity has '\(names[twice])' twice",
        "give each key a name of its own: a peer says by it which one it has")
    }
    if (remote.certificate == nil) != (remote.key == nil) {
      object("a certificate and its key belong together", "set both tls_cert and tls_key")
    }
    if wantsTLS, remote.keys.isEmpty, remote.certificate == nil {
      object(
        "tls needs keys or a certificate",
        "set tls_psk_identity and tls_psk_file, or tls_cert, tls_key and tls_ca")
    }
    if wantsTLS, remote.certificate != nil, remote.authorities == nil {
      object(
        "without tls_ca nobody's certificate could be checked",
        "set tls_ca to the file of the authority that signs the peers' certificates")
    }
    return problems
  }
}
