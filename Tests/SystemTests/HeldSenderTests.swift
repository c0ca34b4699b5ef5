import Foundation
import Testing

/// A central host that cannot keep others' records safe: their senders are told to come again, and keep
/// them.
@Suite("Records that cannot be kept safe", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct HeldSenderTests {
  /// A host whose plugin reads nothing until `open`.
  private func gated(
    _ scratch: Scratch, _ keywords: String = "", hasLocal: Bool = false
  ) async throws -> CentralHost {
    try await CentralHost(
      scratch, keywords: "overflow_action = lossless\n\(keywords)", hasLocal: hasLocal,
      plugin: [try await Programs.plugin(), "gate:" + scratch("open")])
  }

  private let filler = String(repeating: "x", count: 8000)
  private func line(_ number: Int) -> String { ReceiveTests.line(number) + filler }

  /// Sends one record after the other, from a number on, each when the one before is acknowledged.
  ///
  /// - Returns: how many were acknowledged when the host said that it ends, or all were.
  private func send(_ numbers: ClosedRange<Int>, to host: CentralHost) throws -> Int {
    let peer = try host.peer()
    for number in numbers {
      guard (try? peer.record(line(number), UInt32(number))) != nil, let reply = try peer.reply(),
        reply.type != ReceiveTests.ending
      else { return number - numbers.lowerBound }
      #expect(reply.type == ReceiveTests.acknowledgement && reply.sequence == UInt32(number))
    }
    return numbers.count
  }

  /// Sends until all are acknowledged, over as many connections as that takes.
  private func sendAll(_ numbers: ClosedRange<Int>, to host: CentralHost) async throws {
    var next = numbers.lowerBound
    try await eventually(
      "all is acknowledged", within: .seconds(60), detail: { "\(next): \(host.daemon.messages)" }
    ) {
      next += try send(next...numbers.upperBound, to: host)
      return next > numbers.upperBound
    }
  }

  private func expectHeld(_ host: CentralHost, _ reason: String) async throws {
    try await eventually("it is said", detail: { host.daemon.messages }) {
      host.daemon.messages.contains("other hosts are told to keep their records: \(reason)")
    }
    #expect(try #require(try host.source().held).hasPrefix(reason))
  }

  @Test func `are kept by their senders while the disk is full, and taken then (C8)`() async throws
  {
    let scratch = try Scratch()
    try scratch.folder("spool")
    func mount(_ options: String) async throws {
      let mount = try Child("/bin/mount", ["-t", "tmpfs", "-o", options, "none", scratch("spool")])
      try #require(try await mount.end() == .exited(0))
    }
    try await mount("size=4M,mode=0700")
    defer { _ = unsafe umount2(scratch("spool"), Int32(MNT_DETACH)) }
    let host = try await gated(scratch)
    let taken = try send(1...1000, to: host)
    #expect(taken > 0 && taken < 1000)
    try await expectHeld(host, "nothing can be stored now in ")
    // Nobody is let in meanwhile.
    #expect(try send(taken + 1...1000, to: host) == 0)
    try await mount("remount,size=64M")
    try await eventually("they are taken again", detail: { host.daemon.messages }) {
      host.daemon.messages.contains("records of other hosts are taken again")
    }
    #expect(try host.source().held == nil)
    try await sendAll(taken + 1...1000, to: host)
    try scratch.write("", to: "open")
    let all = (1...1000).map { line($0) }
    try await eventually("all are there", detail: { host.daemon.messages }) {
      Set(host.stored).isSuperset(of: all)
    }
    // The one that the disk had no room for was in memory, too.
    #expect(host.stored.count <= 1002)
    #expect(try host.daemon.plugin("log").droppedInAll == 0)
    try await host.stop()
  }

  @Test func `are kept by their senders while a lossless queue is full, and stored once`()
    async throws
  {
    let scratch = try Scratch()
    let host = try await gated(scratch, "spool_bytes = 1M")
    let taken = try send(1...500, to: host)
    #expect(taken > 50 && taken < 131)
    try await expectHeld(host, "the lossless queue of plugin log has as much as it may have")
    #expect(try send(taken + 1...500, to: host) == 0)
    try scratch.write("", to: "open")
    try await sendAll(taken + 1...500, to: host)
    try await host.expectStored((1...500).map { line($0) })
    #expect(try host.daemon.plugin("log").droppedInAll == 0)
    #expect(try host.source().held == nil)
    try await host.stop()
  }

  /// Many that come at once are no more than one packet, and more than a queue may have room for.
  @Test func `are not dropped when more of them come at once than there is room for`() async throws
  {
    let scratch = try Scratch()
    let host = try await gated(scratch, "spool_bytes = 1M")
    let peer = try host.peer()
    try peer.say(RawPeer.message(1, 0))
    _ = try peer.reply()
    let flood = (1...500).flatMap { RawPeer.message(0, UInt32($0), line($0) + "\n") }
    Thread.detachNewThread { [number = peer.number] in _ = RawPeer.write(flood, to: number) }
    var acknowledged = 0
    while let reply = try? peer.reply(), reply.type != ReceiveTests.ending { acknowledged += 1 }
    #expect(acknowledged < 131)
    try await expectHeld(host, "the lossless queue of plugin log has as much as it may have")
    #expect(try host.daemon.plugin("log").droppedInAll == 0)
    try scratch.write("", to: "open")
    try await sendAll(acknowledged + 1...500, to: host)
    try await eventually("all are there", detail: { host.daemon.messages }) {
      Set(host.stored).isSuperset(of: (1...500).map { line($0) })
    }
    #expect(try host.daemon.plugin("log").droppedInAll == 0)
    try await host.stop()
  }

  /// Its queue would have room for more than there may be in memory for all.
  @Test func `go on though a plugin that keeps nothing safe does not read`() async throws {
    let scratch = try Scratch()
    let stuck = PluginFile(
      "stuck", try await Programs.plugin(), ["never", scratch("stuck")], "q_depth = 1000000",
      "q_bytes = 1G")
    let host = try await CentralHost(
      scratch, settings: ["journal_bytes = 8M"], further: [stuck])
    try await sendAll(1...2500, to: host)
    try await host.expectStored((1...2500).map { line($0) })
    let figures = try host.daemon.plugin("stuck")
    #expect(figures.received == 2500 && Array(figures.drops.keys) == ["queue_full"])
    #expect(try host.source().held == nil)
    try await host.stop()
  }

  @Test(arguments: ["lossless", "spill"])
  func `are kept by their senders while there is no spool, and this host's own go on`(
    action: String
  ) async throws {
    let scratch = try Scratch()
    try scratch.write("", to: "spool")
    let host = try await CentralHost(
      scratch, keywords: "overflow_action = \(action)", hasLocal: true)
    try await expectHeld(host, "there is no spool for durable plugins in \(scratch("spool"))")
    #expect(try send(1...1, to: host) == 0)
    try await host.daemon.send([ReceiveTests.line(2)])
    try await host.expectStored([ReceiveTests.line(2)])
    host.daemon.finishInput()
    try await host.daemon.ended(sent: 1)
    try FileManager.default.removeItem(atPath: scratch("spool"))
    let next = try await CentralHost(
      scratch, port: host.port, keywords: "overflow_action = \(action)")
    try await sendAll(3...3, to: next)
    try await next.expectStored([ReceiveTests.line(2), line(3)])
    try await next.stop()
  }
}
