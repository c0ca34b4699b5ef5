import Foundation
import Glibc
import Testing

/// What the loop once wrote itself is written by threads: a disk that takes nothing holds up nobody.
@Suite(
  "A disk that is frozen", .inTurn,
  .enabled(if: Host.isRoot && FrozenDisk.isPossible, "needs root, mkfs.ext4 and loop devices"))
struct FrozenDiskTests {
  private func expectStatus(_ daemon: Audispatchd, _ times: Int = 5) async throws {
    for _ in 0..<times {
      let asked = ContinuousClock.now
      _ = try daemon.state()
      #expect(ContinuousClock.now - asked < .seconds(1))
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// What is stored of senders stands in a file of the spool's folder. The first record of each takes a
  /// place of its own in it.
  @Test func `under the spool holds up other hosts' records, and nobody else`() async throws {
    let scratch = try Scratch()
    let disk = try await FrozenDisk("disk", scratch)
    let host = try await CentralHost(scratch, hasLocal: true, spool: "disk/spool")
    let first = try host.peer()
    try first.record(ReceiveTests.line(0, node: "first"), 1)
    try ReceiveTests.expectAcknowledged(first, [1])
    var peers: [RawPeer] = []
    try await disk.frozen {
      for number in 1...10 {
        let peer = try host.peer()
        try peer.record(ReceiveTests.line(number, node: "n\(number)"), 1)
        peers.append(peer)
      }
      try await expectStatus(host.daemon, 10)
      // They came, and nobody was told that they are stored.
      #expect(try host.source().records == 11)
      #expect(try host.peers().reduce(0) { $0 + $1.acknowledged } == 1)
    }
    for peer in peers { try ReceiveTests.expectAcknowledged(peer, [1]) }
    try await host.daemon.killAll()
    let again = try await CentralHost(
      scratch, port: host.port, hasLocal: true, spool: "disk/spool")
    for number in 1...10 {
      let peer = try again.peer()
      try peer.record(ReceiveTests.line(number, node: "n\(number)"), 1)
      try ReceiveTests.expectAcknowledged(peer, [1])
    }
    #expect(try again.source().duplicates == 10)
    try await again.stop()
    withExtendedLifetime((disk, first)) {}
  }

  /// `state.json` and the list of children.
  @Test func `under the runtime folder holds up starts, and no delivery`() async throws {
    let scratch = try Scratch()
    let disk = try await FrozenDisk("run", scratch)
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [
        PluginFile("good", program, ["copy", scratch("good")]),
        PluginFile("other", program, ["copy", scratch("other")], "restart_delay = 0.01"),
      ], scratch: scratch)
    try await disk.frozen {
      daemon.child.signal(SIGUSR1)
      kill(try daemon.plugin("other").pid, SIGKILL)
      for serial in 0..<10 {
        try await daemon.send(TestEvent.stream(serial..<serial + 1))
        try await eventually("the other one has it", within: .seconds(2)) {
          scratch.lines("good").count == serial + 1
        }
      }
      try await expectStatus(daemon)
      #expect(try daemon.plugin("other").state == "starting")
      #expect(scratch.lines("other").isEmpty)
    }
    try await eventually("it has all") { scratch.lines("other").count == 10 }
    try await eventually("the state was written") {
      FileManager.default.fileExists(atPath: scratch("run/state.json"))
    }
    // A successor knows of it.
    let pid = try daemon.plugin("other").pid
    #expect(scratch.lines("run/children").contains { $0.hasPrefix("\(pid) ") })
    let state = try await daemon.finish()
    #expect(try state.plugin("other").delivered == 10)
    withExtendedLifetime(disk) {}
  }

  @Test func `under the runtime folder holds up a stop for some seconds only`() async throws {
    let scratch = try Scratch()
    let disk = try await FrozenDisk("run", scratch)
    let daemon = try await Audispatchd(
      [PluginFile("good", try await Programs.plugin(), ["copy", scratch("good")])],
      settings: ["stop_timeout = 1"], scratch: scratch)
    try await daemon.send(TestEvent.stream(0..<10))
    try await disk.frozen {
      daemon.child.signal(SIGTERM)
      try await eventually("the plugin has all, and is told to end", within: .seconds(5)) {
        scratch.lines("good").count == 10 && scratch.text("good.log").contains(" end")
      }
    }
    _ = try await daemon.child.end(within: .seconds(10))
    withExtendedLifetime(disk) {}
  }

  /// A successor begins with the folder: it reads its input all the same.
  @Test func `under the runtime folder holds up no successor's reading`() async throws {
    let scratch = try Scratch()
    let disk = try await FrozenDisk("run", scratch)
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "good", try await Programs.plugin(), ["copy", scratch("good")], "q_depth = 100000")
      ], scratch: scratch)
    try await disk.frozen {
      kill(try #require(daemon.worker), SIGKILL)
      // More than its socket holds: somebody reads them.
      let began = ContinuousClock.now
      try await daemon.send(TestEvent.stream(0..<20_000))
      #expect(ContinuousClock.now - began < .seconds(20))
      #expect(scratch.lines("good").count < 20_000)
    }
    try await eventually("it has the last", within: .seconds(20), detail: { daemon.messages }) {
      scratch.lines("good").last == TestEvent.stream(19_999..<20_000).records.last
    }
    try await daemon.finish()
    withExtendedLifetime(disk) {}
  }
}
