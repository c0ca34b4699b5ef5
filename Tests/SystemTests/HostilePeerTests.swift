import Foundation
import Testing

/// What a peer sends is text, whatever it claims: it is taken for nothing of this host's, and does nothing
/// here.
@Suite("A hostile peer", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct HostilePeerTests {
  private static func record(_ body: String, node: String? = nil) -> String {
    (node.map { "node=\($0) " } ?? "") + "type=USER msg=audit(1700000000.000:7): " + body
  }

  @Test(arguments: ["mark", "refuse"])
  func `cannot say that another one sent its records`(policy: String) async throws {
    let host = try await CentralHost(Scratch(), settings: ["node_policy = \(policy)"])
    let peer = try host.peer()
    let long = String(repeating: "x", count: 8900)
    let forged = [
      // Those that could be taken for this host's.
      (Self.record("a=1"), Self.record("a=1 peer=127.0.0.1")),
      (Self.record("a=1\u{1d}UID=\"root\""), Self.record("a=1 peer=127.0.0.1\u{1d}UID=\"root\"")),
      // Those that say who sent them.
      (
        Self.record("a=1 peer=192.0.2.9", node: "web1"),
        Self.record("a=1 peer=192.0.2.9 peer=127.0.0.1", node: "web1")
      ),
      (
        Self.record("msg='a peer=192.0.2.9", node: "web1"),
        Self.record("msg='a peer=192.0.2.9 peer=127.0.0.1", node: "web1")
      ),
      (
        Self.record("\u{1d}peer=192.0.2.9", node: "web1"),
        Self.record(" peer=127.0.0.1\u{1d}peer=192.0.2.9", node: "web1")
      ),
      (Self.record(long), Self.record(long + " peer=127.0.0.1")),
      // One's own record, which claims nothing.
      (Self.record("a=1", node: "web1"), Self.record("a=1", node: "web1")),
    ]
    for (number, record) in forged.enumerated() { try peer.record(record.0, UInt32(number)) }
    try ReceiveTests.expectAcknowledged(peer, 0..<UInt32(forged.count))
    try await host.expectStored(forged.map(\.1))
    try await host.stop()
  }

  @Test func `cannot name itself as this host is called`() async throws {
    let host = try await CentralHost(Scratch(), settings: ["node_policy = mark"])
    let name = ProcessInfo.processInfo.hostName.prefix { $0 != "." }
    let peer = try host.peer()
    let nodes = ["\(name)", "\(name).example.org"]
    for (number, node) in nodes.enumerated() {
      try peer.record(Self.record("a=1", node: node), UInt32(number))
    }
    try ReceiveTests.expectAcknowledged(peer, 0..<2)
    try await host.expectStored(nodes.map { Self.record("a=1 peer=127.0.0.1", node: $0) })
    try await host.stop()
  }

  private static let hostile = [
    // This host's own events, in time and number, with what ends them or adds to them.
    "type=EOE msg=audit(1700000000.000:1): ",
    "type=PATH msg=audit(1700000000.000:1): item=9 name=\"/etc/shadow\"",
    // The dispatcher's and auditd's own.
    "type=DAEMON_ERR msg=audit(1700000000.000:1): op=queue-drop plugin=own dropped=9 events=9 "
      + "reason=queue_full res=failed",
    "type=DAEMON_END msg=audit(1700000000.000:2): op=terminate res=success",
    "type=DAEMON_ROTATE msg=audit(1700000000.000:3): op=rotate-logs res=success",
    "type=CONFIG_CHANGE msg=audit(1700000000.000:4): audit_enabled=0 res=1",
    // The mark by which the file integrity knows that the stream is whole.
    "type=TRUSTED_APP msg=audit(1700000000.000:5): op=integrity-mark",
  ]

  @Test(arguments: ["lossless", "syslog"])
  func `is not heard by a plugin that is for this host`(action: String) async throws {
    let scratch = try Scratch()
    let own = PluginFile(
      "own", try await Programs.plugin(), ["copy", scratch("own")], "hosts = own",
      "overflow_action = \(action)")
    let host = try await CentralHost(scratch, hasLocal: true, further: [own])
    let peer = try host.peer()
    var sequence: UInt32 = 0
    var locals: [String] = []
    for number in 1...50 {
      let line = ReceiveTests.line(number)
      try await host.daemon.send([line])
      locals.append(line)
      for text in Self.hostile {
        sequence += 1
        try peer.record(text + " n=\(sequence)", sequence)
        try ReceiveTests.expectAcknowledged(peer, [sequence])
      }
    }
    let all = locals.count + Int(sequence)
    try await eventually("all are there") { host.stored.count == all }
    try await eventually("its own are there") { scratch.lines("own").count >= 50 }
    #expect(scratch.lines("own") == locals)
    let state = try host.daemon.state().plugins
    let received = Dictionary(uniqueKeysWithValues: state.map { ($0.name, $0.received) })
    #expect(received == ["own": 50, "log": all])
    host.daemon.finishInput()
    _ = try await host.daemon.child.end()
    #expect(scratch.lines("own") == locals)
  }

  /// Neither a queue that is never read, nor one that a worker's death leaves to the next.
  @Test func `is not heard by such a plugin over the worker's death`() async throws {
    let scratch = try Scratch()
    let own = PluginFile(
      "own", try await Programs.plugin(), ["copy", scratch("own")], "hosts = own",
      "overflow_action = lossless", "restart_delay = 0.010")
    let host = try await CentralHost(scratch, hasLocal: true, further: [own])
    var number = 0
    for _ in 0..<4 {
      for _ in 0..<50 {
        number += 1
        try await host.daemon.send([ReceiveTests.line(number)])
        if let peer = try? host.peer() { try? peer.record(Self.record("n=\(number)"), 1) }
      }
      if let worker = host.daemon.worker { #expect(kill(worker, SIGKILL) == 0) }
    }
    let locals = (1...number).map { ReceiveTests.line($0) }
    try await eventually(
      "all are there", within: .seconds(120),
      detail: { "\(scratch.lines("own").count) \(host.daemon.messages)" }
    ) { Set(locals).isSubset(of: scratch.lines("own")) }
    #expect(Set(scratch.lines("own")) == Set(locals))
    host.daemon.finishInput()
    _ = try await host.daemon.child.end()
  }

  @Test(arguments: ["single", "halt"])
  func `does not set off what an overflow does to this host`(action: String) async throws {
    let scratch = try Scratch()
    try scratch.write("#!/bin/sh\necho \"$@\" >> \"$1\"\n", to: "act", mode: 0o755)
    let never = PluginFile(
      "never", try await Programs.plugin(), ["never", scratch("out")], "q_depth = 40",
      "overflow_action = \(action)")
    let host = try await CentralHost(
      scratch,
      settings: [
        "single_exe = \(scratch("act")) \(scratch("single"))",
        "halt_exe = \(scratch("act")) \(scratch("halt"))", "stop_timeout = 0.100",
      ], hasLocal: true, further: [never])
    // A plugin that reads nothing holds up to its socket's room, too.
    let fill = " " + String(repeating: "x", count: 8000)
    let flood = (1...200).flatMap {
      RawPeer.message(0, UInt32($0), ReceiveTests.line($0) + fill + "\n")
    }
    for _ in 0..<5 {
      let peer = try host.peer()
      try? peer.say(flood)
      while let reply = try? peer.reply(), reply.type == ReceiveTests.acknowledgement {}
    }
    try await eventually("they are told to keep them", detail: { host.daemon.messages }) {
      host.daemon.messages.contains("keep their records: the queue of plugin never is half full")
    }
    #expect(try host.source().held?.contains("no other host is to set off") == true)
    #expect(!scratch.exists(action))
    #expect(host.stored.count < 1000)
    // This host's own do.
    try await host.daemon.send((1...100).map { ReceiveTests.line($0) + fill })
    try await eventually("it is executed") { scratch.exists(action) }
    host.daemon.child.signal(SIGTERM)
    _ = try await host.daemon.child.end()
  }

  @Test func `that only connects keeps nobody out`() async throws {
    let host = try await CentralHost(
      Scratch(), settings: ["max_connections = 10", "tcp_max_per_addr = 64"])
    let good = try host.peer()
    try good.record(ReceiveTests.line(1), 1)
    try ReceiveTests.expectAcknowledged(good, [1])
    let silent = try (0..<40).map { _ in try host.peer() }
    // All that there may be, and one more: from another address.
    for number in 2...5 {
      let number32 = UInt32(number)
      let next = RawPeer(
        owning: try #require(loopbackConnection(to: host.port, from: "127.0.0.\(number)")))
      try next.record(ReceiveTests.line(number), number32)
      try ReceiveTests.expectAcknowledged(next, [number32])
    }
    // Who has said something keeps its place.
    try good.record(ReceiveTests.line(6), 6)
    try ReceiveTests.expectAcknowledged(good, [6])
    try await host.expectStored((1...6).map { ReceiveTests.line($0) })
    try await eventually("it is said", detail: { host.daemon.messages }) {
      host.daemon.messages.contains("gave its place to another peer")
    }
    withExtendedLifetime(silent) {}
    try await host.stop()
  }

  @Test(.enabled(if: Host.has("/usr/bin/openssl"), "needs openssl"))
  func `that never shakes hands keeps nobody out`() async throws {
    let scratch = try Scratch()
    let key = String(repeating: "a1", count: 32)
    try scratch.write(key + "\n", to: "key", mode: 0o400)
    let host = try await CentralHost(
      scratch,
      settings: [
        "tls_psk_identity = web1", "tls_psk_file = \(scratch("key"))", "tcp_max_per_addr = 1000",
      ], source: "tls")
    for round in 1...3 {
      let silent = try (0..<100).map { _ in try host.peer() }
      let peer = try SecurePeer(host, ["-tls1_3", "-psk_identity", "web1", "-psk", key])
      #expect(try peer.isStored(round, node: "web1"))
      withExtendedLifetime(silent) {}
    }
    try await host.stop()
  }

  /// A sender's repeat is known though another peer has named thousands of nodes since.
  @Test func `has no other's records forgotten`() async throws {
    let host = try await CentralHost(Scratch())
    let first = try host.peer()
    try first.say(RawPeer.message(1, 1, "audispatch 1 1 web1/remote"))
    _ = try first.reply()
    try first.record(ReceiveTests.line(1), 1)
    try ReceiveTests.expectAcknowledged(first, [1])
    let hostile = RawPeer(
      owning: try #require(loopbackConnection(to: host.port, from: "127.0.0.9")))
    var stored = [ReceiveTests.line(1)]
    for block in 0..<13 {
      let lines = (0..<100).map { ReceiveTests.line($0, node: "n\(block * 100 + $0)") }
      try hostile.say(
        lines.enumerated().flatMap { RawPeer.message(0, UInt32($0.offset), $0.element + "\n") })
      try ReceiveTests.expectAcknowledged(hostile, 0..<100)
      stored += lines
    }
    let again = try host.peer()
    try again.say(RawPeer.message(1, 1, "audispatch 1 1 web1/remote"))
    #expect(try again.reply()?.text == "audispatch 1 has 1")
    try again.record(ReceiveTests.line(1), 1)
    try again.record(ReceiveTests.line(2), 2)
    try ReceiveTests.expectAcknowledged(again, [1, 2])
    try await host.expectStored(stored + [ReceiveTests.line(2)])
    #expect(try host.source().duplicates == 1)
    let senders = try #require(try RemoteReport(host.daemon).senders)
    #expect(senders.remembered == 1024 && senders.forgotten == 1301 - 1024)
    #expect(host.daemon.messages.contains("others was forgotten"))
    try await host.stop()
  }

  @Test func `says who it is once`() async throws {
    let host = try await CentralHost(Scratch())
    let peer = try host.peer()
    var texts: [String?] = []
    for name in ["a/remote", "b/remote", "a/remote"] {
      try peer.say(RawPeer.message(1, 1, "audispatch 1 1 \(name)"))
      texts.append(try peer.reply()?.text)
    }
    #expect(texts == ["audispatch 1 has nothing", "", ""])
    try peer.record(ReceiveTests.line(1), 1)
    try ReceiveTests.expectAcknowledged(peer, [1])
    let next = try host.peer()
    try next.say(RawPeer.message(1, 1, "audispatch 1 1 a/remote"))
    #expect(try next.reply()?.text == "audispatch 1 has 1")
    try await host.stop()
  }
}
