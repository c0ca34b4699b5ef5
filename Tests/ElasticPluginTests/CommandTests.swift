import Foundation
import Glibc
import Linux
import PluginHarness
import Shipping
import TestSupport
import Testing

@testable import audispatch_elastic

@Suite("audispatch-elastic setup and test", .onThreads)
struct CommandTests {
  private static let program = "\(PluginRun.products)/audispatch-elastic"

  private func run(_ server: StandInIndex, _ arguments: String...) throws -> CommandRun {
    try CommandRun([Self.program, "--server", server.url] + arguments)
  }

  @Test(
    arguments: [
      ("7.17.9", nil, "flattened"), ("8.19.0", nil, "flattened"), ("9.1.0", nil, "flattened"),
      ("1.3.0", "opensearch", "object"), ("2.7.0", "opensearch", "flat_object"),
      ("3.0.0", "opensearch", "flat_object"),
    ] as [(String, String?, String)])
  func `make a data stream whose mapping cannot be filled`(
    _ version: String, _ distribution: String?, _ type: String
  ) throws {
    let server = try StandInIndex()
    try server.set(["version": version, "distribution": distribution as Any? ?? NSNull()])
    let made = try run(server, "setup", "--pipeline", "audit")
    #expect(made.end == .exit(0), "\(made.error)")
    #expect(made.output.contains("the data stream logs-audispatch-default is made"))
    let report = try server.ask([:])
    let templates = report["templates"] as? [String: [String: Any]]
    let template = try #require(
      templates?["logs-audispatch-default"]?["template"] as? [String: Any])
    let mappings = template["mappings"] as? [String: Any]
    let fields = mappings?["properties"] as? [String: [String: Any]]
    let audit = fields?["auditd"]?["properties"] as? [String: [String: Any]]
    #expect(audit?["data"]?["type"] as? String == type)
    #expect(type != "object" || audit?["data"]?["dynamic"] as? Bool == false)
    #expect((report["pipelines"] as? [String: Any])?["audit"] != nil)
    // Once more: all is there.
    let again = try run(server, "setup", "--pipeline", "audit")
    #expect(again.end == .exit(0))
    #expect(again.output.contains("the data stream logs-audispatch-default is there"))
    #expect(again.output.contains("the pipeline audit is there"))
    // And it takes documents.
    let tested = try run(server, "test")
    #expect(tested.end == .exit(0), "\(tested.error)")
    #expect(tested.output.contains("read back: audispatch-elastic-test:"))
  }

  @Test func `make an index`() throws {
    let server = try StandInIndex()
    for word in ["is made", "is there"] {
      let made = try run(server, "setup", "--index", "audit", "--refused-index", "other")
      #expect(made.end == .exit(0), "\(made.error)")
      #expect(made.output.contains("the index audit \(word)"))
      #expect(made.output.contains("the index other \(word)"))
    }
    #expect(try run(server, "test", "--index", "audit").end == .exit(0))
  }

  @Test func `say why they could not`() throws {
    let server = try StandInIndex()
    try server.set(["version": "7.8.0"])
    let old = try run(server, "setup")
    #expect(old.end == .exit(1))
    #expect(old.error.contains("Elasticsearch 7.8 has no data streams"))
    try server.set(["authorization": "Bearer x", "version": "8.0.0"])
    for command in ["setup", "test"] {
      let refused = try run(server, command)
      #expect(refused.end == .exit(1))
      #expect(refused.error.contains("status 401: security_exception: missing credentials"))
    }
    try server.set(["authorization": NSNull(), "refuse_always": "a test by"])
    let refused = try run(server, "test", "--index", "audit")
    #expect(refused.end == .exit(1))
    #expect(refused.error.contains("the document is refused: status 400: mapper_exception"))
    let nobody = try CommandRun(Self.program, "--server", "http://127.0.0.1:1", "setup")
    #expect(nobody.end == .exit(1))
    #expect(nobody.error.contains("http://127.0.0.1:1: "))
    let typo = try CommandRun(Self.program, "--server", server.url, "setpu")
    #expect(typo.end == .exit(2))
    #expect(typo.error.contains("did you mean 'setup'?"))
  }

  @Test(arguments: ["setup", "test"])
  func `show nothing of a server that a terminal would obey, and not much`(
    _ command: String
  ) throws {
    let server = try Loopback(stream: true, waiting: 8)
    let run = try PluginRun(
      "audispatch-elastic",
      [
        "--config", "/dev/null", "--server", "http://127.0.0.1:\(server.port)", "--refused-file",
        "none", command,
      ], environment: [])
    let connection = server.accept()
    _ = connection.hear(4096)
    let long = String(repeating: "x\u{202e}", count: 50_000)
    let body = #"{"error":{"type":"\u001b[2Jtype","reason":"why\nerror: \#(long)"},"status":400}"#
    let head = "HTTP/1.1 400 Bad\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
    try Transfer.writeAll(connection.number, Array((head + body).utf8))
    #expect(run.end() == .exit(1))
    #expect(run.messages.contains(#"\x1B[2Jtype: why\x0Aerror: x"#), "\(run.messages)")
    #expect(run.messages.utf8.count < 10_000)
    #expect(isHarmless(run.messages) && run.lines("err").count == 1, "\(run.messages)")
  }

  @Test func `fail with one line, and what we advise`() throws {
    let failure = CommandFailure(
      description: "no: \u{1b}[2J\nyes" + String(repeating: "x", count: 5000),
      advice: "do this:\n  that")
    #expect(failure.description.hasPrefix("no: \\x1B[2J\\x0Ayesxx"))
    #expect(failure.description.hasSuffix("xx…\ndo this:\n  that"))
    #expect(failure.description.count < 3000)
  }

  @Test func `send who we are, over TLS, with certificates on both sides`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let keys = try CommandRun(
      "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
      "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
      "subjectAltName=IP:127.0.0.1", "-keyout", "\(folder)/key", "-out", "\(folder)/certificate")
    try #require(keys.end == .exit(0), "\(keys.error)")
    let token = try Descriptor.open("\(folder)/token", O_WRONLY | O_CREAT, mode: 0o400)
    try Transfer.writeAll(token.number, Array("secret\n".utf8))
    let server = try StandInIndex([
      "--certificate", "\(folder)/certificate", "--key", "\(folder)/key", "--client-authority",
      "\(folder)/certificate",
    ])
    try server.set(["authorization": "Bearer secret"])
    let ours = ["--tls-cert", "\(folder)/certificate", "--tls-key", "\(folder)/key"]
    let trusted = ["--tls-ca", "\(folder)/certificate", "--token-file", "\(folder)/token"]
    let arguments = [Self.program, "--server", server.url, "test", "--index", "audit"]
    let good = try CommandRun(arguments + trusted + ours)
    #expect(good.end == .exit(0), "\(good.error)")
    // Nobody vouches for the server; the server does not know us.
    for wrong in [ours, trusted] {
      let refused = try CommandRun(arguments + wrong)
      #expect(refused.end == .exit(1))
      #expect(refused.error.contains(server.url), "\(refused.error)")
    }
    #expect(try server.count() == 1)
  }

  /// The authority that the server has its certificate from is one of the host's, and not the one that
  /// is named.
  @Test(.enabled(if: geteuid() == 0, "a mount of one's own is needed"))
  func `believe only the authority that is named`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    for name in ["server", "other"] {
      let keys = try CommandRun(
        "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-addext",
        "subjectAltName=IP:127.0.0.1", "-keyout", "\(folder)/\(name).key", "-out",
        "\(folder)/\(name).pem")
      try #require(keys.end == .exit(0), "\(keys.error)")
    }
    let server = try StandInIndex([
      "--certificate", "\(folder)/server.pem", "--key", "\(folder)/server.key",
    ])
    // The host's authorities, by their names' hashes: the server's alone.
    let host = "\(folder)/host"
    let made = try CommandRun(
      "/bin/sh", "-c",
      "mkdir \(host) && cp \(folder)/server.pem \(host)/"
        + "$(openssl x509 -hash -noout -in \(folder)/server.pem).0")
    try #require(made.end == .exit(0), "\(made.error)")
    func test(_ authority: String) throws -> CommandRun {
      try CommandRun(
        "/usr/bin/unshare", "-m", "/bin/sh", "-c",
        "mount --bind \(host) /etc/ssl/certs && exec \"$@\"", "sh", Self.program, "--server",
        server.url, "--index", "audit", "--tls-ca", "\(folder)/\(authority).pem", "test")
    }
    let right = try test("server")
    #expect(right.end == .exit(0), "\(right.error)")
    let wrong = try test("other")
    #expect(wrong.end == .exit(1))
    #expect(wrong.error.contains("certificate"), "\(wrong.error)")
  }
}
