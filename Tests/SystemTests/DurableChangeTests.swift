import Foundation
import Testing

/// What becomes of a durable queue when its plugin goes, comes back, or is configured anew.
@Suite("Durable queues and their configuration", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct DurableChangeTests {
  @Test func `the queue of a plugin that is gone is reported and kept`() async throws {
    let scratch = try Scratch()
    let events = TestEvent.stream(1..<101)
    let first = try await DurableTests.start(
      scratch, "spill", "never", settings: ["stop_timeout = 0.100"])
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
    let third = try await DurableTests.start(
      scratch, "spill", "never", settings: ["stop_timeout = 0.100"])
    let later = TestEvent.stream(201..<301)
    try await third.send(later)
    try await third.finish()
    // What came after its return is not lost because of what came before it.
    let fourth = try await DurableTests.start(scratch, "spill", "copy")
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
    let daemon = try await DurableTests.start(
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
    let first = try await DurableTests.start(
      scratch, "spill", "never", settings: ["stop_timeout = 0.100"])
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
    let third = try await DurableTests.start(scratch, "spill", "copy")
    let last = TestEvent.stream(201..<301)
    try await third.send(last)
    try await third.finish()
    #expect(difference(scratch.lines("out"), last.records) == nil)
  }

  @Test func `what a plugin that is gone had not read is given up in time`() async throws {
    let scratch = try Scratch()
    let first = try await DurableTests.start(
      scratch, "spill", "never", settings: ["stop_timeout = 0.100"])
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
    let third = try await DurableTests.start(scratch, "spill", "copy")
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
    let daemon = try await DurableTests.start(scratch, before, "gate:" + scratch("open"))
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
    let daemon = try await DurableTests.start(scratch, before, "copy")
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
