import Linux
import Testing

@testable import Configuration

/// What `audispatchd.conf` says of peers.
@Suite("The settings for other hosts")
struct RemoteConfigurationTests {
  private static let secure = "source = tls:[::]:60\ntls_psk_identity = a\ntls_psk_file = /a\n"
  private static let place = HostAndPort(host: "127.0.0.1", port: 60)

  static let keywords: [(String, @Sendable (inout DaemonConfiguration) -> Void)] = [
    ("source = tcp:127.0.0.1:60", { $0.sources = [.tcp(place)] }),
    (
      "source = kernel\nsource = tcp:[::1]:60",
      { $0.sources = [.kernel, .tcp(HostAndPort(host: "::1", port: 60))] }
    ),
    (
      "source = tcp:0.0.0.0:60\nallow_plaintext = yes",
      {
        $0.sources = [.tcp(HostAndPort(host: "0.0.0.0", port: 60))]
        $0.remote.allowsPlaintext = true
      }
    ),
    (
      "allowed_networks = 192.0.2.0/24 2001:db8::/32",
      {
        $0.remote.allowedNetworks = [AddressRange("192.0.2.0/24")!, AddressRange("2001:db8::/32")!]
      }
    ),
    ("max_connections = 7", { $0.remote.connections = 7 }),
    ("node_policy = REFUSE", { $0.remote.nodePolicy = .refuse }),
    ("peer_field = yes", { $0.remote.addsPeerField = true }),
    ("tcp_client_max_idle = 30", { $0.remote.idleLimit = .seconds(30) }),
    ("tcp_client_ports = 1-1023", { $0.remote.clientPorts = 1...1023 }),
    ("tcp_client_ports = 60", { $0.remote.clientPorts = 60...60 }),
    ("tcp_listen_queue = 5", { $0.remote.listenQueue = 5 }),
    ("tcp_max_per_addr = 1", { $0.remote.connectionsPerAddress = 1 }),
    ("use_libwrap = no\nenable_krb5 = no\ntransport = TCP", { _ in }),
    ("tls_auth = PSK\ntls_crypto_profile = Compatible\ntls_require_pqc = no", { _ in }),
    ("tls_crypto_profile = system", { _ in }),
  ]

  @Test(arguments: keywords.indices)
  func `are what their keywords say`(_ index: Int) {
    let (lines, change) = Self.keywords[index]
    var expected = DaemonConfiguration()
    change(&expected)
    let loaded = Host.load(daemon: lines)
    #expect(loaded.daemon == expected, "\(lines): \(loaded.texts)")
    #expect(loaded.count(.error) == 0)
  }

  @Test(arguments: [
    ("source = tcp:0.0.0.0:60", "anybody on the way can read and change"),
    ("source = tcp:host:60", "tcp needs an address of this host in digits, and a port"),
    ("source = tcp:127.0.0.1", "tcp needs an address of this host in digits, and a port"),
    ("source = tls:[::]", "tls needs an address of this host in digits, and a port"),
    ("source = tls:[::]:60", "tls needs keys or a certificate"),
    ("source = tls:[::]:60\ntls_cert = /c", "a certificate and its key belong together"),
    ("source = tls:[::]:60\ntls_cert = /c\ntls_key = /k", "without tls_ca"),
    ("source = tls:[::]:60\ntls_psk_identity = a b\ntls_psk_file = /a", "2 names, 1 files"),
    (
      "source = tls:[::]:60\ntls_psk_identity = a b a\ntls_psk_file = /a /b /c",
      "tls_psk_identity has 'a' twice"
    ),
    (
      "source = tls:[::]:60\ntls_psk_identity = a b\ntls_psk_file = /a /b\ntls_psk_node = n",
      "1 nodes, 2 names"
    ),
    (secure + "tls_allowed_clients = /a", "auditd's list of clients is not read"),
    (secure + "tls_crypto_profile = pqc", "is not demanded of peers"),
    (secure + "tls_require_pqc = yes", "is not demanded of peers"),
    (secure + "tls_crypto_profile = none", "compatible, system, pqc"),
    (secure + "tls_auth = x509", "tls_auth is psk"),
    ("source = tcp:127.0.0.1:60\nuse_libwrap = yes", "hosts.allow and hosts.deny are not read"),
    ("source = tcp:127.0.0.1:60\nenable_krb5 = yes", "Kerberos is not spoken"),
    ("source = tcp:127.0.0.1:60\ntransport = krb5", "Kerberos is not spoken"),
    ("source = tcp:127.0.0.1:60\ntcp_max_per_addr = 0", "a number from 1 to 1024"),
    ("allowed_networks = 192.0.2.1/24", "no network"), ("allowed_networks = host", "no network"),
    ("tls_psk_identity = é", "printable characters"), ("node_policy = no", "accept, mark, refuse"),
    ("source = file:/a\nsource = tcp:127.0.0.1:60", "files are read to their end"),
  ])
  func `keep the daemon from starting when they cannot be kept`(lines: String, problem: String) {
    let loaded = Host.load(daemon: lines)
    #expect(
      loaded.texts.contains { $0.contains("error: ") && $0.contains(problem) }, "\(loaded.texts)")
    #expect(!loaded.isDaemonUsable)
  }

  @Test func `are of no account in an auditd.conf without other hosts`() {
    let loaded = Host.load(
      daemon: "use_libwrap = yes\nenable_krb5 = yes\ntransport = KRB5\ntcp_max_per_addr = 0\n"
        + "tls_allowed_clients = clients\ntls_auth = none\ntls_crypto_profile = pqc\n"
        + "tls_require_pqc = yes\ntls_cipher_suites = x\ntls_key_exchange = y\n")
    #expect(loaded.texts == [])
    #expect(loaded.isDaemonUsable)
  }

  @Test(arguments: ["tls_cipher_suites = TLS_AES_256_GCM_SHA384", "tls_key_exchange = X25519"])
  func `of auditd's that have no effect are warned of`(line: String) {
    var host = Host()
    host["/a"] = .file(String(repeating: "a1", count: 32), mode: 0o400)
    host[ConfigurationRequest.standardDaemonFile] = .file(Self.secure + line + "\n")
    let loaded = host.load()
    #expect(loaded.texts.count == 1 && loaded.texts[0].contains("has no effect"), "\(loaded.texts)")
    #expect(loaded.isDaemonUsable)
  }

  static let keyFiles: [(Host.Entry?, String?)] = [
    (.file(String(repeating: "a1", count: 32) + "\n", mode: 0o400), nil),
    (nil, "the file cannot be read: No such file or directory ('/k')"),
    (
      .file("abcd\n", mode: 0o400),
      "the key's first line is not 32 bytes or more in hexadecimal ('/k'); openssl rand -hex 32 "
        + "makes one"
    ),
    (
      .file(String(repeating: "a1", count: 32), mode: 0o644),
      "others may have read it, and it is not used ('/k'); chown root /k; chmod 0400 /k"
    ),
    (
      .file(String(repeating: "a1", count: 32), owner: 7, mode: 0o400),
      "others may have read it, and it is not used ('/k'); chown root /k; chmod 0400 /k"
    ),
    (.fifo, "it is a FIFO, not a file ('/k')"),
  ]

  /// The sources of this host go on without it, and so do peers that have another.
  @Test(arguments: keyFiles.indices)
  func `say what is wrong with a key's file, and the daemon starts`(_ index: Int) {
    let (entry, problem) = Self.keyFiles[index]
    var host = Host()
    host["/k"] = entry
    host[ConfigurationRequest.standardDaemonFile] = .file(
      "source = tls:[::]:60\ntls_psk_identity = web1\ntls_psk_file = /k\n")
    let loaded = host.load()
    let file = ConfigurationRequest.standardDaemonFile
    #expect(loaded.texts == (problem.map { ["\(file): error: \($0)"] } ?? []))
    #expect(loaded.isDaemonUsable)
    #expect(loaded.exitStatus == (problem == nil ? 0 : 6))
    #expect(loaded.daemon.remote.canServeTLS(host.access, user: 0) == (problem == nil))
  }

  @Test func `serve nobody over TLS unless certificate, key and authorities can be used`() {
    var remote = RemoteConfiguration()
    (remote.certificate, remote.key, remote.authorities) = ("/c", "/k", "/a")
    var host = Host()
    for (path, mode) in [("/c", UInt32(0o644)), ("/k", 0o400), ("/a", 0o644)] {
      #expect(!remote.canServeTLS(host.access, user: 0))
      host[path] = .file("PEM", mode: mode)
    }
    #expect(remote.canServeTLS(host.access, user: 0))
    // Without the list of revoked ones somebody would be let in who is not to be.
    remote.revoked = "/r"
    #expect(!remote.canServeTLS(host.access, user: 0))
    host["/r"] = .file(String(repeating: "PEM\n", count: 100_000), mode: 0o644)
    #expect(remote.canServeTLS(host.access, user: 0))
    #expect(remote.fileProblems(file: "f", host.access, user: 0) == [])
    host["/k"] = .file("PEM", mode: 0o640)
    #expect(!remote.canServeTLS(host.access, user: 0))
  }

  @Test func `have a name for each key`() {
    let loaded = Host.load(
      daemon: "source = tls:[::]:60\ntls_psk_file = /a /b\ntls_psk_identity = old new\n")
    #expect(loaded.daemon.remote.keys.map(\.identity) == ["old", "new"])
    #expect(loaded.daemon.remote.keys.map(\.file) == ["/a", "/b"])
    #expect(loaded.daemon.remote.keys.map(\.node) == [nil, nil])
    #expect(loaded.isDaemonUsable)
  }

  /// In whatever order the lines stand.
  @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
  func `may have one node for two keys`(_ order: [Int]) {
    let lines = [
      "tls_psk_file = /a /b", "tls_psk_identity = old new", "tls_psk_node = web1 web1",
    ]
    let loaded = Host.load(
      daemon: "source = tls:[::]:60\n" + order.map { lines[$0] + "\n" }.joined())
    #expect(loaded.daemon.remote.keys.map(\.identity) == ["old", "new"])
    #expect(loaded.daemon.remote.keys.map(\.node) == ["web1", "web1"])
    #expect(loaded.isDaemonUsable)
  }
}

@Suite("Addresses of hosts")
struct HostAddressTests {
  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1"), ("::1", "::1"), ("2001:DB8:0::1", "2001:db8::1"),
    ("::ffff:192.0.2.1", "192.0.2.1"), ("host", nil), ("192.0.2", nil), ("", nil),
    ("1.2.3.4.5", nil),
  ])
  func `are read in digits`(text: String, address: String?) {
    #expect(HostAddress(text)?.description == address)
  }

  @Test(arguments: [
    ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false),
    ("192.0.2.128/25", "192.0.2.127", false), ("192.0.2.128/25", "192.0.2.200", true),
    ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false), ("::/0", "2001:db8::1", true),
    ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
    ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
  ])
  func `are in a range or not`(range: String, address: String, isIn: Bool) throws {
    let range = try #require(AddressRange(range))
    #expect(range.contains(try #require(HostAddress(address))) == isIn)
  }

  @Test(arguments: ["192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "/24", "a/8", "192.0.2.0/+8"])
  func `are in no range that is none`(text: String) { #expect(AddressRange(text) == nil) }

  @Test(arguments: [("127.9.9.9", true), ("::1", true), ("::2", false), ("10.0.0.1", false)])
  func `are the loopback's or not`(text: String, isLoopback: Bool) {
    #expect(HostAddress(text)?.isLoopback == isLoopback)
  }
}
