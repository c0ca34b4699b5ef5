import Foundation
import Testing

/// What another dispatching process finds, and whom it waits for, when one was killed.
@Suite("A dispatching process's successor", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct SuccessionTests {
  /// The stopped one is made to end five seconds later. Within 50 ms; a build that is not optimised, or
  /// a busy machine, takes longer for any death: then it is held against that.
  @Test func `lets each plugin go on as soon as without another's predecessor that stays`()
    async throws
  {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [
        PluginFile("reads", program, ["copy", scratch("reads")]),
        PluginFile("stopped", program, ["copy", scratch("stopped")]),
      ], scratch: scratch)
    let usual = try await quickest(of: 0..<5, daemon, stopping: false, enough: .zero)
    #expect(usual < .seconds(2))
    let bound = max(.milliseconds(50), usual * 3 / 2)
    let quickest = try await quickest(of: 5..<10, daemon, stopping: true, enough: bound)
    #expect(quickest <= bound, "usually \(usual)")
    try await eventually("the stopped one is replaced") {
      try isRunning(daemon, ["reads", "stopped"])
    }
    try await daemon.finish()
    #expect(!scratch.text("stopped.log").contains("OVERLAP"))
  }

  /// Kills the worker some times, and sends an event each time.
  ///
  /// - Parameters:
  ///   - stopping: whether the other plugin cannot end when its input does.
  ///   - enough: as quick as this is quick enough.
  /// - Returns: the shortest time from a death until the plugin that reads had the event.
  private func quickest(
    of rounds: Range<Int>, _ daemon: Audispatchd, stopping: Bool, enough: Duration
  ) async throws -> Duration {
    var quickest = Duration.seconds(60)
    for round in rounds where quickest > enough {
      try await eventually("both run") { try isRunning(daemon, ["reads", "stopped"]) }
      let stopped = try daemon.plugin("stopped").pid
      if stopping { kill(stopped, SIGSTOP) }
      let worker = try #require(daemon.worker)
      let killed = ContinuousClock.now
      kill(worker, SIGKILL)
      try await daemon.send([TestEvent(round)])
      while !daemon.files.scratch.lines("reads").contains(where: { $0.contains(":\(round))") }),
        ContinuousClock.now - killed < quickest
      { try await Task.sleep(for: .milliseconds(1)) }
      quickest = min(quickest, ContinuousClock.now - killed)
      #expect(!stopping || kill(stopped, 0) == 0)
    }
    return quickest
  }

  /// Nobody keeps the socket then of a plugin's child that has not ended: by the list of children its
  /// end is seen all the same.
  @Test(arguments: ["ignore", "lossless"])
  func `goes on with every plugin though the keeper dies, too`(action: String) async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["copy", scratch("out")],
          "overflow_action = \(action)")
      ], settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch)
    try await daemon.send(TestEvent.stream(0..<10))
    try await eventually("it has them") { try daemon.plugin("p").delivered == 10 }
    let stopped = try daemon.plugin("p").pid
    kill(stopped, SIGSTOP)
    try await daemon.dieAndGoOn()
    let worker = try #require(daemon.worker)
    daemon.child.signal(SIGKILL)
    #expect(try await daemon.child.end() == .signalled(SIGKILL))
    try await daemon.send(TestEvent.stream(10..<20))
    try await eventually("it is started again and has the rest", detail: { daemon.messages }) {
      try daemon.plugin("p").delivered == 20
    }
    // What remains of it may not have been reaped.
    let stat = (try? String(contentsOfFile: "/proc/\(stopped)/stat", encoding: .utf8)) ?? ") Z "
    #expect(stat.contains(") Z "), "two generations never overlap")
    daemon.finishInput()
    try await eventually("the worker ends") { kill(worker, 0) != 0 }
    #expect(scratch.lines("out").suffix(10) == TestEvent.stream(10..<20).records.suffix(10))
  }

  /// A plugin that was added has the place in the surviving memory of one that is gone, and nothing was
  /// published of it when the worker dies: it has had no child and no record.
  @Test func `takes no plugin's past for that of the one in its place`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("gone", try await Programs.plugin(), ["copy", scratch("gone")])],
      scratch: scratch)
    try await daemon.send(TestEvent.stream(0..<10))
    try await eventually("it has them") { try daemon.plugin("gone").delivered == 10 }
    try daemon.files.remove("gone.conf")
    daemon.reload()
    try await eventually("it is gone") { try daemon.state().plugins.isEmpty }
    try scratch.write("no program\n", to: "broken", mode: 0o755)
    try daemon.files.write(PluginFile("new", scratch("broken"), []))
    daemon.reload()
    try await eventually("the new one is there, without a child", detail: { daemon.messages }) {
      try daemon.state().plugins.contains { $0.name == "new" }
        && daemon.messages.contains("Exec format error")
    }
    try await daemon.dieAndGoOn()
    let new = try daemon.plugin("new")
    #expect(new.received == 0 && new.delivered == 0 && new.queued == 0)
    daemon.child.signal(SIGTERM)
    _ = try await daemon.child.end()
  }

  @Test func `keeps the runtime folder from another daemon that waits for it`() async throws {
    let scratch = try Scratch()
    let plugin = PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])
    let first = try await Audispatchd([plugin], scratch: scratch)
    let second = try await Audispatchd([plugin], scratch: scratch, awaitsControl: false)
    try await eventually("the second one waits", detail: { second.messages }) {
      // Both write into the same files.
      second.messages.contains("another audispatchd uses")
    }
    for round in 0..<5 {
      let worker = try #require(first.worker)
      kill(worker, SIGKILL)
      try await eventually("the first one serves again") {
        guard let state = first.files.stateIfAny() else { return false }
        return try state.daemon.pid != worker && state.plugin("p").state == "running"
      }
      #expect(try first.state().daemon.pid == first.worker)
      #expect(try first.state().daemon.deaths == round + 1)
    }
    first.child.signal(SIGTERM)
    #expect(try await first.child.end(within: .seconds(90)) == .exited(0))
    try await eventually("the second one has it then") {
      first.files.stateIfAny()?.daemon.pid == second.worker && second.worker != nil
    }
    try await second.finish()
  }

  @Test func `starts hundreds of plugins again, while it answers`() async throws {
    let scratch = try Scratch()
    let names = (0..<220).map { "p\($0)" }
    let daemon = try await Audispatchd(
      names.map { PluginFile($0, "/bin/sleep", ["600"], "stop_timeout = 0.1") }, scratch: scratch)
    try await eventually("all run", within: .seconds(600)) { try isRunning(daemon, names) }
    let before = Set(try daemon.state().plugins.map(\.pid))
    try await daemon.send(TestEvent.stream(0..<10))
    try await daemon.takenIn()
    kill(try #require(daemon.worker), SIGKILL)
    let since = ContinuousClock.now
    try await eventually("another one answers") {
      daemon.files.stateIfAny().map { $0.daemon.deaths == 1 } ?? false
    }
    // Starting all of them takes longer than any answer may.
    var slowest = Duration.zero
    try await eventually("all run again", within: .seconds(600), detail: { daemon.messages }) {
      let asked = ContinuousClock.now
      let areRunning = try isRunning(daemon, names)
      slowest = max(slowest, ContinuousClock.now - asked)
      return areRunning
    }
    #expect(slowest < max(.seconds(1), (ContinuousClock.now - since) / 2), "an answer")
    let state = try daemon.state()
    #expect(before.isDisjoint(with: state.plugins.map(\.pid)))
    #expect(state.plugins.allSatisfy { $0.drops == ["dispatcher_died": 10] })
    try await daemon.finish()
  }

  /// As a script may do: at once, without its environment, and as a child that outlives it.
  @Test(arguments: ["exec COMMAND", "exec env -i COMMAND", "exec 3<&0; env -i COMMAND <&3 &"])
  func `is refused where a plugin starts it over the folder that serves the plugin`(
    _ manner: String
  ) async throws {
    let scratch = try Scratch()
    let command =
      "\(Programs.product("audispatchd")) --source stdin --config \(scratch("audispatchd.conf")) "
      + "--plugin-dir \(scratch("plugins.d")) --runtime-dir \(scratch("run"))/"
    try scratch.write(
      "#!/bin/sh\nexec 2>>\(scratch("said"))\n\(manner.replacing("COMMAND", with: command))\n",
      to: "again", mode: 0o755)
    let daemon = try await Audispatchd(
      [
        PluginFile("again", scratch("again"), [], "max_restarts = 1", "restart_delay = 0.001"),
        PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")]),
      ], scratch: scratch)
    try await eventually("it is held", detail: { daemon.messages }) {
      try daemon.plugin("again").state == "held"
    }
    try await eventually("it is said", detail: { daemon.messages }) {
      scratch.text("said").contains("it would serve itself; not started")
    }
    #expect(starts(scratch) == 1)
    try await daemon.send(TestEvent.stream(0..<10))
    let state = try await daemon.finish()
    #expect(try state.plugin("p").delivered == 10)
  }

  /// What becomes of a file, and of which.
  static let changes: [(file: String, text: String?)] = [
    ("audispatchd.conf", "q_dep\n"), ("audispatchd.conf", nil), ("plugins.d/p.conf", "q_dep\n"),
    ("plugins.d/p.conf", nil), ("plugins.d/p.conf", "active = no\npath = /bin/true\n"),
    ("plugins.d/new.conf", "active = yes\npath = /bin/cat\n"),
  ]

  @Test(arguments: changes.indices)
  func `goes on with what was in force, whatever is on disk by then`(_ index: Int) async throws {
    let (file, text) = Self.changes[index]
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let gated = ["gate:" + scratch("open"), scratch("gated")]
    let daemon = try await Audispatchd(
      [
        PluginFile("p", program, ["copy", scratch("out")]),
        PluginFile("gated", program, gated, "overflow_action = lossless"),
      ],
      settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch)
    // A reload is in force, too.
    try daemon.files.write(PluginFile("later", program, ["copy", scratch("later")]))
    daemon.reload()
    try await eventually("it runs") { try isRunning(daemon, ["p", "gated", "later"]) }
    let events = TestEvent.stream(0..<20)
    try await daemon.send(Array(events[..<10]))
    try await daemon.takenIn()
    try await eventually("they have it") {
      scratch.lines("out").count == 10 && scratch.lines("later").count == 10
    }
    if let text { try scratch.write(text, to: file) } else { try scratch.remove(file) }
    kill(try #require(daemon.worker), SIGKILL)
    try await eventually("another one serves them", detail: { daemon.messages }) {
      try isRunning(daemon, ["p", "gated", "later"])
    }
    #expect(try daemon.state().plugins.count == 3)
    try await daemon.send(Array(events[10...]))
    try scratch.write("", to: "open")
    let state = try await daemon.finish()
    for name in ["out", "gated", "later"] {
      #expect(difference(scratch.lines(name), events.records) == nil)
    }
    #expect(try state.plugin("p").received == 20 && state.plugin("gated").delivered == 20)
  }

  @Test func `reads what is on disk when it is asked to`() async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [PluginFile("p", program, ["copy", scratch("out")])], scratch: scratch)
    try daemon.files.write(PluginFile("new", program, ["copy", scratch("new")]))
    kill(try #require(daemon.worker), SIGKILL)
    try await eventually("another one serves") { try isRunning(daemon, ["p"]) }
    #expect(try daemon.state().plugins.map(\.name) == ["p"])
    daemon.reload()
    try await eventually("the new one runs") { try isRunning(daemon, ["p", "new"]) }
    try await daemon.finish()
  }

  /// Without these capabilities root is to a process of root what any user is to his own.
  @Test func `shows its memory to nobody, nor did the first one`() async throws {
    let scratch = try Scratch()
    let bounded = [
      "/usr/bin/setpriv", "--bounding-set=-sys_ptrace,-sys_admin,-perfmon",
    ]
    func isReadable(_ pid: pid_t) async throws -> Bool {
      try await run(bounded[0], [bounded[1], "/bin/cat", "/proc/\(pid)/environ"]).end == .exited(0)
    }
    let sleeper = try Child(bounded[0], [bounded[1], "/bin/sleep", "600"])
    defer { sleeper.signal(SIGKILL) }
    try await eventually("others' can be read") { try await isReadable(sleeper.pid) }
    let daemon = try await Audispatchd(
      [PluginFile("p", "/bin/cat")], scratch: scratch, prefix: bounded)
    let worker = try #require(daemon.worker)
    #expect(try await !isReadable(worker))
    #expect(try await !isReadable(daemon.child.pid))
    kill(worker, SIGKILL)
    try await eventually("another serves") {
      guard let state = daemon.files.stateIfAny() else { return false }
      return try state.daemon.deaths == 1 && state.plugin("p").state == "running"
    }
    #expect(try await !isReadable(try #require(daemon.worker)))
    #expect(try await isReadable(try daemon.plugin("p").pid), "its plugins are as they were")
    try await daemon.finish()
  }

  private func isRunning(_ daemon: Audispatchd, _ names: [String]) throws -> Bool {
    guard let state = daemon.files.stateIfAny() else { return false }
    return names.allSatisfy { name in
      state.plugins.contains { $0.name == name && $0.state == "running" }
    }
  }
}
