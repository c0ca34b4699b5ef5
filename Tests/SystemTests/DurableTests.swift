import Foundation
import Testing

/// `spill` and `lossless`: a queue that goes on on disk, and outlives the dispatcher.
@Suite("Durable queues", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct DurableTests {
  static func start(
    _ scratch: Scratch, _ action: String, _ mode: String, _ further: String = "",
    settings: [String] = []
  ) async throws -> Audispatchd {
    try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), [mode, scratch("out")], "overflow_action = \(action)",
          "q_depth = 200", "restart_delay = 0.010", further),
        PluginFile("other", try await Programs.plugin(), ["copy", scratch("other")]),
      ],
      settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"] + settings,
      scratch: scratch)
  }

  @Test(arguments: ["spill", "lossless"])
  func `a plugin that falls far behind gets everything, in order, once`(action: String)
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await Self.start(scratch, action, "gate:" + scratch("open"))
    let events = TestEvent.stream(1..<10_001, records: 2, eoe: true, fill: 200)
    try await daemon.send(events)
    try await daemon.takenIn()
    #expect(try daemon.plugin("p").queued > 29_000)
    try scratch.write("", to: "open")
    let state = try await daemon.finish(within: .seconds(60))
    #expect(difference(scratch.lines("out"), events.records) == nil)
    #expect(difference(scratch.lines("other"), events.records) == nil)
    #expect(try state.plugin("p").delivered == 30_000)
    #expect(try state.plugin("p").redelivered == 0)
  }

  @Test(arguments: ["spill", "lossless"])
  func `what waits when the daemon stops is given to the plugin when it runs again`(
    action: String
  ) async throws {
    let scratch = try Scratch()
    let events = TestEvent.stream(1..<5_001, records: 2, eoe: true, fill: 100)
    let first = try await Self.start(
      scratch, action, "never", settings: ["stop_timeout = 0.100"])
    try await first.send(events)
    let stopped = try await first.finish()
    #expect(try stopped.plugin("p").queued == 15_000)
    #expect(try stopped.plugin("p").droppedInAll == 0)
    let later = TestEvent.stream(5_001..<5_101, records: 2, eoe: true)
    let second = try await Self.start(scratch, action, "copy")
    try await second.send(later)
    try await eventually("all is read", within: .seconds(30)) {
      scratch.lines("out").count >= 15_300
    }
    let state = try await second.finish()
    #expect(difference(scratch.lines("out"), events.records + later.records) == nil)
    #expect(try state.plugin("p").received == 15_300)
    #expect(try state.plugin("p").delivered == 15_300)
  }

  @Test func `a killed dispatcher's successor gives a confirming plugin the rest`() async throws {
    let scratch = try Scratch()
    var sent: [TestEvent] = []
    for round in 0..<4 {
      let daemon = try await Self.start(scratch, "lossless", "confirm:70", "confirm = yes")
      let events = TestEvent.stream(round * 1000..<round * 1000 + 1000, records: 2, eoe: true)
      sent += events
      try await daemon.send(events)
      try await daemon.takenIn()
      // What was given to a plugin is safe; what came last may not be yet.
      try await eventually("all is given") { try daemon.plugin("p").queued < 70 }
      if round < 3 {
        try await daemon.killAll()
      } else {
        try await daemon.finish()
      }
    }
    let records = sent.records
    var next = 1
    var repeats = 0
    for line in scratch.lines("out") {
      let words = line.split(separator: " ", maxSplits: 1)
      let number = try #require(Int(words[0]))
      #expect(number <= next, "nothing is left out")
      #expect(String(words[1]) == records[number - 1])
      repeats += number < next ? 1 : 0
      next = max(next, number + 1)
    }
    #expect(next == records.count + 1)
    #expect(repeats > 0, "it confirms every seventieth, and 3,000 are none")
    #expect(!scratch.text("out.log").contains("OVERLAP"))
  }

  @Test func `beyond its bound on disk a plugin loses whole events, alone`() async throws {
    let scratch = try Scratch()
    let daemon = try await Self.start(
      scratch, "spill", "gate:" + scratch("open"), "spool_bytes = 1M")
    let events = TestEvent.stream(1..<3_001, records: 2, eoe: true, fill: 500)
    try await daemon.send(events)
    try await daemon.takenIn()
    try scratch.write("", to: "open")
    try await eventually("it has read its queue") { try daemon.plugin("p").queued == 0 }
    let last = TestEvent.stream(3_001..<3_002, records: 2, eoe: true)
    try await daemon.send(last)
    let state = try await daemon.finish()
    let receipt = Receipt(of: scratch.lines("out"), sent: events + last)
    #expect(receipt.broken == [] && receipt.foreign == [])
    #expect(receipt.complete.last == 3_001 && receipt.absent.count > 500)
    #expect(try state.plugin("p").drops == ["spool_full": receipt.absent.count * 3])
    let gap = try #require(receipt.gaps.first)
    #expect(receipt.gaps.count == 1 && gap.contains("dropped=\(receipt.absent.count * 3) "))
    #expect(try state.plugin("other").delivered == 9_003)
  }

  @Test func `what was read behind a gap record is not given again after a death`() async throws {
    let scratch = try Scratch()
    let daemon = try await Self.start(
      scratch, "lossless", "gate:" + scratch("open"), "spool_bytes = 1M")
    let events = TestEvent.stream(0..<2000, records: 2, fill: 1000)
    try await daemon.send(events)
    try await daemon.takenIn()
    #expect(try daemon.plugin("p").droppedInAll > 0)
    try scratch.write("", to: "open")
    try await eventually("it has read its queue") { try daemon.plugin("p").queued == 0 }
    let last = TestEvent.stream(2000..<2020, records: 2)
    try await daemon.send(last)
    try await eventually("it has read the rest, and of the gap") {
      scratch.lines("out").last == last.records.last
    }
    // As soon after that as can be.
    kill(try #require(daemon.worker), SIGKILL)
    let state = try await daemon.finish()
    let dropped = try state.plugin("p").drops["spool_full"] ?? 0
    let given = scratch.lines("out").filter { !$0.contains("op=queue-drop") }
    #expect(given.count == 4040 - dropped && Set(given).count == given.count)
    let told = scratch.lines("out").compactMap {
      $0.firstMatch(of: #/ op=queue-drop .* dropped=(\d+) /#).flatMap { Int($0.1) }
    }
    #expect(told.reduce(0, +) == dropped && state.plugins.allSatisfy { $0.drops.count < 2 })
  }

  @Test func `something else in the place of one of its files costs what was in that file`()
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await Self.start(scratch, "lossless", "gate:" + scratch("open"))
    let events = TestEvent.stream(0..<5000, records: 2, fill: 1000)
    try await daemon.send(events)
    try await daemon.takenIn()
    let files = try FileManager.default.contentsOfDirectory(atPath: scratch("spool"))
      .filter { $0.hasSuffix(".spool") }.sorted()
    try #require(files.count > 2)
    try scratch.remove("spool/" + files[1])
    try scratch.folder("spool/" + files[1])
    try scratch.write("", to: "open")
    let state = try await daemon.finish(within: .seconds(60))
    let lost = try #require(try state.plugin("p").drops["spool_corrupt"])
    #expect(lost > 0 && lost < 5000)
    #expect(try state.plugin("p").delivered == 10_000 - lost)
    #expect(difference(scratch.lines("other"), events.records) == nil)
    #expect(!daemon.messages.contains("takes no records"))
  }

  @Test func `what waits when the daemon stops is said once, however long others take`()
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["never", scratch("out")], "overflow_action = spill",
          "stop_timeout = 0.100"),
        PluginFile(
          "other", try await Programs.plugin(), ["slow:16384:100000", scratch("other")],
          "stop_timeout = 2"),
      ], settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch)
    try await daemon.send(TestEvent.stream(0..<2000, records: 2, fill: 500))
    try await daemon.takenIn()
    try await daemon.finish()
    #expect(
      daemon.messages.components(separatedBy: "plugin p: 4000 records wait in the spool").count == 2
    )
  }
}
