import Foundation
import TestSupport
import Testing

/// A central host whose own source never rests, and the dispatching process dies.
@Suite(
  "Records of this host and of others together", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct MixedSourcesTests {
  /// Each write to the spool takes 20 ms more: `fstatfs` comes before one, and from nowhere else.
  private static let slowDisk = [
    "/usr/bin/strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fstatfs",
    "-e",
    "inject=fstatfs:delay_enter=20000",
  ]

  private static func remote(_ number: Int) -> String {
    "node=web1 type=USER msg=audit(1700000001.000:\(number)): r=\(number)"
  }

  private static func local(_ number: Int) -> String {
    "type=USER msg=audit(1700000000.000:\(number)): n=\(number)"
  }

  @Test(arguments: ["lossless", "spill"])
  func `are all stored, once, though the worker is killed among them`(action: String) async throws {
    var random = Seeded(of: "mixed sources")
    let host = try await CentralHost(
      Scratch(), keywords: "overflow_action = \(action)", hasLocal: true, prefix: Self.slowDisk)
    let daemon = host.daemon
    let feed = Task {
      var number = 0
      while !Task.isCancelled, number < 100_000 {
        let next = number + 10
        try await daemon.send((number..<next).map(Self.local))
        number = next
        try? await Task.sleep(for: .microseconds(300))
      }
      return number
    }
    let total = 1200
    var next = 1
    var kills = 0
    while next <= total {
      next = await session(host, from: next, through: total) { acknowledged in
        guard kills < 5, acknowledged > random.number(below: 200), let worker = daemon.worker else {
          return false
        }
        kills += 1
        return kill(worker, SIGKILL) == 0
      }
    }
    feed.cancel()
    let locals = try await feed.value
    let wanted = Set((0..<locals).map(Self.local) + (1...total).map(Self.remote))
    try await eventually(
      "all are there", within: .seconds(120),
      detail: { "\(host.stored.count) of \(wanted.count) \(daemon.messages)" }
    ) { wanted.isSubset(of: host.stored) }
    #expect(kills == 5)
    let others = host.stored.filter { $0.hasPrefix("node=web1") }
    #expect(host.stored.filter { $0.hasPrefix("type=USER") } == (0..<locals).map(Self.local))
    #expect(Set(others) == Set((1...total).map(Self.remote)))
    // What `spill` gave before the log had it is sent again, and given again.
    if action == "lossless" { #expect(others == (1...total).map(Self.remote)) }
    daemon.finishInput()
    _ = try await daemon.child.end()
  }

  /// One connection that sends all from a number on, until it ends or was told of the last.
  ///
  /// - Parameter interrupt: asked at each acknowledgement, with how many there were; ends with `true`.
  /// - Returns: the number of the first that was not acknowledged.
  private func session(
    _ host: CentralHost, from first: Int, through last: Int, _ interrupt: (Int) -> Bool
  ) async -> Int {
    var next = first
    guard let peer = try? host.peer(),
      (try? peer.say(RawPeer.message(1, 1, "audispatch 1 \(first) web1/remote"))) != nil,
      (try? peer.reply()) != nil
    else {
      try? await Task.sleep(for: .milliseconds(20))
      return next
    }
    var sent = first
    while next <= last {
      while sent <= last, sent < next + 128 {
        guard (try? peer.record(Self.remote(sent), UInt32(sent))) != nil else { return next }
        sent += 1
      }
      guard let reply = try? peer.reply(), reply.type == ReceiveTests.acknowledgement else {
        return next
      }
      next = Int(reply.sequence) + 1
      if interrupt(next - first) { break }
    }
    while next <= last, let reply = try? peer.reply(),
      reply.type == ReceiveTests.acknowledgement
    { next = Int(reply.sequence) + 1 }
    return next
  }
}
