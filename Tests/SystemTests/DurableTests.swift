import Foundation
import Testing

/// `spill` and `lossless`: a queue that goes on on disk, and outlives the dispatcher.
@Suite("Durable queues", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct DurableTests {
  private func start(
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

  /// The spool's folder becomes a file system of that size; to be unmounted.
  private func mountSmallDisk(_ size: String, _ scratch: Scratch) async throws {
    try scratch.folder("spool")
    let mount = try Child(
      "/bin/mount", ["-t", "tmpfs", "-o", "size=\(size),mode=0700", "none", scratch("spool")])
    try #require(try await mount.end() == .exited(0))
  }

  @Test(arguments: ["spill", "lossless"])
  func `a plugin that falls far behind gets everything, in order, once`(action: String)
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await start(scratch, action, "gate:" + scratch("open"))
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
    let first = try await start(
      scratch, action, "never", settings: ["stop_timeout = 0.100"])
    try await first.send(events)
    let stopped = try await first.finish()
    #expect(try stopped.plugin("p").queued == 15_000)
    #expect(try stopped.plugin("p").droppedInAll == 0)
    let later = TestEvent.stream(5_001..<5_101, records: 2, eoe: true)
    let second = try await start(scratch, action, "copy")
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
      let daemon = try await start(scratch, "lossless", "confirm:50", "confirm = yes")
      let events = TestEvent.stream(round * 1000..<round * 1000 + 1000, records: 2, eoe: true)
      sent += events
      try await daemon.send(events)
      try await daemon.takenIn()
      // What was given to a plugin is safe; what came last may not be yet.
      try await eventually("all is given") { try daemon.plugin("p").queued < 50 }
      if round < 3 {
        try await daemon.killAll()
      } else {
        try await daemon.finish()
      }
    }
    var next = 1
    for line in scratch.lines("out") {
      let words = line.split(separator: " ", maxSplits: 1)
      let number = try #require(Int(words[0]))
      #expect(number <= next, "nothing is left out")
      #expect(String(words[1]) == sent.records[number - 1])
      next = max(next, number + 1)
    }
    #expect(next == sent.records.count + 1)
    #expect(!scratch.text("out.log").contains("OVERLAP"))
  }

  @Test func `beyond its bound on disk a plugin loses whole events, alone`() async throws {
    let scratch = try Scratch()
    let daemon = try await start(
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
    #expect(receipt.gaps.count == 1)
    #expect(receipt.gaps[0].contains("dropped=\(receipt.absent.count * 3) "))
    #expect(try state.plugin("other").delivered == 9_003)
  }

  @Test func `a full disk leaves the memory, is said, and is recovered from`() async throws {
    let scratch = try Scratch()
    try await mountSmallDisk("12m", scratch)
    defer { unsafe _ = umount2(scratch("spool"), Int32(MNT_DETACH)) }
    let daemon = try await start(
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
    try await mountSmallDisk("8m", scratch)
    defer { unsafe _ = umount2(scratch("spool"), Int32(MNT_DETACH)) }
    let daemon = try await start(scratch, "lossless", "gate:" + scratch("open"))
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
      let next = try await start(scratch, "lossless", "copy")
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
    try await mountSmallDisk("8m", scratch)
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
    #expect(gaps.count == 1 && gaps[0].contains(" dropped=\(lost) "))
    #expect(gaps[0].contains(" reason=dispatcher_died "))
  }

  @Test func `what was read behind a gap record is not given again after a death`() async throws {
    let scratch = try Scratch()
    let daemon = try await start(
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
    let daemon = try await start(scratch, "lossless", "gate:" + scratch("open"))
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

  @Test func `the queue of a plugin that is gone is reported and kept`() async throws {
    let scratch = try Scratch()
    let events = TestEvent.stream(1..<101)
    let first = try await start(scratch, "spill", "never", settings: ["stop_timeout = 0.100"])
    try await first.send(events)
    try await first.finish()
    let settings = ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"]
    try scratch.remove("plugins.d/p.conf")
    let second = try await Audispatchd(
      [
        PluginFile(
          "q", try await Programs.plugin(), ["copy", scratch("q")], "overflow_action = spill")
      ], settings: settings, scratch: scratch)
    try await eventually("it is reported", detail: { second.messages }) {
      second.messages.contains("the spool has 100 records for plugin p, which is not active")
    }
    try await second.send(TestEvent.stream(101..<201))
    try await second.finish()
    let third = try await start(scratch, "spill", "never", settings: ["stop_timeout = 0.100"])
    let later = TestEvent.stream(201..<301)
    try await third.send(later)
    try await third.finish()
    // What came after its return is not lost because of what came before it.
    let fourth = try await start(scratch, "spill", "copy")
    let last = TestEvent.stream(301..<401)
    try await fourth.send(last)
    try await fourth.finish()
    #expect(
      difference(scratch.lines("out"), events.records + later.records + last.records) == nil)
  }

  @Test func `a plugin that a reload takes out and brings back misses only what came between`()
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await start(
      scratch, "lossless", "gate:" + scratch("open"), settings: ["stop_timeout = 0.100"])
    let text = scratch.text("plugins.d/p.conf")
    var sent: [TestEvent] = []
    for round in 0..<6 {
      let events = TestEvent.stream(round * 100..<round * 100 + 100, records: 2, eoe: true)
      sent += events
      try await daemon.send(events)
      try await daemon.takenIn()
      if round.isMultiple(of: 2) {
        try scratch.remove("plugins.d/p.conf")
      } else {
        try scratch.write(text, to: "plugins.d/p.conf")
      }
      daemon.reload()
      try await eventually("the reload has happened", detail: { daemon.messages }) {
        try daemon.state().plugins.contains { $0.name == "p" } == !round.isMultiple(of: 2)
      }
      let gone = try daemon.state().spool?.gone ?? []
      #expect(gone.map(\.records) == (round.isMultiple(of: 2) ? [150 * (round + 2)] : []))
    }
    try scratch.write("", to: "open")
    try await eventually("it has read its queue", detail: { "\((try? daemon.state()) as Any)" }) {
      try daemon.plugin("p").queued == 0
    }
    try daemon.files.configure(["spool_dir = \(scratch("spool"))", "stop_timeout = 60"])
    daemon.reload()
    try await daemon.finish()
    let receipt = Receipt(of: scratch.lines("out"), sent: sent)
    #expect(receipt.complete == sent.map(\.serial).filter { ($0 / 100).isMultiple(of: 2) })
    #expect(receipt.broken == [] && receipt.foreign == [])
  }

  @Test func `what a plugin that is gone had not read is given up when that is asked for`()
    async throws
  {
    let scratch = try Scratch()
    let first = try await start(scratch, "spill", "never", settings: ["stop_timeout = 0.100"])
    try await first.send(TestEvent.stream(1..<101))
    let refused = String(decoding: try first.files.request("discard p"), as: UTF8.self)
    #expect(refused.hasPrefix("error the plugin 'p' is active"))
    try await first.finish()
    try scratch.remove("plugins.d/p.conf")
    let other = PluginFile("other", try await Programs.plugin(), ["copy", scratch("other")])
    let second = try await Audispatchd(
      [other], settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"],
      scratch: scratch)
    try await eventually("it is reported", detail: { second.messages }) {
      try second.state().spool?.gone.map(\.name).contains("p") ?? false
    }
    let unknown = String(decoding: try second.files.request("discard q"), as: UTF8.self)
    #expect(unknown == "error the spool keeps nothing for a plugin 'q'; it does for: p\n")
    let answer = String(decoding: try second.files.request("discard p"), as: UTF8.self)
    #expect(answer == "ok\n100 records for p are given up\n")
    #expect(try second.state().spool?.given_up == 100)
    #expect(try second.state().spool?.gone.map(\.name).contains("p") == false)
    try await eventually("its files are gone") {
      try FileManager.default.contentsOfDirectory(atPath: scratch("spool")).count == 2
    }
    try await second.finish()
    let third = try await start(scratch, "spill", "copy")
    let last = TestEvent.stream(201..<301)
    try await third.send(last)
    try await third.finish()
    #expect(difference(scratch.lines("out"), last.records) == nil)
  }

  @Test func `what a plugin that is gone had not read is given up in time`() async throws {
    let scratch = try Scratch()
    let first = try await start(scratch, "spill", "never", settings: ["stop_timeout = 0.100"])
    try await first.send(TestEvent.stream(1..<101))
    try await first.finish()
    try scratch.remove("plugins.d/p.conf")
    let settings = ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"]
    let other = PluginFile("other", try await Programs.plugin(), ["copy", scratch("other")])
    // No plugin is durable now.
    let second = try await Audispatchd([other], settings: settings, scratch: scratch)
    try await eventually("it is reported", detail: { second.messages }) {
      try second.state().spool?.gone.map(\.name).contains("p") ?? false
    }
    #expect(try second.state().spool?.gone.first { $0.name == "p" }?.records == 100)
    try second.files.configure(settings + ["spool_keep = 1"])
    second.reload()
    try await eventually("it is given up", detail: { second.messages }) {
      second.messages.contains("the spool's 100 records for plugin p, which is not active for ")
    }
    #expect(try second.state().spool?.given_up == 100)
    #expect(try second.state().spool?.gone.map(\.name).contains("p") == false)
    try await eventually("its files are gone") {
      try FileManager.default.contentsOfDirectory(atPath: scratch("spool")).count == 2
    }
    try await second.finish()
    let third = try await start(scratch, "spill", "copy")
    let last = TestEvent.stream(201..<301)
    try await third.send(last)
    try await third.finish()
    #expect(difference(scratch.lines("out"), last.records) == nil)
  }

  @Test(arguments: [("spill", "syslog"), ("syslog", "lossless")])
  func `whether a queue is durable stays until a restart`(before: String, after: String)
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await start(scratch, before, "gate:" + scratch("open"))
    let text = scratch.text("plugins.d/p.conf").replacing("= \(before)", with: "= \(after)")
    try scratch.write(text, to: "plugins.d/p.conf")
    let answer = String(decoding: try daemon.files.request("reload"), as: UTF8.self)
    #expect(
      answer.contains(
        "plugin p: overflow_action = \(after) needs a restart of audispatchd; "
          + "until then it stays \(before)"))
    try await daemon.send(TestEvent.stream(1..<301))
    try await daemon.takenIn()
    #expect(try daemon.plugin("p").drops == (before == "spill" ? [:] : ["queue_full": 100]))
    try scratch.write("", to: "open")
    try await daemon.finish()
  }

  @Test(arguments: [("spill", "lossless"), ("lossless", "spill")])
  func `a reload can make a durable queue safer, or faster`(before: String, after: String)
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await start(scratch, before, "copy")
    let events = TestEvent.stream(1..<1001)
    try await daemon.send(events)
    let text = scratch.text("plugins.d/p.conf").replacing("= \(before)", with: "= \(after)")
    try scratch.write(text, to: "plugins.d/p.conf")
    daemon.reload()
    let later = TestEvent.stream(1001..<2001)
    try await daemon.send(later)
    try await daemon.takenIn()
    try await eventually("all is read") { try daemon.plugin("p").delivered == 2000 }
    try await daemon.finish()
    #expect(difference(scratch.lines("out"), events.records + later.records) == nil)
  }
}
