import Foundation
import Testing

/// By what audispatchd knows a record of another host that it has stored.
@Suite("Records of other hosts that come again", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct RepeatedRecordTests {
  @Test func `are not stored twice when the first of a connection was the last (C10)`()
    async throws
  {
    let scratch = try Scratch()
    var host = try await CentralHost(scratch)
    for round in 0..<3 {
      let peer = try host.peer()
      if round > 0 {
        try peer.record(ReceiveTests.line(round * 2), 1)
        try ReceiveTests.expectAcknowledged(peer, [1])
      }
      try peer.record(ReceiveTests.line(round * 2 + 1), 2)
      // An equal record is one of its own.
      try peer.record(ReceiveTests.line(round * 2 + 1), 3)
      try peer.record(ReceiveTests.line(round * 2 + 2), 4)
      try ReceiveTests.expectAcknowledged(peer, [2, 3, 4])
      if round == 1 {
        // The ledger survives the death of everything.
        #expect(try host.source().duplicates == 1)
        try await host.daemon.killAllAlone()
        host = try await CentralHost(scratch, port: host.port)
      }
    }
    let expected = (0..<3).flatMap {
      [ReceiveTests.line($0 * 2 + 1), ReceiveTests.line($0 * 2 + 1), ReceiveTests.line($0 * 2 + 2)]
    }
    let all = Set(expected)
    try await eventually("all are there") { all.isSubset(of: host.stored) }
    let duplicates = try host.source().duplicates
    #expect(duplicates == 1, "\(host.daemon.messages)")
    try await host.stop()
  }

  /// What nobody has on disk is stored when its sender is told, and not before.
  @Test func `are stored if what had them in memory died before it said that it has them`()
    async throws
  {
    let host = try await CentralHost(
      Scratch(), keywords: "overflow_action = syslog", hasLocal: true)
    func sender(from number: Int) async throws -> RawPeer {
      var sender: RawPeer?
      try await eventually("somebody listens", detail: { host.daemon.messages }) {
        let peer = try host.peer()
        guard (try? peer.say(RawPeer.message(1, 1, "audispatch 1 \(number) web1/remote"))) != nil,
          (try? peer.reply()) != nil
        else { return false }
        sender = peer
        return true
      }
      return try #require(sender)
    }
    var next = 1
    var again: Set<String> = []
    for _ in 0..<10 {
      let peer = try await sender(from: next)
      let flood = next..<next + 3000
      let bytes = flood.flatMap { RawPeer.message(0, UInt32($0), ReceiveTests.line($0) + "\n") }
      Thread.detachNewThread { [number = peer.number] in _ = RawPeer.write(bytes, to: number) }
      for _ in 0..<300 { if try peer.reply() != nil { next += 1 } }
      kill(try #require(host.daemon.worker), SIGKILL)
      while let reply = try? peer.reply(), reply.type == ReceiveTests.acknowledgement { next += 1 }
      again.formUnion((next..<flood.upperBound).map { ReceiveTests.line($0) })
    }
    let peer = try await sender(from: next)
    let last = next..<next + 3000
    for number in last { try peer.record(ReceiveTests.line(number), UInt32(number)) }
    try ReceiveTests.expectAcknowledged(peer, last.map { UInt32($0) })
    let owed = again.intersection(last.map { ReceiveTests.line($0) })
    #expect(!owed.isEmpty)
    try await eventually("the last is there") {
      host.stored.last == ReceiveTests.line(last.upperBound - 1)
    }
    let missing = owed.subtracting(host.stored)
    #expect(missing.isEmpty, "\(missing.count): \(missing.sorted().prefix(3))")
    host.daemon.finishInput()
    _ = try await host.daemon.child.end()
  }

  /// The ledger's folder is made by whoever comes first.
  @Test func `are known though the spool's folder was not there, nor what it is in`() async throws {
    let scratch = try Scratch()
    let host = try await CentralHost(scratch, spool: "a/b/spool")
    let peer = try host.peer()
    try peer.record(ReceiveTests.line(1), 2)
    try ReceiveTests.expectAcknowledged(peer, [2])
    #expect(!host.daemon.messages.contains("is forgotten when this process ends"))
    try await host.daemon.killAllAlone()
    let again = try await CentralHost(scratch, port: host.port, spool: "a/b/spool")
    let next = try again.peer()
    try next.record(ReceiveTests.line(1), 1)
    try ReceiveTests.expectAcknowledged(next, [1])
    #expect(try again.source().duplicates == 1)
    try await again.stop()
  }

  @Test func `of hosts that share an address are kept apart (C10)`() async throws {
    let host = try await CentralHost(Scratch())
    let first = try host.peer()
    let second = try host.peer()
    try first.record(ReceiveTests.line(1, node: "a"), 1)
    try ReceiveTests.expectAcknowledged(first, [1])
    try second.record(ReceiveTests.line(2, node: "b"), 1)
    try ReceiveTests.expectAcknowledged(second, [1])
    // Both come again with what they had sent last.
    let third = try host.peer()
    let fourth = try host.peer()
    try third.record(ReceiveTests.line(1, node: "a"), 1)
    try fourth.record(ReceiveTests.line(2, node: "b"), 1)
    try ReceiveTests.expectAcknowledged(third, [1])
    try ReceiveTests.expectAcknowledged(fourth, [1])
    try fourth.record(ReceiveTests.line(3, node: "b"), 2)
    try ReceiveTests.expectAcknowledged(fourth, [2])
    try await host.expectStored([
      ReceiveTests.line(1, node: "a"), ReceiveTests.line(2, node: "b"),
      ReceiveTests.line(3, node: "b"),
    ])
    #expect(try host.source().duplicates == 2)
    try await host.stop()
  }

  @Test func `of a sender of ours are known by their numbers`() async throws {
    let host = try await CentralHost(Scratch())
    let peer = try host.peer()
    try peer.say(RawPeer.message(1, 1, "audispatch 1 5 web1/remote"))
    #expect(try peer.reply()?.text == "audispatch 1 has nothing")
    for number in 5...9 { try peer.record(ReceiveTests.line(number), UInt32(number)) }
    try ReceiveTests.expectAcknowledged(peer, 5...9)
    let again = try host.peer()
    try again.say(RawPeer.message(1, 1, "audispatch 1 7 web1/remote"))
    #expect(try again.reply()?.text == "audispatch 1 has 9")
    // The former connection of that sender is a dead one.
    #expect(try peer.isEnded())
    for number in 7...12 { try again.record(ReceiveTests.line(number), UInt32(number)) }
    try ReceiveTests.expectAcknowledged(again, 7...12)
    // Its queue was lost, and it counts anew: nothing is taken for a repeat.
    let anew = try host.peer()
    try anew.say(RawPeer.message(1, 1, "audispatch 1 5 web1/remote"))
    #expect(try anew.reply()?.text == "audispatch 1 has 12")
    for number in 5...9 { try anew.record(ReceiveTests.line(100 + number), UInt32(number)) }
    try ReceiveTests.expectAcknowledged(anew, 5...9)
    try await host.expectStored(
      (5...12).map { ReceiveTests.line($0) } + (5...9).map { ReceiveTests.line(100 + $0) })
    #expect(try host.source().duplicates == 3)
    try await host.stop()
  }

  @Test func `of a sender of ours are known though it comes from another address`() async throws {
    let host = try await CentralHost(Scratch())
    let peer = try host.peer()
    try peer.say(RawPeer.message(1, 1, "audispatch 1 1 web1/remote"))
    _ = try peer.reply()
    for number in 1...9 { try peer.record(ReceiveTests.line(number), UInt32(number)) }
    try ReceiveTests.expectAcknowledged(peer, 1...9)
    let moved = RawPeer(
      owning: try #require(loopbackConnection(to: host.port, from: "127.0.0.2")))
    try moved.say(RawPeer.message(1, 1, "audispatch 1 5 web1/remote"))
    _ = try moved.reply()
    for number in 5...12 { try moved.record(ReceiveTests.line(number), UInt32(number)) }
    try ReceiveTests.expectAcknowledged(moved, 5...12)
    // Another host of that name has records of its own.
    let other = RawPeer(
      owning: try #require(loopbackConnection(to: host.port, from: "127.0.0.3")))
    try other.say(RawPeer.message(1, 1, "audispatch 1 5 web1/remote"))
    _ = try other.reply()
    try other.record(ReceiveTests.line(105), 5)
    try ReceiveTests.expectAcknowledged(other, [5])
    try await host.expectStored((1...12).map { ReceiveTests.line($0) } + [ReceiveTests.line(105)])
    #expect(try host.source().duplicates == 5)
    try await host.stop()
  }

  @Test func `come over a new connection though the old one is not known to be gone (C11)`()
    async throws
  {
    let host = try await CentralHost(Scratch(), settings: ["tcp_max_per_addr = 1"])
    let old = try host.peer()
    try old.record(ReceiveTests.line(1), 1)
    try ReceiveTests.expectAcknowledged(old, [1])
    // One that speaks all the time keeps its place; one that has been silent gives way.
    let other = try host.peer()
    #expect(try other.isEnded())
    var new: RawPeer?
    try await eventually("a new one is taken", detail: { host.daemon.messages }) {
      let peer = try host.peer()
      guard (try? peer.record(ReceiveTests.line(2), 1)) != nil, let reply = try? peer.reply() else {
        return false
      }
      new = peer
      return reply.sequence == 1
    }
    #expect(try old.isEnded())
    #expect(new != nil)
    #expect(try #require(try host.source().turned_away) > 0)
    try await host.stop()
  }
}
