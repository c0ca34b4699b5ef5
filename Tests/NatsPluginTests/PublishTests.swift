import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_nats

@Suite("audispatch-nats", .onThreads, .enabled(if: NatsServer.isHere, "\(NatsServer.why)"))
struct PublishTests {
  @Test func `stores each event once, in order, and confirms it`() throws {
    let server = try NatsServer()
    try server.makeStream()
    let run = try nats(server, ["batch_messages = 7"])
    try run.send(records(1...100))
    #expect(run.eventually { run.confirmed == 100 }, "\(run.messages)")
    #expect(try server.ids() == inOrder(1...100))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("stored", in: run.messages) == 100, "\(run.messages)")
    #expect(figure("already_there", in: run.messages) == 0)
  }

  @Test func `has subjects of node and action, and an id for each`() throws {
    let server = try NatsServer()
    try server.makeStream()
    let run = try nats(server)
    try run.send(
      openedFile + ["type=UNKNOWN[9999] msg=audit(1700000001.000:6): x=1"])
    run.endInput()
    #expect(run.eventually { run.confirmed == 4 }, "\(run.messages)")
    let first = try server.message(1)
    #expect(first.subject == "audit.web_example_org.opened-file")
    let id = "web.example.org:1700000000.123:5"
    #expect(first.headers.contains("Nats-Msg-Id: \(id)\r\n"), "\(first.headers)")
    #expect((first.body["event"] as? [String: Any])?["id"] as? String == id)
    let second = try server.message(2).subject
    #expect(second.hasPrefix("audit.host."), "\(second)")
  }

  @Test func `waits for a server that is not there, and for a stream`() throws {
    let server = try NatsServer()
    server.kill()
    let run = try nats(server)
    try run.send(records(1...20))
    #expect(run.await("messages wait here", in: "err"))
    try server.start()
    #expect(run.await("there is no stream AUDIT: audispatch-nats setup makes it", in: "err"))
    #expect(run.confirmed == 0)
    try server.makeStream()
    #expect(run.eventually { run.confirmed == 20 }, "\(run.messages)")
    #expect(run.await("messages are stored again", in: "err"))
    #expect(try server.ids() == inOrder(1...20))
  }

  @Test func `puts aside what no stream takes, and goes on`() throws {
    let server = try NatsServer("max_payload: 8192")
    try server.makeStream()
    let run = try nats(server, ["original = yes"])
    let large = record(4, " fill=\(String(repeating: "x", count: 7000))")
    try run.send(records(1...3) + [large] + records(5...9))
    #expect(run.eventually { run.confirmed == 9 }, "\(run.messages)")
    #expect(try server.ids() == inOrder(1...3) + inOrder(5...9))
    let line = try #require(run.lines("refused").first)
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    #expect(object?["id"] as? String == "host:1700000000.000:4")
    #expect(run.messages.contains("message host:1700000000.000:4 is refused and goes to"))
    #expect(run.messages.contains(": it is larger than the server or the stream takes"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("refused", in: run.messages) == 1)
  }

  @Test func `waits where the stream is full, and keeps the order`() throws {
    let server = try NatsServer()
    try server.makeStream(StreamState(window: .seconds(60), maxBytes: 20_000))
    let run = try nats(server, ["batch_messages = 10"])
    try run.send(records(1...200))
    #expect(run.await("maximum bytes exceeded", in: "err"), "\(run.messages)")
    #expect(run.confirmed < 200)
    try server.bound(bytes: -1)
    #expect(run.eventually { run.confirmed == 200 }, "\(run.messages)")
    #expect(try server.ids() == inOrder(1...200))
  }

  @Test func `goes to another server after a reload`() throws {
    let (one, other) = (try NatsServer(), try NatsServer())
    one.kill()
    try other.makeStream()
    let usual = ["node = host", "retry_time = 0.05", "refused_file = none"]
    let run = try PluginRun.reading(usual + ["server = \(one.url)"], "audispatch-nats")
    try run.send(records(1...5))
    #expect(run.await("messages wait here", in: "err"))
    try run.reload(usual + ["server = \(other.url)"])
    #expect(run.eventually { run.confirmed == 5 }, "\(run.messages)")
    #expect(try other.ids() == inOrder(1...5))
  }

  @Test func `ends in time though a server says nothing`() throws {
    let silent = try Loopback(stream: true, waiting: 16)
    let run = try PluginRun(
      "audispatch-nats",
      PluginHarness.options([
        "server = nats://127.0.0.1:\(silent.port)", "node = host", "connect_time = 60",
        "refused_file = none",
      ]), first: 1)
    try run.send(records(1...5))
    Pause.nanoseconds(300_000_000)
    let began = Moment.now
    run.signal(SIGTERM)
    #expect(run.end() == .exit(0))
    #expect(Moment.now - began < .seconds(5))
    #expect(run.messages.contains("ends before 5 messages were stored"), "\(run.messages)")
  }

  @Test func `says that a server stands still that takes no bytes, and goes on with it`() throws {
    let server = try NatsServer()
    try server.makeStream()
    // More than sockets hold.
    let run = try nats(
      server,
      [
        "batch_bytes = 14M", "batch_messages = 1200", "flush_interval = 10", "original = yes",
        "answer_time = 1",
      ])
    try run.send(records(1...1200, " fill=\(String(repeating: "x", count: 5000))"))
    #expect(run.eventually { run.confirmed == 1200 }, "\(run.messages)")
    server.stand(still: true)
    try run.send(records(1201...2400, " fill=\(String(repeating: "x", count: 5000))"))
    #expect(run.await("messages wait here", in: "err"))
    server.stand(still: false)
    #expect(run.eventually { run.confirmed == 2400 }, "\(run.messages)")
    #expect(try server.ids() == inOrder(1...2400))
  }

  @Test func `ends in time though a server never says what the stream is`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let (server, user) = try NatsServer.denying(
      ["$JS.API.STREAM.INFO.>"], folder)
    let run = try nats(server, user + ["answer_time = 60"])
    try run.send(records(1...5))
    Pause.nanoseconds(500_000_000)
    let began = Moment.now
    run.signal(SIGTERM)
    #expect(run.end() == .exit(0))
    #expect(Moment.now - began < .seconds(5))
    #expect(run.messages.contains("ends before 5 messages were stored"), "\(run.messages)")
  }

  @Test func `says who we are`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    try TestFolder.write("s3cret\n", to: "\(folder)/secret", mode: 0o400)
    let program = "\(PluginRun.products)/audispatch-nats"
    let ways: [(String, [String])] = [
      (
        #"authorization { user: me, password: s3cret }"#,
        ["--user", "me", "--password-file", "\(folder)/secret"]
      ),
      (#"authorization { token: s3cret }"#, ["--token-file", "\(folder)/secret"]),
    ]
    for (configuration, arguments) in ways {
      let server = try NatsServer(configuration)
      let usual = [program, "--server", server.url, "--refused-file", "none"]
      let wrong = try CommandRun(usual + ["setup"])
      #expect(wrong.end == .exit(1))
      #expect(wrong.error.contains("uthorization"), "\(wrong.error)")
      for command in ["setup", "test"] {
        let good = try CommandRun(usual + arguments + [command])
        #expect(good.end == .exit(0), "\(good.error)")
      }
    }
  }

  @Test func `says who we are with a file as nsc writes it`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Programs/credentials.py").path
    let made = try CommandRun("/usr/bin/python3", program, folder)
    try #require(made.end == .exit(0), "\(made.error)")
    let configuration = try Transfer.contents(of: "\(folder)/server.conf", limit: 1 << 20)
    let server = try NatsServer(String(decoding: configuration, as: UTF8.self))
    let usual = [
      "\(PluginRun.products)/audispatch-nats", "--server", server.url, "--refused-file", "none",
    ]
    for command in ["setup", "test"] {
      let good = try CommandRun(
        usual + ["--credentials-file", "\(folder)/user.creds", command])
      #expect(good.end == .exit(0), "\(good.error)")
    }
    let wrong = try CommandRun(usual + ["test"])
    #expect(wrong.end == .exit(1))
    unsafe chmod("\(folder)/user.creds", 0o644)
    let open = try CommandRun(
      usual + ["--credentials-file", "\(folder)/user.creds", "test"])
    #expect(open.end == .exit(2))
    #expect(open.error.contains("others may have read"), "\(open.error)")
  }

  @Test func `works over TLS, with certificates on both sides`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let keys = try CommandRun(
      "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
      "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
      "subjectAltName=IP:127.0.0.1", "-keyout", "\(folder)/key", "-out", "\(folder)/certificate")
    try #require(keys.end == .exit(0), "\(keys.error)")
    let server = try NatsServer(
      """
      tls { cert_file: "\(folder)/certificate", key_file: "\(folder)/key",
            ca_file: "\(folder)/certificate", verify: true }
      """)
    let program = "\(PluginRun.products)/audispatch-nats"
    let usual = [
      program, "--server", server.url.replacing("nats:", with: "tls:"), "--refused-file", "none",
    ]
    let trusted = ["--tls-ca", "\(folder)/certificate"]
    let ours = ["--tls-cert", "\(folder)/certificate", "--tls-key", "\(folder)/key"]
    for command in ["setup", "test"] {
      let good = try CommandRun(usual + trusted + ours + [command])
      #expect(good.end == .exit(0), "\(good.error)")
    }
    for wrong in [trusted, ours] {
      let refused = try CommandRun(usual + wrong + ["test"])
      #expect(refused.end == .exit(1))
      #expect(refused.error.contains("cannot connect"), "\(refused.error)")
    }
    // The server's authority is one of the host's, and not the one that is named.
    let other = try CommandRun(
      "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
      "-nodes", "-days", "2", "-subj", "/CN=other", "-keyout", "\(folder)/other.key", "-out",
      "\(folder)/other")
    try #require(other.end == .exit(0), "\(other.error)")
    let host = ["/usr/bin/env", "SSL_CERT_FILE=\(folder)/certificate"]
    let unnamed = try CommandRun(host + usual + ours + ["test"])
    #expect(unnamed.end == .exit(0), "\(unnamed.error)")
    let named = try CommandRun(host + usual + ours + ["--tls-ca", "\(folder)/other", "test"])
    #expect(named.end == .exit(1))
    #expect(named.error.contains("cannot connect"), "\(named.error)")
  }
}
