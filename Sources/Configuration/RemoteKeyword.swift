import Linux

/// The keywords of `audispatchd.conf` for peers: auditd's, and some of our own.
enum RemoteKeyword: String, CaseIterable {
  case allowPlaintext = "allow_plaintext"
  case allowedNetworks = "allowed_networks"
  case enableKerberos = "enable_krb5"
  case maxConnections = "max_connections"
  case nodePolicy = "node_policy"
  case peerField = "peer_field"
  case clientMaxIdle = "tcp_client_max_idle"
  case clientPorts = "tcp_client_ports"
  case listenQueue = "tcp_listen_queue"
  case maxPerAddress = "tcp_max_per_addr"
  case authorities = "tls_ca"
  case certificate = "tls_cert"
  case revoked = "tls_crl"
  case key = "tls_key"
  case sharedKeyFile = "tls_psk_file"
  case sharedKeyIdentity = "tls_psk_identity"
  case transport
  case useLibwrap = "use_libwrap"

  /// Whether it is auditd's own.
  var isAuditds: Bool {
    switch self {
    case .enableKerberos, .clientMaxIdle, .clientPorts, .listenQueue, .maxPerAddress, .transport,
      .useLibwrap:
      true
    default: false
    }
  }

  /// Puts the value into the configuration, or leaves that as it was.
  func apply(_ setting: Setting, to remote: inout RemoteConfiguration) throws(Diagnostic) {
    switch self {
    case .allowedNetworks:
      remote.allowedNetworks = try setting.values.map { word throws(Diagnostic) in
        try Self.range(word)
      }
    case .sharedKeyFile:
      remote.keyFiles = try setting.values.map { word throws(Diagnostic) in
        try word.absolutePath(for: rawValue)
      }
      remote.pairKeys()
    case .sharedKeyIdentity:
      remote.keyNames = try setting.values.map { word throws(Diagnostic) in
        try Self.identity(word)
      }
      remote.pairKeys()
    default: try apply(setting.single(), to: &remote)
    }
  }

  private func apply(_ value: Word, to remote: inout RemoteConfiguration) throws(Diagnostic) {
    switch self {
    case .allowPlaintext: remote.allowsPlaintext = try value.yesOrNo(for: rawValue)
    case .enableKerberos:
      if try value.yesOrNo(for: rawValue) { remote.wantsKerberos = true }
    case .maxConnections: remote.connections = try value.number(in: 1...65_536, for: rawValue)
    case .nodePolicy:
      remote.nodePolicy = try value.choice(RemoteConfiguration.NodePolicy.self, for: rawValue)
    case .peerField: remote.addsPeerField = try value.yesOrNo(for: rawValue)
    case .clientMaxIdle:
      remote.idleLimit = try value.seconds(in: .zero ... .seconds(Int32.max), for: rawValue)
    case .clientPorts: remote.clientPorts = try Self.ports(value)
    case .listenQueue: remote.listenQueue = try value.number(in: 1...65_536, for: rawValue)
    case .maxPerAddress:
      remote.connectionsPerAddress = try value.number(in: 1...1024, for: rawValue)
    case .authorities: remote.authorities = try value.absolutePath(for: rawValue)
    case .certificate: remote.certificate = try value.absolutePath(for: rawValue)
    case .revoked: remote.revoked = try value.absolutePath(for: rawValue)
    case .key: remote.key = try value.absolutePath(for: rawValue)
    case .transport:
      if try value.choice(Transport.self, for: rawValue) == .krb5 { remote.wantsKerberos = true }
    case .useLibwrap: remote.wantsLibwrap = try value.yesOrNo(for: rawValue)
    case .allowedNetworks, .sharedKeyFile, .sharedKeyIdentity: break
    }
  }

  private enum Transport: String, CaseIterable { case tcp, tls, krb5 }

  private static func range(_ word: Word) throws(Diagnostic) -> AddressRange {
    if let range = AddressRange(word.text) { return range }
    throw word.error(
      "no network: an address in digits with the number of its bits that count",
      suggestion: "write it as 192.0.2.0/24 or 2001:db8::/32")
  }

  private static func identity(_ word: Word) throws(Diagnostic) -> String {
    let bytes = word.text.utf8
    guard (1...255).contains(bytes.count), bytes.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw word.error("a key's name has 1 to 255 printable characters without spaces")
    }
    return word.text
  }

  private static func ports(_ word: Word) throws(Diagnostic) -> ClosedRange<Int>? {
    let parts = word.text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in
      part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(part) : nil
    }
    guard numbers.count == parts.count, let first = numbers.first, let last = numbers.last,
      first <= last, last <= 65_535
    else { throw word.error("tcp_client_ports is a port, or two with a '-' between them") }
    return last == 0 ? nil : first...last
  }
}

extension RemoteConfiguration {
  /// A key is one when both its name and its file are known.
  fileprivate mutating func pairKeys() {
    keys = zip(keyNames, keyFiles).map { SharedKeyFile(identity: $0, file: $1) }
  }
}
