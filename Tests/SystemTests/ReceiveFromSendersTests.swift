import Foundation
import Testing

/// audispatchd as a central host, and the real programs that send to it.
@Suite("Senders and a central host", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ReceiveFromSendersTests {
  static let key = String(repeating: "0123456789abcdef", count: 4)

  @Test func `audispatch-remote loses nothing and has nothing stored twice, whatever is killed`()
    async throws
  {
    let host = try await CentralHost(Scratch())
    let scratch = try Scratch()
    let sender = try await RemoteTests.daemon(scratch, RemoteTests.plugin(scratch, host.port))
    let events = TestEvent.stream(1..<2001, records: 2, eoe: true)
    for round in 0..<4 {
      try await sender.send(Array(events[round * 500..<(round + 1) * 500]))
      if round % 2 == 0 {
        for pid in host.receivers { kill(pid, SIGKILL) }
      } else if let plugin = try? sender.plugin("remote").pid, plugin > 0 {
        kill(pid_t(plugin), SIGKILL)
      }
    }
    try await host.expectStored(events.records.filter { !$0.contains("type=EOE ") })
    try await eventually("all is confirmed", within: .seconds(120), detail: { sender.messages }) {
      try sender.plugin("remote").queued == 0
    }
    #expect(try host.source().records == 4000)
    try await sender.finish()
    try await host.stop()
  }

  private func secureHost(_ scratch: Scratch) async throws -> CentralHost {
    let file = try scratch.write(Self.key + "\n", to: "key", mode: 0o400)
    let other = try scratch.write(String(Self.key.reversed()) + "\n", to: "other", mode: 0o400)
    return try await CentralHost(
      scratch,
      settings: [
        "tls_psk_identity = web1 web1-next", "tls_psk_file = \(file) \(other)", "peer_field = yes",
      ], source: "tls")
  }

  /// A port that nobody could be let in at is none.
  @Test func `no sender can connect while no key can be used, until a reload finds one`()
    async throws
  {
    let scratch = try Scratch()
    let file = try scratch.write("abcd\n", to: "key", mode: 0o400)
    let port = try freePort()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])],
      settings: [
        "spool_dir = \(scratch("spool"))", "spool_reserve = 0", "tls_psk_identity = web1",
        "tls_psk_file = \(file)",
      ], source: "tls:127.0.0.1:\(port)", scratch: scratch)
    try await eventually("that is said", detail: { daemon.messages }) {
      daemon.messages.contains("no other host is heard at tls:127.0.0.1:\(port)")
    }
    #expect(daemon.messages.contains("first line is not 32 bytes or more in hexadecimal"))
    #expect(!daemon.messages.contains("other hosts are heard"))
    // A receiver that has to be tried twice listens for a moment more.
    try await eventually("nobody can connect") { loopbackConnection(to: port) == nil }
    try FileManager.default.removeItem(atPath: file)
    try scratch.write(Self.key + "\n", to: "key", mode: 0o400)
    daemon.reload()
    try await eventually("it is heard", detail: { daemon.messages }) {
      daemon.messages.contains("other hosts are heard at tls:127.0.0.1:\(port)")
    }
    _ = try RawPeer(port)
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  @Test func `audispatch-remote is known over TLS by the key that it has (C18)`() async throws {
    let host = try await secureHost(Scratch())
    let scratch = try Scratch()
    let file = try scratch.write(Self.key + "\n", to: "key", mode: 0o400)
    let sender = try await RemoteTests.daemon(
      scratch,
      RemoteTests.plugin(
        scratch, host.port,
        ["transport = tls", "tls_psk_file = \(file)", "tls_psk_identity = web1"]))
    let lines = TestEvent.stream(1..<501).records
    try await sender.send(lines)
    try await host.expectStored(lines.map { $0 + " peer=web1" })
    #expect(try host.peers().first?.identity == "web1")
    try await sender.finish()
    try await host.stop()
  }

  @Test(.enabled(if: Host.has("/usr/bin/openssl"), "needs openssl"))
  func `openssl s_client is let in with a right key alone (C18)`() async throws {
    let scratch = try Scratch()
    let host = try await secureHost(scratch)
    let line = ReceiveTests.line(1)
    try Data(RawPeer.message(0, 7, line + "\n")).write(to: URL(filePath: scratch("message")))
    func connect(_ identity: String, _ key: String) async throws {
      _ = try await run(
        "/bin/sh",
        [
          "-c",
          "(cat '\(scratch("message"))'; sleep 2) | timeout 60 openssl s_client -quiet "
            + "-no_ign_eof -tls1_3 -connect 127.0.0.1:\(host.port) -psk_identity \(identity) "
            + "-psk \(key)",
        ])
    }
    try await connect("web1", String(Self.key.reversed()))
    try await connect("nobody", Self.key)
    // Bytes in the clear, and then somebody who is right.
    let plain = try host.peer()
    try plain.record(line, 1)
    // OpenSSL says that it does not understand; then it ends.
    while (try? plain.bytesCame()) == true {}
    #expect(host.stored.isEmpty)
    try await connect("web1-next", String(Self.key.reversed()))
    try await host.expectStored([line + " peer=web1-next"])
    #expect(try #require(try host.source().turned_away) == 3)
    try await host.stop()
  }
}
