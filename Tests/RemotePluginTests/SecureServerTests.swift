import Glibc
import Linux
import PluginHarness
import RemoteProtocol
import TestSupport
import Testing

/// OpenSSL's own server, which shows what it gets and says what a test has it say.
private final class SecureServer {
  static let program = "/usr/bin/openssl"
  static let isHere = unsafe access(program, X_OK) == 0

  let folder: String
  let port: UInt16
  private let child: ChildProcess
  private let input: Descriptor

  /// - Parameter arguments: of `s_server`; `DIR` is the folder.
  init(_ folder: String, _ arguments: [String]) throws {
    self.folder = folder
    let port: UInt16
    do { port = try ScriptedServer().port }
    self.port = port
    let pipe = try Pipe()
    let standardInput = pipe.reading
    input = pipe.writing
    let output = try Descriptor.open("\(folder)/got", O_WRONLY | O_CREAT | O_TRUNC)
    child = try ChildProcess(
      path: Self.program,
      arguments: ["s_server", "-accept", "127.0.0.1:\(port)", "-quiet"]
        + arguments.map { $0.replacing("DIR", with: folder) },
      environment: ["PATH=/usr/bin:/bin"], input: standardInput.number, output: output.number,
      error: output.number)
    for _ in 0..<1000 where !isListening { Pause.nanoseconds(10_000_000) }
  }

  private var isListening: Bool {
    let digits = String(port, radix: 16, uppercase: true)
    let place = ":" + String(repeating: "0", count: 4 - digits.count) + digits + " 00000000:0000 0A"
    let table = (try? Transfer.contents(of: "/proc/net/tcp", limit: 1 << 20)) ?? []
    return String(decoding: table, as: UTF8.self).contains(place)
  }

  deinit { child.signal(SIGKILL) }

  func acknowledge(_ sequence: UInt32) throws {
    var reply: [UInt8] = []
    MessageHeader(.acknowledgement, sequence: sequence).append(to: &reply)
    try Transfer.writeAll(input.number, reply)
  }

  var got: String {
    let bytes = (try? Transfer.contents(of: "\(folder)/got", limit: 1 << 20)) ?? []
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The settings of a plugin that sends here, and `tls` ones with `DIR` as the folder.
  func configuration(_ more: [String]) -> String {
    ([
      "remote_server = 127.0.0.1", "port = \(port)", "transport = tls", "network_retry_time = 0.1",
      "network_retry_time_max = 0.2",
    ] + more.map { $0.replacing("DIR", with: folder) }).map { $0 + "\n" }.joined()
  }
}

@Suite("audispatch-remote over TLS", .onThreads, .enabled(if: SecureServer.isHere, "needs openssl"))
struct SecureServerTests {
  private static let key = String(repeating: "5a", count: 32)
  private static let psk = ["tls_psk_file = DIR/psk", "tls_psk_identity = web1"]
  private static let certificates = ["tls_ca = DIR/ca.pem"]
  private static let plain = ["-cert", "DIR/server.pem", "-key", "DIR/server.key"]

  private let folder: String

  /// A key, an authority, and a server's certificate of it, which the list `revoked` has.
  init() throws {
    folder = try PluginRun.makeFolder()
    let file = try Descriptor.open("\(folder)/psk", O_WRONLY | O_CREAT, mode: 0o400)
    try Transfer.writeAll(file.number, Array((Self.key + "\n").utf8))
    let made = try CommandRun(
      "/bin/sh", "-ec",
      """
      cd \(folder)
      key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
      openssl req -x509 -subj /CN=ca -days 9 -keyout ca.key $key -out ca.pem
      openssl req -subj /CN=server -keyout server.key $key -out server.csr
      echo subjectAltName=IP:127.0.0.1 >server.ext
      openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 9 \
        -extfile server.ext -out server.pem
      printf '%s\\n' '[ca]' 'default_ca = it' '[it]' 'database = index' 'default_md = sha256' \
        'default_crl_days = 9' >ca.conf
      touch index
      openssl ca -config ca.conf -cert ca.pem -keyfile ca.key -gencrl -out good.crl
      openssl ca -config ca.conf -cert ca.pem -keyfile ca.key -revoke server.pem
      openssl ca -config ca.conf -cert ca.pem -keyfile ca.key -gencrl -out revoked.crl
      """)
    try #require(made.end == .exit(0), "\(made.error)")
  }

  /// Whether a record gets through; and what the plugin says.
  private func tries(
    _ server: [String], _ plugin: [String]
  ) throws -> (stored: Bool, messages: String) {
    defer { PluginRun.remove(folder) }
    let server = try SecureServer(folder, server)
    let plugin = try remote(server.configuration(plugin))
    try plugin.send(records(1...1))
    guard
      plugin.eventually({
        server.got.contains("audispatch 1 1 ")
          || plugin.messages.contains("no server takes")
            && !plugin.messages.contains("Connection refused")
      }), server.got.contains("audispatch 1 1 ")
    else { return (false, plugin.messages) }
    // It has said who it is; its records follow when that is answered.
    try server.acknowledge(1)
    guard plugin.eventually({ server.got.contains(records(1...1)[0]) }) else {
      return (false, plugin.messages)
    }
    #expect(plugin.confirmed == 0)
    // Of the connections before it, which were refused, none has used a number.
    try server.acknowledge(1)
    return (plugin.eventually { plugin.confirmed == 1 }, plugin.messages)
  }

  @Test func `sends to who has the same key, as auditd 4.2 does`() throws {
    let (stored, messages) = try tries(
      ["-tls1_3", "-nocert", "-psk", Self.key, "-psk_identity", "web1"], Self.psk)
    #expect(stored, "\(messages)")
  }

  @Test func `sends nothing to who has another key`() throws {
    let other = String(repeating: "a5", count: 32)
    let (stored, messages) = try tries(
      ["-tls1_3", "-nocert", "-psk", other, "-psk_identity", "web1"], Self.psk)
    #expect(!stored && messages.contains("TLS handshake"), "\(messages)")
  }

  @Test func `sends nothing to who has a certificate in the place of the key`() throws {
    let (stored, messages) = try tries(["-tls1_3"] + Self.plain, Self.psk)
    #expect(!stored && messages.contains("certificate"), "\(messages)")
  }

  @Test(arguments: ["-tls1_3", "-tls1_2"])
  func `sends to who has a certificate of the right authority`(version: String) throws {
    let (stored, messages) = try tries([version] + Self.plain, Self.certificates)
    #expect(stored, "\(messages)")
  }

  @Test func `sends nothing to who has that of another, or for another name`() throws {
    let (stored, messages) = try tries(
      Self.plain, Self.certificates + ["tls_name = log.example.org"])
    #expect(!stored && messages.contains("mismatch"), "\(messages)")
  }

  @Test func `sends to who is on no list of revoked certificates`() throws {
    let (stored, messages) = try tries(
      Self.plain, Self.certificates + ["tls_crl = DIR/good.crl"])
    #expect(stored, "\(messages)")
  }

  @Test func `sends nothing to whose certificate is revoked`() throws {
    let (stored, messages) = try tries(
      Self.plain, Self.certificates + ["tls_crl = DIR/revoked.crl"])
    #expect(!stored && messages.contains("certificate revoked"), "\(messages)")
  }

  @Test func `warns of a certificate of its own that ends soon`() throws {
    defer { PluginRun.remove(folder) }
    let configuration =
      "remote_server = a\ntransport = tls\ntls_cert = \(folder)/server.pem\n"
      + "tls_key = \(folder)/server.key\n"
    let file = try Descriptor.open("\(folder)/remote.conf", O_WRONLY | O_CREAT, mode: 0o600)
    try Transfer.writeAll(file.number, Array(configuration.utf8))
    let checked = try CommandRun(
      "\(PluginRun.products)/audispatch-remote", "--config", "\(folder)/remote.conf", "--check")
    // Made to end in nine days; less by now, if a second has passed.
    #expect(checked.output.contains(#/warning: the certificate ends in [89] days/#))
    #expect(checked.end == .exit(0))
  }

  @Test func `takes no key that others may read`() throws {
    defer { PluginRun.remove(folder) }
    #expect(unsafe chmod("\(folder)/psk", 0o440) == 0)
    let configuration =
      "remote_server = a\ntransport = tls\ntls_psk_file = \(folder)/psk\n"
      + "tls_psk_identity = web1\n"
    let file = try Descriptor.open("\(folder)/remote.conf", O_WRONLY | O_CREAT, mode: 0o600)
    try Transfer.writeAll(file.number, Array(configuration.utf8))
    let checked = try CommandRun(
      "\(PluginRun.products)/audispatch-remote", "--config", "\(folder)/remote.conf", "--check")
    #expect(checked.output.contains("others may have read the key"))
    #expect(checked.end == .exit(2))
  }
}
