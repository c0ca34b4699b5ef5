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
    // What came again is counted as that, too.
    try send(10...12, host)
    var known = try #require(try host.peers().first)
    #expect(known.records == 13 && known.acknowledged == 13 && known.duplicates == 1)
    for round in 1...2 {
      let worker = try #require(host.daemon.worker)
      kill(worker, SIGKILL)
      try await eventually("there is another", detail: { host.daemon.messages }) {
        guard let next = host.daemon.worker, next != worker else { return false }
        return (try? host.peers()) != nil
      }
      try send(10 * round + 10...10 * round + 14, host)
      known = try #require(try host.peers().first)
      #expect(known.records == 13 + 5 * round && known.acknowledged == 13 + 5 * round)
      #expect(known.behind == 0 && known.duplicates == 1)
      let source = try host.source()
      #expect(source.records == 12 + 5 * round && source.duplicates == 1)
      // With this host's own record.
      #expect(try host.daemon.state().source.records == 13 + 5 * round)
    }
    host.daemon.finishInput()
    _ = try await host.daemon.child.end()
    let next = try await CentralHost(scratch, port: host.port)
    #expect(try next.peers().isEmpty)
    #expect(try next.source().records == 0)
    try await next.stop()
  }
}
