import Foundation
import Glibc
import Testing

/// The dispatching process dies between one thing and another that belongs to it.
@Suite("A death in between", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct DeathInBetweenTests {
  @Test func `knows to the record what a plugin had been given, however long it had not read`()
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("out")],
          "q_depth = 100000")
      ], scratch: scratch)
    // What the socket takes at last is a part of a write, of some long records and many short ones.
    var events = TestEvent.stream(0..<75, fill: 1500)
    try await daemon.send(events)
    try await daemon.takenIn()
    for begin in stride(from: 75, to: 4075, by: 400) {
      events += TestEvent.stream(begin..<begin + 8, fill: 7000)
      events += TestEvent.stream(begin + 8..<begin + 400)
    }
    // Read at once, and so written at once.
    let worker = try #require(daemon.worker)
    kill(worker, SIGSTOP)
    let rest = Array(events[75...])
    let sender = Task { try await daemon.send(rest) }
    try await Task.sleep(for: .milliseconds(100))
    kill(worker, SIGCONT)
    try await sender.value
    try await daemon.takenIn()
    #expect(try daemon.plugin("p").queued == events.count)
    kill(try #require(daemon.worker), SIGKILL)
    try await eventually("another dispatches") { daemon.messages.contains("is read again after") }
    try scratch.write("", to: "open")
    let state = try await daemon.finish()
    // Without the beginning of a record with which a dead dispatcher's stream ends.
    let given = scratch.lines("out").filter(Set(events.records).contains)
    let lost = try #require(try state.plugin("p").drops["dispatcher_died"])
    #expect(difference(given, Array(events.records.prefix(given.count))) == nil)
    #expect(lost > 0 && lost + given.count == events.count)
  }

  /// The disk takes nothing for a while, so that the journal's numbers and the log's drift apart; the
  /// successor dies while it waits for the old plugin.
  @Test func `finds its place in the log after two deaths, and a disk that had failed`()
    async throws
  {
    let scratch = try Scratch()
    try scratch.folder("spool")
    let mount = try Child(
      "/bin/mount", ["-t", "tmpfs", "-o", "size=6m,mode=0700", "none", scratch("spool")])
    try #require(try await mount.end() == .exited(0))
    defer { unsafe _ = umount2(scratch("spool"), Int32(MNT_DETACH)) }
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["lines", scratch("out")],
          "overflow_action = lossless", "q_depth = 500", "restart_delay = 0.010")
      ],
      settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch)
    var serial = 0
    var events: [TestEvent] = []
    func send(_ count: Int, fill: Int = 300) async throws {
      let next = TestEvent.stream(serial..<serial + count, fill: fill)
      serial += count
      events += next
      try await daemon.send(next)
    }
    try await send(100)
    try await daemon.takenIn()
    #expect(throws: (any Error).self) {
      try Data(count: 12 << 20).write(to: URL(filePath: scratch("spool/filler")))
    }
    try await eventually("the disk has failed", detail: { daemon.messages }) {
      try await send(30, fill: 8000)
      try await daemon.takenIn()
      return daemon.messages.contains("the spool takes no records")
    }
    for _ in 0..<6 {
      try await send(50)
      try await daemon.takenIn()
    }
    try await eventually("it has read") { scratch.lines("out").count == events.count }
    let plugin = try daemon.plugin("p").pid
    kill(plugin, SIGSTOP)
    try await send(61)
    try await daemon.takenIn()
    try scratch.remove("spool/filler")
    for _ in 0..<2 {
      let deaths = daemon.messages.components(separatedBy: "is read again after").count
      kill(try #require(daemon.worker), SIGKILL)
      try await eventually("another dispatches", detail: { daemon.messages }) {
        daemon.messages.components(separatedBy: "is read again after").count > deaths
      }
      try await send(5)
      // Long enough to open the log, and to have told what is in it.
      try await Task.sleep(for: .milliseconds(300))
    }
    kill(plugin, SIGCONT)
    try await eventually("it has the last", detail: { daemon.messages }) {
      scratch.lines("out").last == events.records.last
    }
    let state = try await daemon.finish()
    state.expectConserved(sent: events.count)
    let given = scratch.lines("out").filter { !$0.contains("op=queue-drop") }
    #expect(Set(given).count == given.count)
    #expect(try events.count - given.count == state.plugin("p").droppedInAll)
    #expect(given == events.records.filter(Set(given).contains))
  }
}
