import Linux

/// The keywords of `audispatchd.conf` for peers: auditd's, and some of our own.
enum RemoteKeywords {
  static let own = peers + encryption

  private static let peers: [Keyword<RemoteConfiguration>] = [
    .yesOrNo(
      "allow_plaintext", "whether records may come unencrypted from another host",
      \.allowsPlaintext),
    Keyword("allowed_networks", "NETWORK", "whose connections are taken; without it, anybody's") {
      (remote: inout RemoteConfiguration, setting: Setting) throws(Diagnostic) in
      remote.allowedNetworks = try setting.values.map(range)
    },
    .number(
      "max_connections", "COUNT", "of all peers together", \.connections, 1...65_536),
    .choice(
      "node_policy", "POLICY", "what becomes of a record that claims to be another host's",
      \.nodePolicy),
    .yesOrNo("peer_field", "whether each record is given its peer's address", \.addsPeerField),
  ]

  private static let encryption: [Keyword<RemoteConfiguration>] = [
    file("tls_ca", "the authorities that sign peers' certificates", \.authorities),
    file("tls_cert", "this host's certificate", \.certificate),
    file("tls_crl", "certificates that were revoked", \.revoked),
    file("tls_key", "the key of this host's certificate", \.key),
    Keyword("tls_psk_file", "FILE", "of each pre-shared key") {
      (remote: inout RemoteConfiguration, setting: Setting) throws(Diagnostic) in
      remote.keyFiles = try setting.values.map { word throws(Diagnostic) in
        try word.absolutePath(for: "tls_psk_file")
      }
      remote.pairKeys()
    },
    Keyword("tls_psk_identity", "NAME", "of each pre-shared key, in the same order") {
      (remote: inout RemoteConfiguration, setting: Setting) throws(Diagnostic) in
      remote.keyNames = try setting.values.map(identity)
      remote.pairKeys()
    },
    Keyword("tls_psk_node", "NODE", "of each pre-shared key's host, in the same order") {
      (remote: inout RemoteConfiguration, setting: Setting) throws(Diagnostic) in
      remote.keyNodes = try setting.values.map(identity)
      remote.pairKeys()
    },
  ]

  /// auditd's own. An auditd.conf may say there what it likes, as long as nobody connects.
  static let ofAuditd = ofAuditdTCP + ofAuditdTLS

  private static let ofAuditdTCP: [Keyword<RemoteConfiguration>] = [
    .seconds(
      "tcp_client_max_idle", "after which a silent peer is let go; 0: never", \.idleLimit,
      .zero ... .seconds(Int32.max)),
    .value("tcp_client_ports", "PORTS", "that a peer may connect from") {
      (remote: inout RemoteConfiguration, word: Word) throws(Diagnostic) in
      remote.clientPorts = try ports(word)
    },
    .number(
      "tcp_listen_queue", "COUNT", "of connections that wait to be taken", \.listenQueue,
      1...65_536),
    .number(
      "tcp_max_per_addr", "COUNT", "of connections from one address", \.connectionsPerAddress,
      1...1024),
    .yesOrNo("use_libwrap", "not supported: see allowed_networks", \.wantsLibwrap),
    .value("enable_krb5", "YES|NO", "not supported: see source = tls:") {
      (remote: inout RemoteConfiguration, word: Word) throws(Diagnostic) in
      if try word.yesOrNo(for: "enable_krb5") { remote.wantsKerberos = true }
    },
    .value("transport", "HOW", "auditd's; what is spoken is in source") {
      (remote: inout RemoteConfiguration, word: Word) throws(Diagnostic) in
      if try word.choice(Transport.self, for: "transport") == .krb5 { remote.wantsKerberos = true }
    },
  ]

  private enum Transport: String, CaseIterable { case tcp, tls, krb5 }

  /// Of auditd 4.2.
  private static let ofAuditdTLS: [Keyword<RemoteConfiguration>] = [
    .value("tls_auth", "HOW", "psk; certificates are used where tls_cert is set") {
      (remote: inout RemoteConfiguration, word: Word) throws(Diagnostic) in
      guard word.text.lowercased() == "psk" else { throw word.error("tls_auth is psk") }
    },
    .value("tls_allowed_clients", "FILE", "not supported: see tls_psk_identity") {
      (remote: inout RemoteConfiguration, word: Word) throws(Diagnostic) in
      _ = try word.absolutePath(for: "tls_allowed_clients")
      remote.wantsClientList = true
    },
    .value("tls_crypto_profile", "NAME", "compatible or system; pqc is not supported") {
      (remote: inout RemoteConfiguration, word: Word) throws(Diagnostic) in
      if try word.choice(Profile.self, for: "tls_crypto_profile") == .pqc {
        remote.wantsQuantumSafeKeys = true
      }
    },
    .value("tls_require_pqc", "YES|NO", "not supported") {
      (remote: inout RemoteConfiguration, word: Word) throws(Diagnostic) in
      if try word.yesOrNo(for: "tls_require_pqc") { remote.wantsQuantumSafeKeys = true }
    },
    ciphers("tls_cipher_suites", "SUITES"),
    ciphers("tls_key_exchange", "GROUPS"),
  ]

  private enum Profile: String, CaseIterable { case compatible, system, pqc }

  private static func ciphers(_ name: String, _ value: String) -> Keyword<RemoteConfiguration> {
    .value(name, value, "without effect: peers may use what OpenSSL has") {
      (remote: inout RemoteConfiguration, _: Word) throws(Diagnostic) in
      remote.namedCiphers.insert(name)
    }
  }

  private static func file(
    _ name: String, _ about: String,
    _ place: any WritableKeyPath<RemoteConfiguration, String?> & Sendable
  ) -> Keyword<RemoteConfiguration> {
    .value(name, "FILE", about) {
      (remote: inout RemoteConfiguration, word: Word) throws(Diagnostic) in
      remote[keyPath: place] = try word.absolutePath(for: name)
    }
  }

  private static func range(_ word: Word) throws(Diagnostic) -> AddressRange {
    if let range = AddressRange(word.text) { return range }
    throw word.error(
      "no network: an address in digits with the number of its bits that count",
      suggestion: "write it as 192.0.2.0/24 or 2001:db8::/32")
  }

  private static func identity(_ word: Word) throws(Diagnostic) -> String {
    let bytes = word.text.utf8
    guard (1...255).contains(bytes.count), bytes.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw word.error("the name of a key or node has 1 to 255 printable characters without spaces")
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
    keys = zip(keyNames, keyFiles).enumerated().map { index, key in
      SharedKeyFile(
        identity: key.0, file: key.1, node: index < keyNodes.count ? keyNodes[index] : nil)
    }
  }
}
