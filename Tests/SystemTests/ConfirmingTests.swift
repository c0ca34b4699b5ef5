import Foundation
import Linux
import Testing

/// `confirm = yes`: what a plugin says that it is done with, and what it is given again.
@Suite("Confirmed delivery", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ConfirmingTests {
  private func plugin(_ scratch: Scratch, _ mode: String, _ further: String) async throws
    -> PluginFile
  {
    PluginFile(
      "p", try await Programs.plugin(), [mode, scratch("out")], "confirm = yes", further)
  }

  @Test func `delivered is what was confirmed, and no more`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [try await plugin(scratch, "confirm:100", "max_restarts = 0")], scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<251))
    try await eventually("all is read") { scratch.lines("out").count == 250 }
    try await eventually("two hundred are confirmed") {
      try daemon.plugin("p").delivered == 200 && daemon.plugin("p").queued == 50
    }
    // The rest is confirmed at the end of the plugin's input, when the time to read is over.
    try daemon.files.configure(["stop_timeout = 0.100"])
    daemon.reload()
    try await eventually("it is read", detail: { daemon.messages }) {
      daemon.messages.contains("configuration read again")
    }
    let state = try await daemon.finish()
    #expect(try state.plugin("p").delivered == 250)
    #expect(try state.plugin("p").redelivered == 0)
  }

  @Test(arguments: [(1, 700), (7, 500), (64, 900), (1000, 1500)])
  func `repeats have their number, and only what was unconfirmed is repeated`(
    every: Int, die: Int
  ) async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        try await plugin(
          scratch, "confirm:\(every):\(die)", "restart_delay = 0.010\nmax_restarts = 1000")
      ], settings: ["stop_timeout = 0.500"], scratch: scratch)
    let events = TestEvent.stream(1..<2001, records: 2, eoe: true)
    try await daemon.send(events)
    // What it confirms at the end of its input only is less than it confirms at once.
    try await eventually("all is given") {
      try daemon.plugin("p").delivered > events.records.count - every
        && scratch.lines("out").last?.hasSuffix(events.records[events.records.count - 1]) == true
    }
    let state = try await daemon.finish()
    var next = 1
    var repeats = 0
    var starts = scratch.lines("out.log").compactMap { line in
      line.firstMatch(of: #/ first (\d+)$/#).flatMap { Int($0.1) }
    }[...]
    #expect(starts.popFirst() == 1)
    for line in scratch.lines("out") {
      let words = line.split(separator: " ", maxSplits: 1)
      let number = try #require(Int(words[0]))
      #expect(number >= 1 && String(words[1]) == events.records[number - 1])
      if number != next {
        // A successor: it begins where it was told to, with at most what was not confirmed.
        #expect(starts.popFirst() == number)
        #expect(number < next && next - number < every + 1)
        repeats += next - number
        next = number
      }
      next += 1
    }
    #expect(next == events.records.count + 1)
    #expect(try state.plugin("p").delivered == events.records.count)
    #expect(try state.plugin("p").redelivered >= repeats)
    #expect(try state.plugin("p").restarts > 2)
  }

  @Test(arguments: ["ok 1000000\n", "okay\n", "ok 99999999999999999999999\n", "ok\n", "\0\n"])
  func `nonsense confirms nothing and is reported`(answer: String) async throws {
    let scratch = try Scratch()
    try scratch.write(answer, to: "answer")
    try scratch.write(
      "#!/bin/sh\ncat \"$1\" >&0\nexec sleep 600\n", to: "plugin", mode: 0o755)
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", scratch("plugin"), [scratch("answer")], "confirm = yes", "stop_timeout = 0.100")
      ], scratch: scratch)
    try await daemon.send([TestEvent(1)])
    try await eventually("a message", detail: { daemon.messages }) {
      daemon.messages.contains("plugin p confirmed 1000000")
        || daemon.messages.contains("where only 'ok N' has a meaning")
    }
    #expect(try daemon.plugin("p").delivered == 0)
    let state = try await daemon.finish()
    #expect(try state.plugin("p").drops == ["stop_deadline": 1])
  }

  /// From another host, or a log that is read again.
  @Test func `a record that looks like a gap record of the plugin's is one like any other`()
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["confirm:1:0", scratch("out")], "confirm = yes",
          "q_depth = 40")
      ], scratch: scratch)
    let others = (0..<50).map {
      "type=DAEMON_ERR msg=audit(1.000:\($0)): op=queue-drop plugin=p dropped=3 events=1 "
        + "reason=queue_full res=failed"
    }
    let all = others + TestEvent.stream(100..<400).records
    for start in stride(from: 0, to: all.count, by: 10) {
      try await daemon.send(Array(all[start..<start + 10]))
      try await eventually("they are confirmed", detail: { scratch.text("out") }) {
        try daemon.plugin("p").delivered == start + 10
      }
    }
    let state = try await daemon.finish()
    #expect(try state.plugin("p").drops == [:])
    #expect(
      scratch.lines("out") == all.enumerated().map { "\($0.offset + 1) \($0.element)" })
  }

  @Test func `half a line is waited for at no cost`() async throws {
    let scratch = try Scratch()
    try scratch.write(
      "#!/bin/sh\nprintf ok >&0\nuntil [ -e \"$1\" ]; do sleep 0.05; done\n"
        + "printf ' 1\\n' >&0\nexec sleep 600\n",
      to: "plugin", mode: 0o755)
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", scratch("plugin"), [scratch("open")], "confirm = yes", "stop_timeout = 0.100")
      ], scratch: scratch)
    try await daemon.send([TestEvent(1)])
    try await daemon.takenIn()
    try await Task.sleep(for: .milliseconds(200))
    let before = try cpuTicks(of: #require(daemon.worker))
    try await Task.sleep(for: .milliseconds(500))
    #expect(try cpuTicks(of: #require(daemon.worker)) - before < 10)
    #expect(try daemon.plugin("p").delivered == 0)
    try scratch.write("", to: "open")
    try await eventually("the line is whole") { try daemon.plugin("p").delivered == 1 }
    try await daemon.finish()
  }

  @Test func `a plugin that confirms without end waits`() async throws {
    let scratch = try Scratch()
    try scratch.write("#!/bin/sh\nexec yes 'ok 0' >&0\n", to: "plugin", mode: 0o755)
    let daemon = try await Audispatchd(
      [PluginFile("p", scratch("plugin"), [], "confirm = yes", "stop_timeout = 0.100")],
      scratch: scratch)
    let began = Moment.now
    try await Task.sleep(for: .milliseconds(500))
    let written = String(
      decoding: contents("/proc/\(try daemon.plugin("p").pid)/io"), as: UTF8.self)
    // 16 KiB in a millisecond at most, and what the socket holds.
    let limit = ((Moment.now - began).inNanoseconds / 1_000_000 + 1) * (16 << 10) + (512 << 10)
    let bytes = try #require(written.firstMatch(of: #/wchar: (\d+)/#).flatMap { Int64($0.1) })
    #expect(bytes > 16 << 10 && bytes <= limit)
    try await daemon.finish()
  }

  @Test(arguments: ["confirm = yes", "confirm = no"])
  func `a plugin that closes its input both ways costs nothing`(confirm: String) async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["deaf", scratch("out")], confirm,
          "stop_timeout = 0.100"),
        PluginFile("other", try await Programs.plugin(), ["copy", scratch("other")]),
      ], scratch: scratch)
    try await eventually("it is deaf") { scratch.text("out.log").contains(" deaf") }
    let events = TestEvent.stream(0..<100)
    try await daemon.send(events)
    try await eventually("the other has all") { scratch.lines("other").count == 100 }
    let before = try cpuTicks(of: #require(daemon.worker))
    try await Task.sleep(for: .milliseconds(500))
    #expect(try cpuTicks(of: #require(daemon.worker)) - before < 10)
    let state = try await daemon.finish()
    #expect(try state.plugin("p").drops == ["stop_deadline": 100])
  }

  @Test func `a plugin that does not ask is told no number`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["dump", scratch("out")])
      ], scratch: scratch)
    try await eventually("it runs") { scratch.lines("out").contains("done") }
    try await daemon.finish()
    #expect(!scratch.text("out").contains("AUDISPATCH_FIRST"))
  }
}
