import AudispatchPlugin
import Configuration
import Linux
import RemoteProtocol
import SecureChannel

/// What `audispatch-remote` was asked for.
struct RemoteOptions: NotingOptions, Equatable {
  enum Transport: String, CaseIterable, Sendable { case tcp, tls }
  enum CryptoProfile: String, CaseIterable, Sendable { case compatible, system, pqc }
  enum Mode: String, CaseIterable, Sendable { case immediate, forward }

  struct TLS: Equatable, Sendable {
    var authorities: String?
    var certificate: String?
    var key: String?
    var revoked: String?
    var name: String?
    /// The file of the key that both sides have, and what it is called.
    var sharedKeyFile: String?
    var sharedKeyIdentity: String?
    var suites: String?
    var groups: String?
    /// Only groups with a part that quantum computers do not break.
    var wantsQuantumSafe = false
    /// What was read from the file.
    var sharedKey: [UInt8] = []
  }

  /// In the order of preference.
  var servers: [HostAndPort] = []
  var port: UInt16 = 60
  /// 0 for any.
  var localPort: UInt16 = 0
  var transport = Transport.tcp
  var mode = Mode.immediate
  var queueFile: String?
  var takesOverQueue = false
  /// Records that wait here at most, where no dispatcher keeps them.
  var queueDepth = 2048
  var retryTime = Duration.seconds(1)
  var retryTimeMaximum = Duration.seconds(30)
  var tries = 3
  var answerTime = Duration.seconds(5)
  var heartbeat: Duration?
  var window = 500
  var actions: [RemoteAction.Occasion: RemoteAction] = [:]
  /// Whether actions may execute something.
  var runsPrograms = false
  var singleCommand = ["/sbin/init", "1"]
  var haltCommand = ["/sbin/init", "0"]
  var tls = TLS()
  var places = SettingPlaces()

  func action(_ occasion: RemoteAction.Occasion) -> RemoteAction {
    actions[occasion] ?? occasion.usually
  }

  static let keywords: [PluginKeyword<RemoteOptions>] =
    serverKeywords + sendingKeywords + actionKeywords + tlsKeywords + kerberosKeywords

  private static let serverKeywords: [PluginKeyword<RemoteOptions>] = [
    .value(
      "remote_server", "HOST", "where to; more than one in the order of preference", letter: "s",
      repeats: true
    ) { (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      guard let server = HostAndPort(word.text) else {
        throw word.error(
          "no host and port", suggestion: "write HOST or HOST:PORT, an IPv6 address in brackets")
      }
      options.servers.append(server)
    },
    .value("port", "PORT", "of servers that name none (60)") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.port = UInt16(try word.number(in: 1...65535, for: "port"))
    },
    .value("local_port", "PORT", "any (default), or the port of this host to send from") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.localPort =
        word.text.lowercased() == "any"
        ? 0 : UInt16(try word.number(in: 0...65535, for: "local_port"))
    },
    noting("transport", "HOW", "tcp (default) or tls") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      if ["krb5", "gssapi"].contains(word.text.lowercased()) { throw noKerberos(word) }
      options.transport = try word.choice(Transport.self, for: "transport")
    },
    noting("mode", "HOW", "immediate (default) or forward: see audispatch-remote(8)") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.mode = try word.choice(Mode.self, for: "mode")
    },
    .flag("take_over_queue", "send first what audisp-remote left in queue_file (no)") {
      $0.takesOverQueue = $1
    },
    noting("queue_file", "FILE", "audisp-remote's queue; our own lies beside it") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.queueFile = try word.absolutePath(for: "queue_file")
    },
    .value("queue_depth", "RECORDS", "that wait here under auditd (2048)") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.queueDepth = try word.number(in: 1...2_147_483_647, for: "queue_depth")
    },
    .value("format", "HOW", "managed, and nothing else") {
      (_: inout RemoteOptions, word: Word) throws(Diagnostic) in
      guard word.text.lowercased() != "ascii" else {
        throw word.error(
          "auditd discards records in the format ascii, and never says so",
          suggestion: "set format = managed; to another receiver audispatch-syslog sends text")
      }
      guard word.text.lowercased() == "managed" else {
        throw word.error(
          "format is managed", suggestion: Suggestion.near(word.text, among: ["managed"]))
      }
    },
  ]

  private static let sendingKeywords: [PluginKeyword<RemoteOptions>] = [
    .value("network_retry_time", "SECONDS", "between attempts, at first (1)") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.retryTime = try word.seconds(
        in: .milliseconds(10)...(.seconds(86400)), for: "network_retry_time")
    },
    .value("network_retry_time_max", "SECONDS", "between attempts, at last (30)") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.retryTimeMaximum = try word.seconds(
        in: .milliseconds(10)...(.seconds(86400)), for: "network_retry_time_max")
    },
    .value("max_tries_per_record", "TRIES", "until network_failure_action (3)") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.tries = try word.number(in: 1...2_147_483_647, for: "max_tries_per_record")
    },
    .value("max_time_per_record", "SECONDS", "how long a server may not answer (5)") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.answerTime = try word.seconds(
        in: .milliseconds(100)...(.seconds(86400)), for: "max_time_per_record")
    },
    .value("heartbeat_timeout", "SECONDS", "idle time before a server is asked; 0: never (0)") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      let time = try word.seconds(in: .zero...(.seconds(86400)), for: "heartbeat_timeout")
      options.heartbeat = time == .zero ? nil : time
    },
    .value("window", "RECORDS", "on their way and not acknowledged (500)") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.window = try word.number(in: 1...1000, for: "window")
    },
  ]

  private static let actionKeywords: [PluginKeyword<RemoteOptions>] =
    RemoteAction.Occasion.allCases.map { occasion in
      PluginKeyword(occasion.rawValue, "ACTION", occasion.about) {
        (options: inout RemoteOptions, setting: Setting) throws(Diagnostic) in
        options.actions[occasion] = try RemoteAction(setting, for: occasion)
        options.places[occasion.rawValue] = setting.values[0]
      }
    } + [
      .flag("run_programs", "whether exec, single and halt are allowed (no)") {
        $0.runsPrograms = $1
      }
    ]

  private static let tlsKeywords: [PluginKeyword<RemoteOptions>] = [
    path("tls_psk_file", "a key that both sides have, in hexadecimal", \.sharedKeyFile),
    noting("tls_psk_identity", "NAME", "what that key is called") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.tls.sharedKeyIdentity = try token(word, limit: 255)
    },
    noting("tls_cipher_suites", "SUITES", "of TLS 1.3, one of SHA-256 first") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.tls.suites = try token(word, limit: 1000)
    },
    noting("tls_key_exchange", "GROUPS", "as OpenSSL calls them") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.tls.groups = try token(word, limit: 1000)
    },
    noting("tls_crypto_profile", "NAME", "compatible (default), system or pqc") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      let profile = try word.choice(CryptoProfile.self, for: "tls_crypto_profile")
      if profile == .pqc { options.tls.wantsQuantumSafe = true }
    },
    noting("tls_require_pqc", "YES|NO", "whether nothing but groups with ML-KEM is used (no)") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      if try word.yesOrNo(for: "tls_require_pqc") { options.tls.wantsQuantumSafe = true }
    },
    noting("tls_auth", "HOW", "psk; certificates are used where tls_psk_file is not set") {
      (_: inout RemoteOptions, word: Word) throws(Diagnostic) in
      guard word.text.lowercased() == "psk" else { throw word.error("tls_auth is psk") }
    },
    path("tls_ca", "whose signature a server's certificate needs", \.authorities),
    path("tls_cert", "our own certificate, for servers that ask", \.certificate),
    path("tls_key", "the private key of our certificate", \.key),
    path("tls_crl", "certificates that their authorities have revoked", \.revoked),
    noting("tls_name", "NAME", "the name in the server's certificate, if not HOST") {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.tls.name = try token(word, limit: 253)
    },
  ]

  /// Taken so that a file that has them can stay; they are of no effect without Kerberos.
  private static let kerberosKeywords: [PluginKeyword<RemoteOptions>] =
    [
      .value("enable_krb5", "HOW", "no, and nothing else") {
        (_: inout RemoteOptions, word: Word) throws(Diagnostic) in
        if try word.yesOrNo(for: "enable_krb5") { throw noKerberos(word) }
      }
    ]
    + ["krb5_principal", "krb5_client_name", "krb5_key_file"].map { name in
      noting(name, "TEXT", "of no effect") { _, _ in }
    }

  private static func noKerberos(_ word: Word) -> Diagnostic {
    word.error(
      "Kerberos is not spoken", suggestion: "set transport = tls; see audispatch-remote(8)")
  }

  private static func path(
    _ name: String, _ about: String, _ place: any WritableKeyPath<TLS, String?> & Sendable
  ) -> PluginKeyword<RemoteOptions> {
    noting(name, "FILE", about) {
      (options: inout RemoteOptions, word: Word) throws(Diagnostic) in
      options.tls[keyPath: place] = try word.absolutePath(for: name)
    }
  }

  private static func token(_ word: Word, limit: Int) throws(Diagnostic) -> String {
    let isToken = word.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    guard !word.text.isEmpty, word.text.utf8.count <= limit, isToken else {
      throw word.error("visible ASCII without spaces, at most \(limit) bytes")
    }
    return word.text
  }
}
