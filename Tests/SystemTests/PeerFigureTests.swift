import Foundation
import Testing

/// What a central host counts of its peers.
@Suite("The figures of peers", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct PeerFigureTests {
  /// Records through one connection, all acknowledged.
  private func send(_ numbers: ClosedRange<Int>, _ host: CentralHost) throws {
    let peer = try host.peer()
    for number in numbers { try peer.record(ReceiveTests.line(number), UInt32(number)) }
    try ReceiveTests.expectAcknowledged(peer, numbers.map { UInt32($0) })
  }

  @Test func `go on when the dispatching process dies, and begin anew after a clean end`()
    async throws
  {
    let scratch = try Scratch()
    let host = try await CentralHost(scratch, hasLocal: true)
    try await host.daemon.send([ReceiveTests.line(100)])
    try send(1...10, host)
    let odd = try host.peer()
    try odd.record("no record", 13)
    try ReceiveTests.expectAcknowledged(odd, [13])
    // What came again is counted as that, too.
    try send(10...12, host)
    var known = try #require(try host.peers().first)
    #expect(known.records == 14 && known.acknowledged == 14 && known.duplicates == 1)
    for round in 1...2 {
      let worker = try #require(host.daemon.worker)
      kill(worker, SIGKILL)
      try await eventually("there is another", detail: { host.daemon.messages }) {
        guard let next = host.daemon.worker, next != worker else { return false }
        return (try? host.peers()) != nil
      }
      try send(10 * round + 10...10 * round + 14, host)
      known = try #require(try host.peers().first)
      #expect(known.records == 14 + 5 * round && known.acknowledged == 14 + 5 * round)
      #expect(known.behind == 0 && known.duplicates == 1)
      let source = try host.source()
      #expect(source.records == 12 + 5 * round && source.duplicates == 1)
      // With this host's own record.
      let all = try host.daemon.state().source
      #expect(all.records == 13 + 5 * round && all.malformed == 1)
      let sources = try RemoteReport(host.daemon).sources
      #expect(sources.map(\.records) == [1, 12 + 5 * round])
      #expect(sources.map(\.malformed) == [0, 1])
      #expect(sources.reduce(0) { $0 + $1.bytes } == all.bytes)
      #expect(sources.reduce(0) { $0 + $1.events } == all.events)
    }
    host.daemon.finishInput()
    _ = try await host.daemon.child.end()
    let next = try await CentralHost(scratch, port: host.port)
    #expect(try next.peers().isEmpty)
    #expect(try next.source().records == 0)
    try await next.stop()
  }

  @Test func `have what was no record, though no other came before the death`() async throws {
    let host = try await CentralHost(try Scratch(), hasLocal: true)
    try send(1...2, host)
    let odd = try host.peer()
    try odd.record("no record", 13)
    try ReceiveTests.expectAcknowledged(odd, [13])
    try await host.daemon.dieAndGoOn()
    try await eventually("they are known again", detail: { host.daemon.messages }) {
      try host.peers().first?.records == 3
    }
    #expect(try host.daemon.state().source.malformed == 1)
    #expect(try RemoteReport(host.daemon).sources.map(\.malformed) == [0, 1])
    host.daemon.finishInput()
    _ = try await host.daemon.child.end()
  }

  /// The log's files are gone when another one dispatches.
  @Test func `have what was acknowledged, and is on no disk, among the lost`() async throws {
    let scratch = try Scratch()
    let host = try await CentralHost(
      scratch, hasLocal: true, plugin: [try await Programs.plugin(), "gate:" + scratch("open")])
    try send(1...3, host)
    for name in try FileManager.default.contentsOfDirectory(atPath: scratch("spool"))
    where name.hasSuffix(".spool") { try scratch.remove("spool/" + name) }
    try await host.daemon.dieAndGoOn()
    // The process that had them in its input reads nothing of it.
    try await eventually("another one runs", within: .seconds(30), detail: { host.daemon.messages })
    { try host.daemon.files.stateIfAny()?.plugin("log").state == "running" }
    try scratch.write("", to: "open")
    try send(4...4, host)
    try await eventually("it has what came then", detail: { host.daemon.messages }) {
      host.stored.last == ReceiveTests.line(4)
    }
    #expect(host.stored.count == 2)
    #expect(host.stored[0].contains(" dropped=3 events=0 reason=dispatcher_died "))
    #expect(try host.daemon.plugin("log").drops == ["dispatcher_died": 3])
    #expect(host.daemon.messages.contains("records dropped: 3 dispatcher_died"))
    host.daemon.finishInput()
    _ = try await host.daemon.child.end()
  }
}
