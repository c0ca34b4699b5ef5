import Foundation
import Testing

/// The spool's disk takes nothing for a time.
@Suite("Durable queues on a full disk", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct FullDiskTests {
  /// The spool's folder becomes a file system of that size; to be unmounted.
  private static func mountSmallDisk(_ size: String, _ scratch: Scratch) async throws {
    try scratch.folder("spool")
    let mount = try Child(
      "/bin/mount", ["-t", "tmpfs", "-o", "size=\(size),mode=0700", "none", scratch("spool")])
    try #require(try await mount.end() == .exited(0))
  }

  @Test func `a full disk leaves the memory, is said, and is recovered from`() async throws {
    let scratch = try Scratch()
    try await Self.mountSmallDisk("12m", scratch)
    defer { unsafe _ = umount2(scratch("spool"), Int32(MNT_DETACH)) }
    let daemon = try await DurableTests.start(
      scratch, "lossless", "gate:" + scratch("open"), "q_bytes = 1M")
    let events = TestEvent.stream(1..<10_001, records: 3, fill: 500)
    try await daemon.send(events)
    try await daemon.takenIn()
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains("the spool takes no records (No space left on device)")
    }
    try scratch.write("", to: "open")
    try await eventually(
      "it has recovered", within: .seconds(30),
      detail: { daemon.messages + ((try? "\(daemon.plugin("p"))") ?? "") }
    ) {
      daemon.messages.contains("the spool takes records again")
    }
    try await eventually("it has read its queue") { try daemon.plugin("p").queued == 0 }
    let last = TestEvent.stream(10_001..<10_101, records: 3)
    try await daemon.send(last)
    let state = try await daemon.finish()
    let receipt = Receipt(of: scratch.lines("out"), sent: events + last)
    #expect(receipt.complete.last == 10_100)
    #expect(receipt.absent.count > 0)
    #expect(try state.plugin("other").delivered == 30_300)
    #expect(try state.plugin("p").delivered == scratch.lines("out").count - receipt.gaps.count)
  }

  /// While the dead one's plugin is waited for, its queue is nobody's.
  @Test(arguments: [true, false])
  func `a disk that fills up after a death costs nothing that is on it, nor what memory holds`(
    endsBeforeRecovery: Bool
  ) async throws {
    let scratch = try Scratch()
    try await Self.mountSmallDisk("8m", scratch)
    defer { unsafe _ = umount2(scratch("spool"), Int32(MNT_DETACH)) }
    let daemon = try await DurableTests.start(scratch, "lossless", "gate:" + scratch("open"))
    let events = TestEvent.stream(0..<1000, records: 2, fill: 1000)
    try await daemon.send(events)
    try await daemon.takenIn()
    #expect(try #require(try daemon.plugin("p").stored) > 1000)
    #expect(throws: (any Error).self) {
      try Data(count: 8 << 20).write(to: URL(filePath: scratch("spool/filler")))
    }
    try #require(FileManager.default.fileExists(atPath: scratch("spool/filler")))
    kill(try #require(daemon.worker), SIGKILL)
    // As much as its memory may hold, and no more.
    let later = TestEvent.stream(1000..<1100, records: 2, fill: 1000)
    try await daemon.send(later)
    try await eventually("the disk has failed", detail: { daemon.messages }) {
      daemon.messages.contains("the spool takes no records")
    }
    try await eventually("its queue is known again", detail: { daemon.messages }) {
      try daemon.files.stateIfAny()?.plugin("p").state == "running"
    }
    #expect(try daemon.plugin("p").droppedInAll == 0)
    #expect(try daemon.plugin("p").queued == 2200)
    if endsBeforeRecovery {
      try daemon.files.configure([
        "spool_dir = \(scratch("spool"))", "spool_reserve = 0", "stop_timeout = 0.1",
      ])
      daemon.reload()
      try await eventually("the reload", detail: { daemon.messages }) {
        daemon.messages.contains("configuration read again")
      }
      let state = try await daemon.finish()
      // What is on disk waits for the next start.
      let stopped = try state.plugin("p")
      #expect(stopped.drops == ["stop_deadline": 200] && stopped.queued == 2000)
      try scratch.remove("spool/filler")
      let next = try await DurableTests.start(scratch, "lossless", "copy")
      let final = try await next.finish()
      #expect(difference(scratch.lines("out"), events.records) == nil)
      #expect(try final.plugin("p").delivered == 2000 && final.plugin("p").drops == [:])
      return
    }
    try scratch.write("", to: "open")
    try scratch.remove("spool/filler")
    try await eventually("it has recovered", within: .seconds(30), detail: { daemon.messages }) {
      daemon.messages.contains("the spool takes records again")
    }
    let last = TestEvent.stream(1100..<1200, records: 2)
    try await daemon.send(last)
    let state = try await daemon.finish()
    #expect(difference(scratch.lines("out"), (events + later + last).records) == nil)
    #expect(try state.plugin("p").drops == [:])
    #expect(try state.plugin("p").delivered == 2400)
  }

  /// The disk has failed before; what came since is in memory only.
  @Test func `a death while the disk takes nothing costs what is in memory only, and says so`()
    async throws
  {
    let scratch = try Scratch()
    try await Self.mountSmallDisk("8m", scratch)
    defer { unsafe _ = umount2(scratch("spool"), Int32(MNT_DETACH)) }
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("out")],
          "overflow_action = lossless", "q_depth = 100000")
      ],
      settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch)
    let events = TestEvent.stream(0..<1000, records: 2, fill: 1000)
    try await daemon.send(events)
    try await daemon.takenIn()
    #expect(throws: (any Error).self) {
      try Data(count: 12 << 20).write(to: URL(filePath: scratch("spool/filler")))
    }
    var later: [TestEvent] = []
    try await eventually("the disk has failed", detail: { daemon.messages }) {
      let next = TestEvent.stream(1000 + later.count..<1010 + later.count, records: 2, fill: 1000)
      try await daemon.send(next)
      later += next
      return daemon.messages.contains("the spool takes no records")
    }
    try await daemon.takenIn()
    let before = try daemon.plugin("p")
    #expect(before.droppedInAll == 0 && before.queued == 2 * (1000 + later.count))
    kill(try #require(daemon.worker), SIGKILL)
    try await eventually("another dispatches", within: .seconds(20), detail: { daemon.messages }) {
      try daemon.files.stateIfAny()?.plugin("p").state == "running"
    }
    try scratch.write("", to: "open")
    try scratch.remove("spool/filler")
    let last = TestEvent.stream(5000..<5100, records: 2)
    try await daemon.send(last)
    let state = try await daemon.finish()
    let lost = try #require(try state.plugin("p").drops["dispatcher_died"])
    #expect(try state.plugin("p").drops.count == 1 && lost > 0 && lost <= 2 * later.count)
    let given = scratch.lines("out").filter { !$0.contains("op=queue-drop") }
    let kept = events.records + later.records.dropLast(lost) + last.records
    #expect(difference(given, kept) == nil)
    let gaps = scratch.lines("out").filter { $0.contains("op=queue-drop") }
    let gap = try #require(gaps.first)
    #expect(gaps.count == 1 && gap.contains(" dropped=\(lost) "))
    #expect(gap.contains(" reason=dispatcher_died "))
  }
}
