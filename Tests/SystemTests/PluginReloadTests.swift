import Foundation
import Testing

/// Cases L6 to L10, tried with auditd's dispatcher and with ours.
@Suite("A plugin and a reload", .inTurn, .enabled(if: RealAuditd.isHere, RealAuditd.why))
struct PluginReloadTests {
  @Test("L6 a reload without changes keeps every process", arguments: DispatcherKind.allCases)
  func reloadUnchanged(kind: DispatcherKind) async throws {
    try await kind.withSignals { audit in
      let scratch = try Scratch()
      let program = try await Programs.plugin()
      let dispatcher = try await kind.start(
        [
          PluginFile("catches", program, ["catch", scratch("catches")]),
          PluginFile("plain", program, ["copy", scratch("plain")]),
        ], audit: audit, scratch: scratch)
      let events = TestEvent.stream(1..<3)
      try await dispatcher.send([events[0]])
      try await eventually("both have the first event") {
        scratch.text("plain").contains(events[0].lines[0])
          && scratch.text("catches").contains(events[0].lines[0])
      }
      dispatcher.reload()
      try await eventually("SIGHUP") { scratch.text("catches.log").contains("HUP") }
      try await dispatcher.send([events[1]])
      for name in ["catches", "plain"] {
        try await eventually("\(name) has both events") {
          Receipt(of: scratch.lines(name), sent: events).complete == [1, 2]
        }
        #expect(pids(scratch, name).count == 1)
      }
      try await end(dispatcher)
    }
  }

  enum Change: String, CaseIterable, Sendable { case inactive, removed, broken }

  @Test(
    "L7 a reload after a plugin's file was changed for the worse",
    arguments: DispatcherKind.allCases, Change.allCases)
  func reloadChanged(kind: DispatcherKind, change: Change) async throws {
    try await kind.withSignals { audit in
      let scratch = try Scratch()
      let program = try await Programs.plugin()
      let changed = PluginFile("p", program, ["copy", scratch("out")])
      let dispatcher = try await kind.start(
        [changed, PluginFile("other", program, ["catch", scratch("other")])], audit: audit,
        scratch: scratch)
      try await eventually("both run") {
        starts(scratch) == 1 && scratch.text("other.log").contains("ready")
      }
      switch change {
      case .inactive:
        try dispatcher.files.write(PluginFile("p", text: changed.text + "active = no\n"))
      case .removed: try dispatcher.files.remove("p.conf")
      case .broken:
        try dispatcher.files.write(PluginFile("p", text: changed.text + "nonsense = 1\n"))
      }
      dispatcher.reload()
      try await eventually("the reload") { scratch.text("other.log").contains("HUP") }
      if kind == .ours && change == .broken {
        try await dispatcher.send([TestEvent(1)])
        try await eventually("an event") { scratch.lines("out") == TestEvent(1).lines }
        #expect(!scratch.text("out.log").contains(" end"))
      } else {
        try await eventually("it ends") { scratch.text("out.log").contains(" end") }
      }
      #expect(starts(scratch) == 1)
      #expect(pids(scratch, "other").count == 1)
      try await end(dispatcher)
    }
  }

  @Test("L8 a reload starts a new file's plugin", arguments: DispatcherKind.allCases)
  func reloadNew(kind: DispatcherKind) async throws {
    try await kind.withSignals { audit in
      let scratch = try Scratch()
      let program = try await Programs.plugin()
      let dispatcher = try await kind.start(
        [PluginFile("old", program, ["catch", scratch("old")])], audit: audit, scratch: scratch)
      try await eventually("the old one is ready") { scratch.text("old.log").contains("ready") }
      try dispatcher.files.write(PluginFile("new", program, ["copy", scratch("new")]))
      dispatcher.reload()
      try await eventually("the new one runs, the old one was told") {
        starts(scratch, "new") == 1 && scratch.text("old.log").contains("HUP")
      }
      #expect(pids(scratch, "old").count == 1)
      try await end(dispatcher)
    }
  }

  @Test(
    "L9 a reload restarts a plugin whose executable was replaced",
    arguments: DispatcherKind.allCases)
  func reloadReplaced(kind: DispatcherKind) async throws {
    try await kind.withSignals { audit in
      let scratch = try Scratch()
      let program = contents(try await Programs.plugin())
      try scratch.write(program, to: "program", mode: 0o755)
      let dispatcher = try await kind.start(
        [PluginFile("p", scratch("program"), ["catch", scratch("out")])], audit: audit,
        scratch: scratch)
      try await eventually("it is ready") { scratch.text("out.log").contains("ready") }
      try scratch.write(program, to: "program.new", mode: 0o755)
      unsafe rename(scratch("program.new"), scratch("program"))
      dispatcher.reload()
      try await eventually("the second is ready") {
        scratch.lines("out.log").count { $0.hasSuffix(" ready") } == 2
      }
      #expect(starts(scratch) == 2)
      #expect(!scratch.text("out.log").contains("HUP"))
      // auditd starts the successor 50 ms after its SIGTERM, whether or not the other has ended.
      if kind == .ours { #expect(!scratch.text("out.log").contains("OVERLAP")) }
      try await end(dispatcher)
    }
  }

  @Test("L10 a reload applies changed arguments", arguments: DispatcherKind.allCases)
  func reloadArguments(kind: DispatcherKind) async throws {
    try await kind.withSignals { audit in
      let scratch = try Scratch()
      let program = try await Programs.plugin()
      let dispatcher = try await kind.start(
        [
          PluginFile("p", program, ["copy", scratch("before")]),
          PluginFile("other", program, ["catch", scratch("other")]),
        ], audit: audit, scratch: scratch)
      try await eventually("both run") {
        starts(scratch, "before") == 1 && scratch.text("other.log").contains("ready")
      }
      try dispatcher.files.write(PluginFile("p", program, ["copy", scratch("after")]))
      dispatcher.reload()
      try await eventually("the reload") { scratch.text("other.log").contains("HUP") }
      switch kind {
      case .auditd309:
        try await Task.sleep(for: .milliseconds(200))
        #expect(starts(scratch, "after") == 0)
      case .ours:
        try await eventually("the new arguments") { starts(scratch, "after") == 1 }
        #expect(scratch.text("before.log").contains(" end"))
      }
      try await end(dispatcher)
    }
  }
}
