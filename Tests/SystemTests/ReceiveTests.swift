import Foundation
import Linux
import TestSupport
import Testing

/// audispatchd as a central host, with peers whose bytes the test says. C1 to C18 are the cases of how
/// audisp-remote behaves, and how collectors lose records.
@Suite("Records of other hosts", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ReceiveTests {
  static let acknowledgement: UInt32 = 0x4000_0000
  static let ending: UInt32 = 0x4000_0001

  static func line(_ number: Int, node: String? = nil) -> String {
    (node.map { "node=\($0) " } ?? "")
      + "type=USER msg=audit(1700000000.000:\(number)): n=\(number)"
  }

  static func expectAcknowledged(
    _ peer: RawPeer, _ sequences: some Sequence<UInt32>,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    for sequence in sequences {
      let reply = try peer.reply()
      #expect(
        reply == RawPeer.Reply(type: Self.acknowledgement, sequence: sequence, text: ""),
        sourceLocation: location)
    }
  }

  @Test(arguments: ["lossless", "spill", "syslog"])
  func `are stored as they are, and acknowledged with their numbers (C1)`(action: String)
    async throws
  {
    let host = try await CentralHost(Scratch(), keywords: "overflow_action = \(action)")
    let peer = try host.peer()
    try peer.say(RawPeer.message(1, 0))
    try Self.expectAcknowledged(peer, [0])
    let lines = ["node=web1 " + Self.line(1) + "\u{1d}UID=\"root\"", Self.line(2)]
    try peer.record(lines[0], 7)
    try peer.record(lines[1], .max)
    try peer.say(RawPeer.message(1, 8))
    try Self.expectAcknowledged(peer, [7, .max, 8])
    try await host.expectStored(lines)
    let source = try host.source()
    #expect(source.records == 2 && source.peers == 1 && source.duplicates == 0)
    let known = try #require(try host.peers().first)
    #expect(known.address == "127.0.0.1" && known.connections == 1 && known.connected_since > 0)
    #expect(known.records == 2 && known.acknowledged == 2 && known.behind == 0)
    try await host.stop()
  }

  @Test func `come whole however their bytes are cut, and of every length (C2, C3)`() async throws {
    let host = try await CentralHost(Scratch())
    let peer = try host.peer()
    let head = "type=USER msg=audit(1700000000.001:1): n="
    let lines =
      (1...5).map { Self.line($0) }
      + [8960, 8969].map { head + String(repeating: "x", count: $0 - head.utf8.count - 1) }
    let first = (0..<5).flatMap { RawPeer.message(0, UInt32($0), lines[$0] + "\n") }
    for byte in first.prefix(200) { try peer.say([byte]) }
    try peer.say(Array(first.dropFirst(200)))
    for place in 5..<7 { try peer.record(lines[place], UInt32(place)) }
    try Self.expectAcknowledged(peer, 0..<7)
    try await host.expectStored(lines)
    try await host.stop()
  }

  @Test(
    arguments: [
      ("too long", RawPeer.message(0, 1, String(repeating: "x", count: 8971))),
      ("another protocol", Array("GET / HTTP/1.0\r\n\r\n".utf8)),
      ("TLS", [0x16, 0x03, 0x01, 0x02, 0x00]), ("lines", Array((Self.line(1) + "\n").utf8)),
      ("an unknown type", RawPeer.message(77, 1, Self.line(1))),
    ] as [(String, [UInt8])])
  func `end a connection when they are none, and nobody else's (C4, C16)`(
    what: String, bytes: [UInt8]
  ) async throws {
    let host = try await CentralHost(Scratch())
    let good = try host.peer()
    try good.record(Self.line(1), 1)
    try Self.expectAcknowledged(good, [1])
    let bad = try host.peer()
    try bad.say(bytes)
    #expect(try bad.isEnded())
    try good.record(Self.line(2), 2)
    try Self.expectAcknowledged(good, [2])
    try await host.expectStored([Self.line(1), Self.line(2)])
    try await eventually("it is said", detail: { host.daemon.messages }) {
      host.daemon.messages.contains("audispatchd: 127.0.0.1: ")
    }
    try await host.stop()
  }

  @Test(arguments: ["FIN", "RST"])
  func `are not stored when they are cut off (C5)`(end: String) async throws {
    let host = try await CentralHost(Scratch())
    let peer = try host.peer()
    try peer.record(Self.line(1), 1)
    try peer.say(Array(RawPeer.message(0, 2, Self.line(2)).dropLast(5)))
    if end == "FIN" {
      peer.finish()
      var replies: [UInt32] = []
      while let reply = try? peer.reply() { replies.append(reply.sequence) }
      #expect(!replies.contains(2))
      try await eventually("it is seen", detail: { host.daemon.messages }) {
        host.daemon.messages.contains("closed the connection in the midst of a message")
      }
    } else {
      try Self.expectAcknowledged(peer, [1])
      try peer.reset()
      try await eventually("it is seen", detail: { host.daemon.messages }) {
        try host.source().peers == 0
      }
    }
    try await host.expectStored([Self.line(1)])
    #expect(try host.source().records == 1)
    try await host.stop()
  }

  @Test func `are one line each, whatever is in them (C6)`() async throws {
    let host = try await CentralHost(Scratch())
    let peer = try host.peer()
    try peer.record(Self.line(1) + "\n" + Self.line(66), 1)
    try peer.record(Self.line(2) + "\0\u{1b}[2J", 2)
    try peer.record("hello", 3)
    try peer.say(RawPeer.message(0, 4))
    try Self.expectAcknowledged(peer, [1, 2, 3, 4])
    try await host.expectStored([
      Self.line(1) + "\\x0a" + Self.line(66), Self.line(2) + "\\x00\\x1b[2J",
    ])
    // What is no record is acknowledged, so that it does not come again, and counted.
    #expect(try host.source().malformed == 2)
    try await host.stop()
  }

  @Test func `are taken to the last when it stops, and every peer is told (C7)`() async throws {
    let scratch = try Scratch()
    let host = try await CentralHost(scratch)
    let idle = try host.peer()
    try idle.say(RawPeer.message(1, 1))
    try Self.expectAcknowledged(idle, [1])
    let peer = try host.peer()
    for number in 1...500 { try peer.record(Self.line(number), UInt32(number)) }
    try Self.expectAcknowledged(peer, 1...1)
    host.daemon.child.signal(SIGTERM)
    var last: UInt32 = 1
    while let reply = try peer.reply() {
      if reply.type == Self.ending { break }
      #expect(reply.sequence == last + 1)
      last = reply.sequence
    }
    #expect(try idle.reply()?.type == Self.ending)
    #expect(try peer.isEnded() && idle.isEnded())
    try await host.daemon.ended()
    let next = try await CentralHost(scratch, port: host.port)
    // What was not acknowledged comes again; it may have been stored.
    let again = try next.peer()
    if last < 500 {
      for number in Int(last) + 1...500 { try again.record(Self.line(number), UInt32(number)) }
      try Self.expectAcknowledged(again, last + 1...500)
    }
    try await eventually("all are there") { Set(next.stored).count >= 500 }
    #expect(Set(next.stored) == Set((1...500).map { Self.line($0) }))
    try await next.stop()
  }

  @Test func `are taken at an address that was another's at first`() async throws {
    let address = try #require(
      InternetAddress.resolve("127.0.0.1", port: 0, numeric: true).first)
    let socket = try address.listen(backlog: 1)
    let port = try socket.boundPort()
    var other: Descriptor? = socket
    let host = try await CentralHost(Scratch(), sources: ["tcp:127.0.0.1:\(port)"])
    let peer = try host.peer()
    try peer.record(Self.line(1), 1)
    try Self.expectAcknowledged(peer, [1])
    #expect(host.daemon.messages.contains("cannot listen at tcp:127.0.0.1:\(port)"))
    _ = other.take()
    try await eventually("it is heard", detail: { host.daemon.messages }) {
      host.daemon.messages.contains("other hosts are heard at tcp:127.0.0.1:\(port)")
    }
    let second = try RawPeer(port)
    try second.record(Self.line(2), 1)
    try Self.expectAcknowledged(second, [1])
    try await host.expectStored([Self.line(1), Self.line(2)])
    try await host.stop()
  }

  @Test func `come beside those of this host`() async throws {
    let host = try await CentralHost(Scratch(), hasLocal: true)
    let peer = try host.peer()
    var lines: [String] = []
    for number in 1...100 {
      try await host.daemon.send([Self.line(number)])
      try peer.record(Self.line(1000 + number), UInt32(number))
      try Self.expectAcknowledged(peer, [UInt32(number)])
      lines += [Self.line(number), Self.line(1000 + number)]
    }
    try await eventually("all are there") { host.stored.count == 200 }
    #expect(Set(host.stored) == Set(lines))
    let report = try RemoteReport(host.daemon)
    #expect(report.sources.map(\.kind) == ["stdin", "tcp"])
    #expect(report.sources.map(\.records) == [100, 100])
    #expect(try host.daemon.state().source.records == 200)
    host.daemon.finishInput()
    try await host.daemon.ended(sent: 200)
  }

  @Test func `are sent again when receiver or worker dies, and stored once`() async throws {
    let host = try await CentralHost(Scratch(), hasLocal: true)
    var next = 1
    for round in 0..<6 {
      let peer = try host.peer()
      // Between two processes nobody answers.
      guard (try? peer.say(RawPeer.message(1, 1, "audispatch 1 \(next) web1/remote"))) != nil,
        try peer.reply() != nil
      else { continue }
      for number in next..<next + 200 { try? peer.record(Self.line(number), UInt32(number)) }
      for _ in 0..<50 { if (try? peer.reply()) != nil { next += 1 } }
      if round % 2 == 0 {
        for pid in host.receivers { kill(pid, SIGKILL) }
      } else if let worker = host.daemon.worker {
        kill(worker, SIGKILL)
      }
      while let reply = try? peer.reply(), reply.type == Self.acknowledgement { next += 1 }
      try await eventually("somebody listens", detail: { host.daemon.messages }) {
        guard let peer = try? host.peer() else { return false }
        guard (try? peer.say(RawPeer.message(1, 1))) != nil else { return false }
        return (try? peer.reply()) != nil
      }
    }
    let last = next + 200
    let peer = try host.peer()
    try peer.say(RawPeer.message(1, 1, "audispatch 1 \(next) web1/remote"))
    _ = try peer.reply()
    for number in next..<last { try peer.record(Self.line(number), UInt32(number)) }
    try Self.expectAcknowledged(peer, (next..<last).map { UInt32($0) })
    try await eventually("all are there", detail: { host.daemon.messages }) {
      Set(host.stored).count >= last - 1
    }
    // The plugin that a dead worker had fed may get again what it had not confirmed.
    let expected = Set((1..<last).map { Self.line($0) })
    let missing = expected.subtracting(host.stored)
    let strange = Set(host.stored).subtracting(expected)
    #expect(
      missing.isEmpty, "\(missing.count): \(missing.sorted().prefix(3)) \(host.daemon.messages)")
    #expect(strange.isEmpty, "\(strange.count): \(strange.sorted().prefix(3))")
    host.daemon.finishInput()
    _ = try await host.daemon.child.end()
  }
}

extension CentralHost {
  /// The processes that serve peers: children of the one that dispatches.
  var receivers: [pid_t] {
    let parent = daemon.worker ?? daemon.child.pid
    let path = "/proc/\(parent)/task/\(parent)/children"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: " ").compactMap { pid_t($0) }.filter {
      (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == "audispatch-rece\n"
    }
  }
}

extension Audispatchd {
  /// Kills it where nobody holds its input.
  func killAllAlone() async throws {
    child.signal(SIGKILL)
    _ = try await child.end()
  }
}
