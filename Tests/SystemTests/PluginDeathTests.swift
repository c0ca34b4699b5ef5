import Foundation
import Testing

/// What a plugin's death costs: nothing but time.
@Suite("A plugin's death", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct PluginDeathTests {
  @Test func `the successor gets everything that was not read`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("out")])],
      scratch: scratch)
    try await eventually("it runs") { starts(scratch) == 1 }
    let events = TestEvent.stream(1..<401, records: 3, eoe: true, fill: 300)
    try await daemon.send(events)
    try await daemon.takenIn()
    #expect(try daemon.plugin("p").queued == events.records.count)
    kill(pids(scratch)[0], SIGKILL)
    try await eventually("a successor") { starts(scratch) == 2 }
    try scratch.write("", to: "open")
    let state = try await daemon.finish()
    #expect(difference(scratch.lines("out"), events.records) == nil)
    let plugin = try state.plugin("p")
    #expect(plugin.restarts == 1)
    // It had read nothing: what is sent now is not sent again.
    #expect(plugin.redelivered == 0)
  }

  /// A plugin that dies in the middle of every other event: its successor begins with that event.
  @Test
  func `the successor starts with the first record of the event that was not read to its end`()
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["exit:6:1", scratch("out")], "restart_delay = 0.02")
      ],
      scratch: scratch)
    // Events of four records; each life reads one whole and half of the next.
    let events = TestEvent.stream(1..<6, records: 3, eoe: true)
    try await daemon.send(events)
    let lives = (0..<4).flatMap { events[$0].lines + events[$0 + 1].lines[..<2] }
    let expected = lives + events[4].lines
    try await eventually("five lives", detail: { "\(scratch.lines("out"))" }) {
      scratch.lines("out").count >= expected.count
    }
    let state = try await daemon.finish()
    #expect(difference(scratch.lines("out"), expected) == nil)
    let plugin = try state.plugin("p")
    #expect(plugin.received == 20)
    #expect(plugin.delivered == 20)
    #expect(plugin.redelivered >= 8)
  }

  @Test func `two generations never overlap, and a death harms no other plugin`() async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [
        PluginFile("dies", program, ["exit:10:0", scratch("out")], "restart_delay = 0.01"),
        PluginFile("lives", program, ["copy", scratch("lives")]),
      ], scratch: scratch)
    let events = TestEvent.stream(1..<101)
    try await daemon.send(events)
    try await eventually("ten lives") { starts(scratch) >= 10 }
    try await eventually("all read") { scratch.lines("out").count >= 100 }
    let state = try await daemon.finish()
    #expect(difference(scratch.lines("out"), events.records) == nil)
    #expect(difference(scratch.lines("lives"), events.records) == nil)
    #expect(!scratch.text("out.log").contains("OVERLAP"))
    #expect(starts(scratch, "lives") == 1)
    #expect(try state.plugin("lives").restarts == 0)
  }

  @Test func `a held plugin keeps its queue and is tried again when resumed`() async throws {
    let scratch = try Scratch()
    try scratch.write(
      "#!/bin/sh\n[ -e \"$1\" ] || exit 1\nexec cat > \"$2\"\n", to: "p", mode: 0o755)
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", scratch("p"), [scratch("allowed"), scratch("out")], "max_restarts = 2",
          "restart_delay = 0.01")
      ], scratch: scratch)
    let events = TestEvent.stream(1..<11)
    try await daemon.send(events)
    try await eventually("held") { try daemon.plugin("p").state == "held" }
    #expect(try daemon.plugin("p").queued == 10)
    try scratch.write("", to: "allowed")
    #expect(try daemon.files.request("resume p").starts(with: Data("ok".utf8)))
    try await eventually("all there") { scratch.lines("out") == events.records }
    try await daemon.finish()
  }

  @Test func `an executable that cannot be executed is reported and harms nobody`() async throws {
    let scratch = try Scratch()
    try scratch.write("#!/nonexistent/interpreter\n", to: "p", mode: 0o755)
    let daemon = try await Audispatchd(
      [
        PluginFile("bad", scratch("p"), [], "max_restarts = 1", "restart_delay = 0.01"),
        PluginFile("good", try await Programs.plugin(), ["copy", scratch("out")]),
      ], settings: ["stop_timeout = 0.200"], scratch: scratch)
    try await daemon.send([TestEvent(1)])
    try await eventually("held") { try daemon.plugin("bad").state == "held" }
    #expect(daemon.messages.contains("bad"))
    #expect(daemon.messages.contains("No such file or directory"))
    let state = try await daemon.finish()
    #expect(scratch.lines("out") == TestEvent(1).lines)
    #expect(try state.plugin("bad").drops == ["stop_deadline": 1])
  }

  /// Plugins run as other users too, and see nothing of the dispatcher.
  @Test func `a plugin's environment is what the manual says and nothing of ours`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["dump", scratch("out")])], scratch: scratch,
      environment: ["PATH": "/x", "SECRET": "1", "LANG": "de_DE", "LD_LIBRARY_PATH": ""])
    try await eventually("the dump") { scratch.lines("out").last == "done" }
    let names = scratch.lines("out").filter { $0.hasPrefix("env ") }.map {
      String($0.dropFirst(4).prefix { $0 != "=" })
    }
    #expect(Set(names).isSuperset(of: ["PATH", "AUDISPATCH_PLUGIN", "AUDISPATCH_RUNTIME_DIR"]))
    #expect(Set(names).isDisjoint(with: ["SECRET", "LANG", "LD_LIBRARY_PATH", "AUDISPATCH_FIRST"]))
    #expect(!scratch.lines("out").contains("env PATH=/x"))
    try await daemon.finish()
  }

  @Test func `what a plugin says is shown under its name, at a bounded rate`() async throws {
    let scratch = try Scratch()
    try scratch.write(
      "#!/bin/sh\necho to output\necho to error >&2\nyes flood | head -n 20000\nexec cat > \"$1\"\n",
      to: "p", mode: 0o755)
    let daemon = try await Audispatchd(
      [PluginFile("talks", scratch("p"), [scratch("out")])], scratch: scratch)
    try await daemon.send([TestEvent(1)])
    try await eventually("the event") { scratch.lines("out") == TestEvent(1).lines }
    try await daemon.finish()
    let said = split(daemon.messages).filter { $0.contains("talks") }
    #expect(said.contains { $0.contains("to output") })
    #expect(said.contains { $0.contains("to error") })
    #expect(said.count { $0.contains("flood") } < 2_000)
  }
}
