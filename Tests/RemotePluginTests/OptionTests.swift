import Configuration
import Linux
import TestSupport
import Testing

@testable import AudispatchPlugin
@testable import audispatch_remote

/// What a file's lines make of the options, with the errors and warnings.
private func settled(_ lines: String...) -> (options: RemoteOptions, said: [String]) {
  var options = RemoteOptions()
  var said: [String] = []
  for setting in ConfigurationText(Array(lines.joined(separator: "\n").utf8), file: "f").settings {
    do throws(Diagnostic) {
      guard let keyword = RemoteOptions.keywords.first(where: { $0.name == setting.keyword.text })
      else { throw setting.keyword.error("unknown keyword") }
      try keyword.apply(&options, setting)
    } catch { said.append(error.description) }
  }
  if said.isEmpty { said = options.settle().map(\.description) }
  return (options, said)
}

@Suite("What audispatch-remote is told") struct OptionTests {
  @Test func `is what Debian's audisp-remote.conf says, once it names a server`() {
    let (options, said) = settled(
      "remote_server = log.example.org", "port = 60", "transport = tcp",
      "queue_file = /var/spool/audit/remote.log", "mode = immediate", "queue_depth = 10240",
      "format = managed", "network_retry_time = 1", "max_tries_per_record = 3",
      "max_time_per_record = 5", "heartbeat_timeout = 0", "network_failure_action = stop",
      "disk_low_action = ignore", "disk_full_action = warn_once", "disk_error_action = warn_once",
      "remote_ending_action = reconnect", "generic_error_action = syslog",
      "generic_warning_action = syslog", "queue_error_action = stop", "overflow_action = syslog",
      "startup_failure_action = warn_once_continue", "krb5_client_name = auditd",
      "enable_krb5 = no")
    #expect(said == [])
    #expect(options.servers == [HostAndPort(host: "log.example.org", port: nil)])
    #expect(options.heartbeat == nil && options.queueDepth == 10240 && options.tries == 3)
    #expect(options.action(.diskLow) == .ignore)
  }

  static let refused: [(String, String)] = [
    ("transport = krb5", "Kerberos is not spoken"),
    ("enable_krb5 = yes", "Kerberos is not spoken"),
    ("format = ascii", "auditd discards records in the format ascii"),
    ("network_failure_action = halt", "exec, single and halt run programs"),
    ("disk_full_action = exec /bin/true", "exec, single and halt run programs"),
    ("disk_full_action = exec", "exec is followed by the absolute path"),
    ("disk_full_action = reconnect", "disk_full_action is one of ignore, syslog"),
    ("window = 1001", "window is a number from 1 to 1000"),
    ("remote_server = a:b:c/d", "no host and port"),
    ("transport = tls\ntls_psk_identity = a", "a key and what it is called belong together"),
    ("transport = tls\ntls_cert = /x", "a certificate and its key belong together"),
    (
      "transport = tls\ntls_cert = /x\ntls_key = /x\ntls_require_pqc = yes",
      "only groups with ML-KEM are to be used, and certificates leave them to OpenSSL"
    ),
    (
      "transport = tls\ntls_psk_file = /x\ntls_psk_identity = a\ntls_crypto_profile = pqc\n"
        + "tls_key_exchange = X25519MLKEM768:X25519", "tls_key_exchange names others, too"
    ),
    ("tls_crypto_profile = none", "tls_crypto_profile is one of compatible, system, pqc"),
    ("port = 0", "port is a number from 1 to 65535"),
    ("transport = tls\ntls_ca = /nowhere/ca.pem", "cannot examine /nowhere/ca.pem"),
  ]

  @Test(arguments: refused.indices)
  func `is refused with the reason`(_ index: Int) {
    let (line, reason) = Self.refused[index]
    let (_, said) = settled("remote_server = a", line)
    #expect(said.count == 1 && said[0].contains(": error: ") && said[0].contains(reason), "\(said)")
  }

  @Test func `needs a server`() {
    #expect(
      settled("port = 60").said == [
        "remote_server: error: no server is named; set remote_server = HOST"
      ])
  }

  /// What auditd 4.2 makes of its own profile; OpenSSL 3.0 has no such group, and is not let go on.
  @Test(arguments: ["tls_crypto_profile = pqc", "tls_require_pqc = yes"])
  func `uses nothing but ML-KEM where that is asked for`(line: String) {
    let (options, said) = settled(
      "remote_server = a", "transport = tls", "tls_psk_file = /nowhere/key",
      "tls_psk_identity = a", line)
    #expect(options.tls.groups == "X25519MLKEM768")
    #expect(said.count == 1, "\(said)")
    #expect(
      said[0].contains("OpenSSL here has none") || said[0].contains("cannot read /nowhere/key"),
      "\(said)")
  }

  /// As audispatchd reads the same file at the other end.
  @Test(arguments: ["\n", " \n", "\r\nmore\n", ""])
  func `takes a key whatever stands behind it in its line`(end: String) throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    let digits = String(repeating: "a1 ", count: 32)
    try TestFolder.write(digits + end, to: folder + "/key", mode: 0o600)
    let (options, said) = settled(
      "remote_server = a", "transport = tls", "tls_psk_file = \(folder)/key",
      "tls_psk_identity = a")
    #expect(said == [])
    #expect(options.tls.sharedKey == [UInt8](repeating: 0xa1, count: 32))
    try TestFolder.write(digits, to: folder + "/open", mode: 0o644)
    let open = settled(
      "remote_server = a", "transport = tls", "tls_psk_file = \(folder)/open",
      "tls_psk_identity = a")
    #expect(open.said.count == 1 && open.said[0].contains("others may have read the key"))
  }

  @Test func `may say what is so anyway`() {
    let (options, said) = settled(
      "remote_server = a", "tls_require_pqc = no", "tls_crypto_profile = system")
    #expect(!options.tls.wantsQuantumSafe)
    #expect(said.count == 1 && said[0].contains("what is set for TLS has no effect"), "\(said)")
  }

  @Test func `may run programs where that is allowed`() {
    let (options, said) = settled(
      "remote_server = a", "run_programs = yes", "disk_full_action = exec /bin/true",
      "network_failure_action = single")
    #expect(said == [])
    #expect(options.action(.diskFull) == .execute("/bin/true"))
    #expect(options.action(.networkFailure) == .single)
  }

  @Test(arguments: [
    ("log", "log", nil), ("log:61", "log", 61), ("192.0.2.1:61", "192.0.2.1", 61),
    ("2001:db8::1", "2001:db8::1", nil), ("[2001:db8::1]", "2001:db8::1", nil),
    ("[2001:db8::1]:61", "2001:db8::1", UInt16(61)),
  ])
  func `names servers by names and addresses`(text: String, host: String, port: UInt16?) {
    #expect(
      settled("remote_server = \(text)").options.servers == [HostAndPort(host: host, port: port)])
  }

  /// Of 32 bytes, two digits each.
  @Test(arguments: [("00", "ff"), ("0a", "FF"), ("0", "0"), ("00", "0g"), ("00", "")])
  func `is a key in hexadecimal`(first: String, last: String) {
    let text = first + String(repeating: "00", count: 30) + last
    let isKey = first.count == 2 && last.lowercased() == "ff"
    #expect((SharedKeyText.key(Array(text.utf8)) != nil) == isKey)
  }

  /// The lines of the example, comments that are settings taken as such.
  private static func example(from file: StaticString = #filePath) throws -> [String] {
    let root = "\(file)".split(separator: "/").dropLast(3).joined(separator: "/")
    let bytes = try Transfer.contents(
      of: "/\(root)/Documentation/examples/remote.conf", limit: 1 << 20)
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
      if !line.hasPrefix("#") { return String(line) }
      return line.hasPrefix("# ") ? nil : String(line.dropFirst())
    }
  }

  @Test func `has an example with every keyword that does something, and the defaults`() throws {
    let lines = try Self.example()
    let named = Set(lines.compactMap { $0.split(separator: " ").first.map(String.init) })
    let known = Set(RemoteOptions.keywords.map(\.name))
    #expect(named.isSubset(of: known))
    let without: Set = [
      "format", "queue_error_action", "tls_auth", "tls_crypto_profile", "tls_require_pqc",
      "enable_krb5", "krb5_principal", "krb5_client_name", "krb5_key_file",
    ]
    #expect(known.subtracting(named) == without)
    let (options, said) = settled(lines.filter { !$0.hasPrefix("tls_") }.joined(separator: "\n"))
    #expect(said == [])
    var expected = RemoteOptions()
    expected.servers = [HostAndPort(host: "log.example.org", port: nil)]
    expected.queueFile = LegacyQueue.usualPath
    var found = options
    for occasion in RemoteAction.Occasion.allCases where occasion != .queueError {
      #expect(options.action(occasion) == expected.action(occasion))
    }
    found.actions = [:]
    #expect(found == expected)
  }
}
