import Foundation
import Synchronization
import Testing

/// Which peers audispatchd takes as a central host, and what it lets them do.
@Suite("Other hosts", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct PeerPolicyTests {
  @Test func `of one that reads no answer hold up nobody, and are bounded (C13)`() async throws {
    let host = try await CentralHost(Scratch())
    let deaf = try host.peer()
    let (block, blocks) = (1000, 400)
    let flood = (1...block).flatMap {
      RawPeer.message(0, UInt32($0), ReceiveTests.line($0) + "\n")
    }
    let written = Atomic(0)
    // It waits while it writes, for which a task has to find a thread that no other test holds: that
    // may take longer than a peer may say nothing.
    Thread.detachNewThread { [number = deaf.number] in
      for _ in 0..<blocks {
        guard RawPeer.write(flood, to: number) else { return }
        written.add(1, ordering: .relaxed)
      }
    }
    let good = try host.peer()
    for number in 1...5 {
      try good.record(ReceiveTests.line(1_000_000 + number), UInt32(number))
      try ReceiveTests.expectAcknowledged(good, [UInt32(number)])
    }
    // Nothing more is read of it, and what was read is little.
    var last = -1
    try await eventually("it is held up") {
      defer { last = written.load(ordering: .relaxed) }
      try await Task.sleep(for: .seconds(1))
      return written.load(ordering: .relaxed) == last
    }
    #expect(last < blocks)
    let receiver = try #require(host.receivers.first)
    #expect(try ownMemory(of: receiver) < 16 << 10)
    // It reads at last, before it counts as gone: no answer is missing.
    for number in 0..<block * blocks {
      let reply = try deaf.reply()
      guard reply?.sequence == UInt32(number % block + 1) else {
        Issue.record("\(String(describing: reply)), not \(number)")
        break
      }
    }
    try await eventually("all are there") { host.stored.count == block * blocks + 5 }
    #expect(try ownMemory(of: receiver) < 16 << 10)
    try await host.stop()
  }

  @Test func `never have a local effect (C14)`() async throws {
    let host = try await CentralHost(Scratch())
    let lines = ["ROTATE", "CONFIG", "END", "RECONFIG", "ABORT"].enumerated().map {
      "type=DAEMON_\($0.element) msg=audit(1700000000.000:\($0.offset)): op=x res=success"
    }
    let peer = try host.peer()
    for (number, line) in lines.enumerated() { try peer.record(line, UInt32(number)) }
    try ReceiveTests.expectAcknowledged(peer, 0..<5)
    try await host.expectStored(lines)
    try peer.record(ReceiveTests.line(9), 9)
    try ReceiveTests.expectAcknowledged(peer, [9])
    try await host.stop()
  }

  @Test func `of a hundred at once are all served, beside one that says nothing (C17)`()
    async throws
  {
    let host = try await CentralHost(Scratch(), settings: ["tcp_max_per_addr = 200"])
    let silent = try host.peer()
    let peers = try (0..<100).map { _ in try host.peer() }
    for (number, peer) in peers.enumerated() { try peer.record(ReceiveTests.line(number), 1) }
    for peer in peers { try ReceiveTests.expectAcknowledged(peer, [1]) }
    try await eventually("all are there") { host.stored.count == 100 }
    #expect(Set(host.stored) == Set((0..<100).map { ReceiveTests.line($0) }))
    #expect(try host.source().peers == 101)
    withExtendedLifetime(silent) {}
    try await host.stop()
  }

  @Test func `may be more after a reload than there could be at the start`() async throws {
    let settings = ["tcp_max_per_addr = 200", "max_connections = 1"]
    let host = try await CentralHost(Scratch(), settings: settings)
    let first = try host.peer()
    try first.record(ReceiveTests.line(0), 1)
    try ReceiveTests.expectAcknowledged(first, [1])
    #expect(try host.peer().isEnded())
    let files = host.daemon.files
    let text = try String(contentsOfFile: files.configuration, encoding: .utf8)
    try text.replacingOccurrences(of: "max_connections = 1", with: "max_connections = 150")
      .write(toFile: files.configuration, atomically: true, encoding: .utf8)
    host.daemon.reload()
    try await eventually("another one is taken") {
      let peer = try host.peer()
      try? peer.say(RawPeer.message(1, 1))
      return (try? peer.reply()) != nil
    }
    let peers = try (1...149).map { _ in try host.peer() }
    for (number, peer) in peers.enumerated() { try peer.record(ReceiveTests.line(number + 1), 1) }
    for peer in peers { try ReceiveTests.expectAcknowledged(peer, [1]) }
    #expect(!host.daemon.messages.contains("cannot accept"))
    try await host.stop()
  }

  @Test func `are taken of allowed networks and ports alone`() async throws {
    for settings in [
      ["allowed_networks = 192.0.2.0/24 2001:db8::/32"], ["tcp_client_ports = 1-99"],
    ] {
      let host = try await CentralHost(Scratch(), settings: settings)
      #expect(try host.peer().isEnded())
      try await eventually("it is said", detail: { host.daemon.messages }) {
        host.daemon.messages.contains("127.0.0.1 is not served: ")
      }
      #expect(try host.source().turned_away == 1)
      try await host.stop()
    }
  }

  @Test func `are taken of the last of many networks`() async throws {
    let others = (0..<1200).map { "192.0.\($0 % 250).\(100 + $0 / 250)/32" }
    let host = try await CentralHost(
      Scratch(),
      settings: ["allowed_networks = \((others + ["127.0.0.0/8"]).joined(separator: " "))"])
    let peer = try host.peer()
    try peer.record(ReceiveTests.line(1), 1)
    try ReceiveTests.expectAcknowledged(peer, [1])
    try await host.stop()
  }

  @Test(arguments: ["accept", "mark", "refuse"])
  func `that claim another host's node are accepted, marked or refused`(policy: String) async throws
  {
    let host = try await CentralHost(
      Scratch(), settings: ["node_policy = \(policy)", "name_format = user", "name = here"])
    let peer = try host.peer()
    try peer.record(ReceiveTests.line(1, node: "web1"), 1)
    try peer.record(ReceiveTests.line(2, node: "here"), 2)
    // Whoever reads these finds the node, too.
    try peer.record(" " + ReceiveTests.line(3, node: "here"), 3)
    try peer.record("Nov 28 12:00:00 x y: " + ReceiveTests.line(4, node: "here"), 4)
    try peer.record(ReceiveTests.line(5, node: "web1"), 5)
    try ReceiveTests.expectAcknowledged(peer, 1...5)
    let claimed = [
      ReceiveTests.line(2, node: "here"), " " + ReceiveTests.line(3, node: "here"),
      ReceiveTests.line(4, node: "here"),
    ]
    let expected: [String] =
      switch policy {
      case "accept": claimed
      case "mark": claimed.map { $0 + " peer=127.0.0.1" }
      default: []
      }
    try await host.expectStored(
      [ReceiveTests.line(1, node: "web1")] + expected + [ReceiveTests.line(5, node: "web1")])
    #expect(try host.source().refused == (policy == "refuse" ? 3 : 0))
    try await host.stop()
  }

  /// While a key is changed a host's records come with the old one and with the new one.
  @Test(.enabled(if: Host.has("/usr/bin/openssl"), "needs openssl"))
  func `with either of a node's two keys may name that node, and nobody else`() async throws {
    let scratch = try Scratch()
    let names = ["web1", "web1-next", "web2"]
    let keys = ["a1", "b2", "c3"].map { String(repeating: $0, count: 32) }
    for (name, key) in zip(names, keys) { try scratch.write(key + "\n", to: name, mode: 0o400) }
    let nodes = "tls_psk_node = web1 web1 web2"
    let host = try await CentralHost(
      scratch,
      settings: [
        "node_policy = refuse", "tls_psk_identity = \(names.joined(separator: " "))",
        "tls_psk_file = \(names.map { scratch($0) }.joined(separator: " "))", nodes,
      ], source: "tls")
    let peers = try zip(names, keys).map { name, key in
      try SecurePeer(host, ["-tls1_3", "-psk_identity", name, "-psk", key])
    }
    for (number, peer) in peers.enumerated() {
      #expect(try peer.isStored(number + 1, node: "web1"))
    }
    #expect(try host.source().refused == 1)
    // What the key is called is the node where nothing else is said; a reload is enough for that.
    let file = host.daemon.files.configuration
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try text.replacing(nodes, with: "").write(toFile: file, atomically: false, encoding: .utf8)
    host.daemon.reload()
    try await eventually("it was read", detail: { host.daemon.messages }) {
      host.daemon.messages.contains("configuration read again")
    }
    #expect(try peers[1].isStored(4, node: "web1"))
    #expect(try peers[1].isStored(5, node: "web1-next"))
    try await host.expectStored(
      [
        ReceiveTests.line(1, node: "web1"), ReceiveTests.line(2, node: "web1"),
        ReceiveTests.line(5, node: "web1-next"),
      ])
    #expect(try host.source().refused == 2)
    try await host.stop()
  }

  /// They have the same times and serial numbers, and none names its node.
  @Test func `have events of their own, over their connections`() async throws {
    let host = try await CentralHost(Scratch(), hasLocal: true)
    func peer(_ name: String?, from address: String) throws -> RawPeer {
      let peer = RawPeer(owning: try #require(loopbackConnection(to: host.port, from: address)))
      guard let name else { return peer }
      try peer.say(RawPeer.message(1, 1, "audispatch 1 1 \(name)"))
      _ = try peer.reply()
      return peer
    }
    func line(_ number: Int) -> String {
      "type=PATH msg=audit(1700000000.000:7): item=\(number) name=\"/\""
    }
    var peers = [
      try peer(nil, from: "127.0.0.1"), try peer(nil, from: "127.0.0.2"),
      try peer("a/remote#1", from: "127.0.0.3"), try peer("b/remote#2", from: "127.0.0.3"),
    ]
    for round in 1...2 {
      for (place, peer) in peers.enumerated() {
        try peer.record(line(10 * round + place), UInt32(round))
        try ReceiveTests.expectAcknowledged(peer, [UInt32(round)])
      }
      try await host.daemon.send([line(10 * round + 9)])
    }
    // Another process of a sender goes on with its event.
    peers[2] = try peer("a/remote#3", from: "127.0.0.3")
    try peers[2].record(line(32), 3)
    try ReceiveTests.expectAcknowledged(peers[2], [3])
    try await eventually("all are there") { host.stored.count == 11 }
    #expect(try RemoteReport(host.daemon).sources.map(\.events) == [1, 4])
    host.daemon.finishInput()
    try await host.daemon.ended(sent: 11)
  }

  @Test func `get their peer's address where that is asked for`() async throws {
    let host = try await CentralHost(Scratch(), settings: ["peer_field = yes"])
    let peer = try host.peer()
    try peer.record(ReceiveTests.line(1), 1)
    try ReceiveTests.expectAcknowledged(peer, [1])
    try await host.expectStored([ReceiveTests.line(1) + " peer=127.0.0.1"])
    try await host.stop()
  }
}

/// KiB of memory that no other process has.
private func ownMemory(of pid: pid_t) throws -> Int {
  let status = String(decoding: contents("/proc/\(pid)/status"), as: UTF8.self)
  return try #require(status.firstMatch(of: #/RssAnon:\s+(\d+)/#).flatMap { Int($0.1) })
}
