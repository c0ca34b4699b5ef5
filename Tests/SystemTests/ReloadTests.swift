import Foundation
import Testing

/// What a reload does beyond the conformance cases.
@Suite("Reload", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ReloadTests {
  @Test func `a changed plugin is restarted with its queue`() async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [PluginFile("p", program, ["gate:" + scratch("never"), scratch("before")])],
      settings: ["stop_timeout = 0.300"], scratch: scratch)
    let events = TestEvent.stream(1..<501, records: 3, eoe: true)
    try await daemon.send(events)
    try await daemon.takenIn()
    try daemon.files.write(PluginFile("p", program, ["copy", scratch("after")]))
    daemon.reload()
    try await eventually("the successor has everything", detail: { daemon.messages }) {
      scratch.lines("after").count >= events.records.count
    }
    let state = try await daemon.finish()
    #expect(difference(scratch.lines("after"), events.records) == nil)
    #expect(try state.plugin("p").delivered == 2000)
    #expect(try state.plugin("p").droppedInAll == 0)
  }

  @Test(arguments: ["", "active = no", "active = yes\npath = /bin/true"])
  func `a file that somebody is writing keeps the plugin that runs`(_ half: String) async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    let events = TestEvent.stream(1..<21)
    try await daemon.send(Array(events[..<10]))
    let file = daemon.files.pluginFolder + "/p.conf"
    try Data(half.utf8).write(to: URL(fileURLWithPath: file))
    daemon.reload()
    try await eventually("it is said") {
      daemon.messages.contains("\(file) is empty or does not end with a newline")
    }
    try await daemon.send(Array(events[10...]))
    let state = try await daemon.finish()
    #expect(difference(scratch.lines("out"), events.records) == nil)
    #expect(try state.plugin("p").delivered == 20)
  }

  /// It may have read its own configuration before, and does not yet catch what would tell it.
  @Test func `a plugin that has only begun is told of a reload when it can take that`() async throws
  {
    let scratch = try Scratch()
    try scratch.write(
      """
      #!/bin/bash
      echo begins >> "$1"
      until [ -e "$1.read" ]; do sleep 0.01; done
      trap 'echo told >> "$1"' HUP
      while :; do sleep 0.01; done
      """, to: "p", mode: 0o755)
    let daemon = try await Audispatchd(
      [PluginFile("q", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    try daemon.files.write(PluginFile("p", scratch("p"), [scratch("said")]))
    daemon.reload()
    try await eventually("it has begun") { scratch.lines("said") == ["begins"] }
    _ = try daemon.files.request("reload")
    try scratch.write("", to: "said.read")
    try await eventually("it is told", detail: { daemon.messages }) {
      scratch.lines("said") == ["begins", "told"]
    }
    try await daemon.finish()
  }

  @Test func `a removed plugin reads its queue and ends`() async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [
        PluginFile("p", program, ["slow:4096:2000", scratch("out")]),
        PluginFile("other", program, ["copy", scratch("other")]),
      ], scratch: scratch)
    let events = TestEvent.stream(1..<1001, fill: 900)
    try await daemon.send(events)
    try await daemon.takenIn()
    try daemon.files.remove("p.conf")
    daemon.reload()
    try await eventually("it ends") {
      scratch.text("out.log").contains(" end")
    }
    #expect(difference(scratch.lines("out"), events.records) == nil)
    try await daemon.send(TestEvent.stream(2001..<2011))
    try await daemon.finish()
    #expect(scratch.lines("out").count == 1000)
    #expect(scratch.lines("other").count == 1010)
  }

  @Test func `a reload loses and repeats nothing while records flow`() async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [
        PluginFile("same", program, ["copy", scratch("same")]),
        PluginFile("changes", program, ["copy", scratch("changes")]),
      ], scratch: scratch)
    for round in 0..<10 {
      try await daemon.send(
        TestEvent.stream(round * 100..<round * 100 + 100, records: 2, eoe: true))
      try daemon.files.write(
        PluginFile("changes", program, ["copy", scratch("changes"), "\(round)"]))
      daemon.reload()
    }
    let events = TestEvent.stream(0..<1000, records: 2, eoe: true)
    let state = try await daemon.finish()
    #expect(difference(scratch.lines("same"), events.records) == nil)
    #expect(
      difference(scratch.lines("changes"), events.records) == nil, "\(state) \(daemon.messages)")
    #expect(!scratch.text("changes.log").contains("OVERLAP"))
    #expect(try state.plugin("same").restarts == 0)
  }

  @Test func `a broken file keeps the running plugin and is reported`() async throws {
    let scratch = try Scratch()
    let plugin = PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])
    let daemon = try await Audispatchd([plugin], scratch: scratch)
    try await eventually("it runs") { starts(scratch) == 1 }
    try daemon.files.write(PluginFile("p", text: plugin.text + "formt = string\n"))
    daemon.reload()
    try await eventually("a message", detail: { daemon.messages }) {
      daemon.messages.contains("formt") && daemon.messages.contains("p.conf")
    }
    try await daemon.send([TestEvent(1)])
    try await daemon.finish()
    #expect(scratch.lines("out") == TestEvent(1).lines)
    #expect(starts(scratch) == 1)
  }

  @Test func `an unusable configuration file changes nothing`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    try await eventually("it runs") { starts(scratch) == 1 }
    try daemon.files.configure(["q_depth = many"])
    daemon.reload()
    try await eventually("a message", detail: { daemon.messages }) {
      daemon.messages.contains("q_depth")
    }
    try await daemon.send([TestEvent(1)])
    try await daemon.finish()
    #expect(scratch.lines("out") == TestEvent(1).lines)
  }

  @Test func `the control socket reloads as SIGHUP does`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd([], scratch: scratch)
    try daemon.files.write(
      PluginFile("new", try await Programs.plugin(), ["copy", scratch("out")]))
    #expect(try daemon.files.request("reload").starts(with: Data("ok".utf8)))
    try await daemon.send([TestEvent(1)])
    try await daemon.finish()
    #expect(scratch.lines("out") == TestEvent(1).lines)
  }

  /// A plugin killed by the signal that we sent it has not failed.
  @Test func `a script lives through a reload`() async throws {
    let scratch = try Scratch()
    try scratch.write(
      "#!/bin/sh\nwhile read -r line; do echo \"$line\" >> \"$1\"; done\n", to: "p", mode: 0o755)
    let daemon = try await Audispatchd(
      [PluginFile("p", scratch("p"), [scratch("out")])], scratch: scratch)
    try await daemon.send([TestEvent(1)])
    try await eventually("the first event") { scratch.lines("out").count == 1 }
    let pid = try daemon.plugin("p").pid
    daemon.reload()
    try await daemon.send([TestEvent(2)])
    try await eventually("the second event") { scratch.lines("out").count == 2 }
    #expect(try daemon.plugin("p").pid == pid)
    try await daemon.finish()
  }
}

/// `single` and `halt`, with something harmless in place of the real thing.
@Suite("Actions on the host", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct HostActionTests {
  @Test(arguments: ["single", "halt"])
  func `a full queue executes what was set for it, once`(action: String) async throws {
    let scratch = try Scratch()
    try scratch.write("#!/bin/sh\necho \"$@\" >> \"$1\"\n", to: "act", mode: 0o755)
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["never", scratch("out")], "q_depth = 5",
          "overflow_action = \(action)")
      ],
      settings: [
        "single_exe = \(scratch("act")) \(scratch("single")) now",
        "halt_exe = \(scratch("act")) \(scratch("halt")) now", "stop_timeout = 0.100",
      ], scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<1001, fill: 500))
    try await daemon.takenIn()
    try await eventually("it is executed") { scratch.lines(action).count > 0 }
    try await daemon.finish()
    #expect(scratch.lines(action) == [scratch(action) + " now"])
    #expect(!scratch.exists(action == "single" ? "halt" : "single"))
  }
}
