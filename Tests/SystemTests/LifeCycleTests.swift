import Foundation
import Testing

/// Cases L1 to L12, tried with auditd's dispatcher and with ours.
@Suite("The life of a plugin", .inTurn, .enabled(if: RealAuditd.isHere, RealAuditd.why))
struct LifeCycleTests {
  @Test("L1 a plugin starts in a known state", arguments: DispatcherKind.allCases)
  func start(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let dispatcher = try await kind.start(
      [PluginFile("p", program, ["dump", scratch("out")])], scratch: scratch)
    try await eventually("the dump") { scratch.lines("out").last == "done" }
    let lines = scratch.lines("out")
    func values(_ key: String) -> [String] {
      lines.filter { $0.hasPrefix(key + " ") }.map { String($0.dropFirst(key.count + 1)) }
    }
    #expect(values("argv") == [program, "dump", scratch("out")])
    #expect(values("stdin") == ["stream-socket blocking"])
    #expect(values("fd").map { $0.prefix(2) } == ["0 ", "1 ", "2 "])
    let status = values("status").map { $0.replacing("\t", with: " ") }
    #expect(status.contains("SigBlk: 0000000000000000"))
    let mask = try #require(status.first { $0.hasPrefix("SigIgn: ") }).dropFirst(8)
    let ignored = try #require(UInt64(mask, radix: 16))
    for signal in [SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGUSR1] {
      #expect((ignored >> UInt64(signal - 1) & 1 == 1) == (kind == .auditd309), "\(signal)")
    }
    #expect(status.contains("SigCgt: 0000000000000000"))
    #expect(values("nice") == [Expected(auditd309: "-4", ours: "0")[kind]])
    #expect(values("env").isEmpty == Expected(auditd309: true, ours: false)[kind])
    try await end(dispatcher)
  }

  @Test("L2 a plugin that dies after each line", arguments: DispatcherKind.allCases)
  func deathWithProgress(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let dispatcher = try await kind.start(
      [PluginFile("p", try await Programs.plugin(), ["exit:1:1", scratch("out")])],
      settings: ["max_restarts": "2"], scratch: scratch)
    switch kind {
    case .auditd309:
      // Three lives, and the rest is lost without a count.
      try await Self.sendUntil(dispatcher, "three lives") {
        scratch.lines("out.log").count { $0.hasSuffix(" end") } == 3
      }
      try await Self.sendFurther(dispatcher)
      #expect(starts(scratch) == 3)
      #expect(scratch.lines("out").count <= 3)
    case .ours:
      // A life that read something is no failure: everything arrives, once and in order.
      let events = TestEvent.stream(1..<13)
      for event in events { try await dispatcher.send([event]) }
      try await eventually(
        "all lines",
        detail: { "\(scratch.lines("out")) \((dispatcher as? Audispatchd)?.messages ?? "")" }
      ) {
        scratch.lines("out").count == events.count
      }
      #expect(scratch.lines("out") == events.records)
    }
    try await end(dispatcher)
  }

  @Test("L2 a plugin that reads nothing and dies", arguments: DispatcherKind.allCases)
  func deathWithoutProgress(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let dispatcher = try await kind.start(
      [PluginFile("p", try await Programs.plugin(), ["exit:0:1", scratch("out")])],
      settings: ["max_restarts": "2"], scratch: scratch)
    switch kind {
    case .auditd309:
      try await Self.sendUntil(dispatcher, "three lives") {
        scratch.lines("out.log").count { $0.hasSuffix(" end") } == 3
      }
      try await Self.sendFurther(dispatcher)
    case .ours:
      try await dispatcher.send(TestEvent.stream(1..<20))
      let ours = try #require(dispatcher as? Audispatchd)
      try await eventually("it is held") { try ours.plugin("p").state == "held" }
      #expect(try ours.plugin("p").queued == 19)
    }
    #expect(starts(scratch) == 3)
    try await end(dispatcher)
  }

  @Test("L3 max_restarts = 0 means never again", arguments: DispatcherKind.allCases)
  func neverRestarted(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let dispatcher = try await kind.start(
      [PluginFile("p", try await Programs.plugin(), ["exit:1:1", scratch("out")])],
      settings: ["max_restarts": "0"], scratch: scratch)
    try await Self.sendUntil(dispatcher, "its one life") {
      scratch.text("out.log").contains(" end")
    }
    try await Self.sendFurther(dispatcher)
    #expect(starts(scratch) == 1)
    try await end(dispatcher)
  }

  /// Sends one event after another until it shows.
  static func sendUntil(
    _ dispatcher: any Dispatcher, _ what: String, _ condition: () -> Bool
  ) async throws {
    var serial = 0
    try await eventually(what) {
      serial += 1
      try await dispatcher.send([TestEvent(serial)])
      try await Task.sleep(for: .milliseconds(20))
      return condition()
    }
  }

  /// Sends a few more events, each of which would start a plugin that may be started.
  static func sendFurther(_ dispatcher: any Dispatcher) async throws {
    for event in TestEvent.stream(5001..<5008) {
      try await dispatcher.send([event])
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  @Test("L4 death is seen without a further event", arguments: DispatcherKind.allCases)
  func deathInSilence(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let dispatcher = try await kind.start(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    try await dispatcher.send([TestEvent(1)])
    try await eventually("the event") { scratch.text("out").contains(TestEvent(1).lines[0]) }
    kill(try #require(pids(scratch).first), SIGKILL)
    switch kind {
    case .auditd309:
      try await Task.sleep(for: .milliseconds(500))
      #expect(starts(scratch) == 1)
    case .ours:
      try await eventually("the next start") { starts(scratch) == 2 }
    }
    try await end(dispatcher)
  }

  @Test(
    "L5 the first event after a death goes to the successor", arguments: DispatcherKind.allCases)
  func eventAfterDeath(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let dispatcher = try await kind.start(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    let events = TestEvent.stream(1..<3)
    try await dispatcher.send([events[0]])
    try await eventually("the event") { scratch.text("out").contains(events[0].lines[0]) }
    let pid = try #require(pids(scratch).first)
    kill(pid, SIGKILL)
    try await eventually("it is dead") { hasEnded(pid) }
    try await dispatcher.send([events[1]])
    try await eventually(
      "the second event",
      detail: { "\(scratch.lines("out")) \((dispatcher as? Audispatchd)?.messages ?? "")" }
    ) {
      Receipt(of: scratch.lines("out"), sent: events).complete == [1, 2]
    }
    #expect(starts(scratch) == 2)
    try await end(dispatcher)
  }

  // auditd 3.0.9 initialises its dispatcher again, but starts the plugin or gives it events only
  // at times: its side of the table cannot be held to anything.
  @Test("L11 dispatch goes on after a time without plugins")
  func withoutPlugins() async throws {
    let scratch = try Scratch()
    let plugin = PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])
    let daemon = try await Audispatchd([plugin], scratch: scratch)
    try await eventually("it runs") { starts(scratch) == 1 }
    try daemon.files.remove("p.conf")
    daemon.reload()
    try await eventually("it ends") { scratch.text("out.log").contains(" end") }
    try await daemon.send([TestEvent(1)])
    try await daemon.takenIn()
    try daemon.files.write(plugin)
    daemon.reload()
    try await eventually("it runs again") { starts(scratch) == 2 }
    try await daemon.send([TestEvent(2)])
    try await eventually("the event") { scratch.lines("out") == TestEvent(2).lines }
    try await daemon.finish()
  }

  @Test("L12 SIGTERM ends the plugins and the daemon", arguments: DispatcherKind.allCases)
  func terminated(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let dispatcher = try await kind.start(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    try await eventually("it runs") { starts(scratch) == 1 }
    dispatcher.child.signal(SIGTERM)
    #expect(try await dispatcher.child.end() == .exited(0))
    try await eventually("the plugin saw the end of its input") {
      scratch.text("out.log").contains(" end")
    }
  }
}

/// Ends a dispatcher in order; of ours, the counts must be exact.
func end(_ dispatcher: any Dispatcher, _ location: SourceLocation = #_sourceLocation) async throws {
  if let ours = dispatcher as? Audispatchd {
    try await ours.finish(location)
  } else {
    dispatcher.child.signal(SIGTERM)
    let end = try await dispatcher.child.end()
    #expect(end == .exited(0), sourceLocation: location)
  }
}

/// How often the plugin that writes to `name` was started.
func starts(_ scratch: Scratch, _ name: String = "out") -> Int { pids(scratch, name).count }

/// Whether a process is gone, or only its remains are there.
func hasEnded(_ pid: pid_t) -> Bool {
  let status = String(decoding: contents("/proc/\(pid)/stat"), as: UTF8.self)
  guard let bracket = status.lastIndex(of: ")") else { return true }
  return status[bracket...].hasPrefix(") Z")
}

/// The processes that plugin has had, oldest first.
func pids(_ scratch: Scratch, _ name: String = "out") -> [pid_t] {
  scratch.lines(name + ".log").filter { $0.hasSuffix(" start") }.compactMap {
    pid_t($0.split(separator: " ")[1])
  }
}
