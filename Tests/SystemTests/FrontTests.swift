import Foundation
import Linux
import Testing

/// auditd 4.x ends us at each reload, and waits until what it has started is gone.
@Suite("A reload of auditd 4.2", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct FrontTests {
  private static let lossless =
    "overflow_action = lossless\nq_depth = 100000\nq_bytes = 1G\nspool_bytes = 4G"

  private func descriptors(_ pid: pid_t) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
  }

  private func pids(_ auditd: AuditdFour) throws -> [pid_t] {
    let state = try auditd.files.state()
    return [state.daemon.pid] + state.plugins.map(\.pid)
  }

  private func all(_ events: [TestEvent], in name: String, _ auditd: AuditdFour) async throws {
    let scratch = auditd.files.scratch
    try await eventually(
      "all are there", detail: { "\(scratch.lines(name).count) \(auditd.messages)" }
    ) { scratch.lines(name).count >= events.records.count }
    #expect(difference(scratch.lines(name), events.records) == nil, "\(auditd.messages)")
  }

  @Test func `holds auditd up for no plugin, under load, and begins nothing anew`() async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let room = "q_depth = 1000000\nq_bytes = 1G"
    let auditd = try await AuditdFour(
      [
        PluginFile("copy", program, ["copy", scratch("out")], room),
        PluginFile("never", program, ["never", scratch("never")], room),
        PluginFile("stopped", program, ["copy", scratch("stopped")], room),
      ], scratch: scratch)
    try await eventually("they run") {
      try auditd.files.state().plugins.allSatisfy { $0.state == "running" }
    }
    let before = try pids(auditd)
    let keeper = try #require(auditd.keeper)
    // Not all may have come yet that stays; what each of twenty fronts left would be more.
    let open = try (descriptors(keeper) + 9, descriptors(before[0]) + 9)
    kill(try auditd.files.state().plugin("stopped").pid, SIGSTOP)
    let events = TestEvent.stream(0..<30_000, fill: 60)
    let sender = Task {
      for start in stride(from: 0, to: events.count, by: 100) {
        try auditd.send(Array(events[start..<start + 100]))
        try await Task.sleep(for: .milliseconds(5))
      }
    }
    var waited: [Int] = []
    for _ in 0..<20 {
      waited.append(try await auditd.reload())
      try await Task.sleep(for: .milliseconds(50))
    }
    try await sender.value
    try await all(events, in: "out", auditd)
    #expect(waited.allSatisfy { $0 <= 100 }, "\(waited)")
    #expect(try pids(auditd) == before)
    try await eventually("what belonged to earlier fronts is closed") {
      try descriptors(keeper) <= open.0 && descriptors(before[0]) <= open.1
    }
    let state = try auditd.files.state()
    state.expectConserved(sent: events.count)
    for name in ["copy", "never", "stopped"] {
      let plugin = try state.plugin(name)
      #expect(plugin.received == events.count && plugin.droppedInAll == 0 && plugin.restarts == 0)
    }
    #expect(try state.plugin("copy").delivered == events.count)
    #expect(state.daemon.deaths == 0)
    kill(before[3], SIGCONT)
    try await all(events, in: "stopped", auditd)
    try await auditd.stop()
    Faults.report("twenty reloads of auditd 4.2's kind held it up for \(waited) ms")
  }

  /// Without that of its session the keeper of a busy host answered the next front too late, and was
  /// given up.
  @Test func `finds a keeper that has the daemon's priority, and so has its session`() async throws
  {
    let scratch = try Scratch()
    let auditd = try await AuditdFour(
      [PluginFile("p", try await Programs.plugin(), ["lines", scratch("out")])],
      settings: ["priority_boost = 3"], scratch: scratch)
    let keeper = try #require(auditd.keeper)
    #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(keeper)) == -3)
    // A kernel may be built without.
    if let group = try? String(contentsOfFile: "/proc/\(keeper)/autogroup", encoding: .utf8) {
      #expect(group.hasSuffix(" nice -3\n"), "\(group)")
    }
    try await auditd.stop()
  }

  @Test(arguments: ["front", "keeper", "worker"])
  func `loses nothing when that dies in the middle of it`(role: String) async throws {
    let scratch = try Scratch()
    let auditd = try await AuditdFour(
      [PluginFile("p", try await Programs.plugin(), ["lines", scratch("out")], Self.lossless)],
      settings: [
        "spool_dir = \(scratch("spool"))", "spool_reserve = 0", "restart_delay = 0.001",
        "reload_wait = 10",
      ], scratch: scratch)
    let events = TestEvent.stream(0..<8000, records: 2, fill: 20)
    let sender = Task {
      for start in stride(from: 0, to: events.count, by: 40) {
        try auditd.send(Array(events[start..<start + 40]))
        try await Task.sleep(for: .milliseconds(10))
      }
    }
    var random = Seeded(Faults.seed)
    for round in 0..<5 {
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...100, using: &random)))
      let before = auditd.reloads
      auditd.beginReload()
      // auditd closes its end at once, is back 50 ms later, and its next front some moments after.
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...90, using: &random)))
      let victim: pid_t?
      switch role {
      case "front":
        // Until it has handed its input over nobody else has that: as with every plugin of auditd's.
        _ = try await auditd.reloaded(times: before + 1)
        try await eventually("its input is taken", detail: { auditd.messages }) {
          auditd.messages.components(separatedBy: "going on with its input").count > before + 1
        }
        victim = auditd.front
      case "keeper": victim = auditd.keeper
      default: victim = auditd.files.stateIfAny()?.daemon.pid
      }
      if let victim, kill(victim, 0) == 0 { kill(victim, SIGKILL) }
      let waited = try await auditd.reloaded(times: before + 1)
      #expect(waited <= 100, "round \(round)")
    }
    try await sender.value
    try await all(events, in: "out", auditd)
    #expect(!scratch.text("out.log").contains("OVERLAP"))
    try await auditd.stop()
  }

  @Test func `is followed by what the worker's successor reads`() async throws {
    let scratch = try Scratch()
    let auditd = try await AuditdFour(
      [PluginFile("p", try await Programs.plugin(), ["lines", scratch("out")], Self.lossless)],
      settings: [
        "spool_dir = \(scratch("spool"))", "spool_reserve = 0", "restart_delay = 0.001",
      ], scratch: scratch)
    let events = TestEvent.stream(0..<600)
    for part in 0..<3 {
      try auditd.send(Array(events[part * 200..<part * 200 + 100]))
      try await auditd.reload()
      let worker = try auditd.worker()
      kill(worker, SIGKILL)
      try auditd.send(Array(events[part * 200 + 100..<part * 200 + 200]))
      try await eventually("another one", detail: { auditd.messages }) {
        guard let state = auditd.files.stateIfAny() else { return false }
        return state.daemon.pid != worker && state.plugins[0].state == "running"
      }
    }
    try await all(events, in: "out", auditd)
    let state = try auditd.files.state()
    #expect(state.daemon.deaths == 3 && state.source.records == 600)
    try await auditd.stop()
  }

  @Test func `is followed by what a worker's successor reads that began without a front`()
    async throws
  {
    let scratch = try Scratch()
    let plugins = [
      PluginFile("p", try await Programs.plugin(), ["lines", scratch("out")], Self.lossless)
    ]
    let settings = [
      "spool_dir = \(scratch("spool"))", "spool_reserve = 0", "restart_delay = 0.001",
    ]
    let events = TestEvent.stream(0..<200)
    let first = try await AuditdFour(plugins, settings: settings, scratch: scratch)
    try first.send(Array(events[..<100]))
    try await eventually("it has come") { try first.files.state().source.records == 100 }
    let worker = try first.worker()
    first.child.signal(SIGINT)
    let front = try #require(first.front)
    try await eventually("its front is gone") { kill(front, 0) != 0 }
    kill(worker, SIGKILL)
    let second = try await AuditdFour(
      plugins, settings: settings, scratch: scratch, name: "second", awaitsControl: false)
    try second.send(Array(events[100...]))
    try await all(events, in: "out", second)
    let state = try second.files.state()
    #expect(state.daemon.deaths == 1 && state.source.records == 200)
    #expect(second.keeper == first.keeper)
    try await second.stop()
    kill(try #require(first.keeper), SIGTERM)
    #expect(try await first.child.end() == .exited(0))
  }

  private func child(of pid: pid_t, named name: String) -> pid_t? {
    String(decoding: contents("/proc/\(pid)/task/\(pid)/children"), as: UTF8.self)
      .split(separator: " ").compactMap { pid_t($0) }.first {
        String(decoding: contents("/proc/\($0)/comm"), as: UTF8.self) == name + "\n"
      }
  }

  @Test func `has inputs come in their fronts' order, though an earlier one's worker comes later`()
    async throws
  {
    let scratch = try Scratch()
    try scratch.folder("run")
    let lock = try Descriptor.open(scratch("run/lock"), O_RDWR | O_CREAT)
    let isHeld = lock.tryLock()
    #expect(isHeld)
    let plugins = [PluginFile("p", try await Programs.plugin(), ["lines", scratch("out")])]
    func wait(_ name: String, _ times: Int) async throws -> AuditdFour {
      let auditd = try await AuditdFour(
        plugins, settings: ["reload_wait = 0.5"], scratch: scratch, name: name,
        awaitsControl: false)
      try await waits(auditd, times)
      return auditd
    }
    func waits(_ auditd: AuditdFour, _ times: Int) async throws {
      try await eventually("it waits", detail: { auditd.messages }) {
        auditd.messages.components(separatedBy: "waiting for it to end").count == times + 1
      }
    }
    let first = try await wait("first", 1)
    let second = try await wait("second", 2)
    let front = try #require(first.front)
    let keeper = try #require(child(of: front, named: "audispatchd"))
    kill(try #require(child(of: keeper, named: "audispatchd")), SIGKILL)
    try await waits(second, 3)
    let events = TestEvent.stream(0..<200)
    try second.send(Array(events[100...]))
    try first.send(Array(events[..<100]))
    lock.unlock()
    first.child.signal(SIGINT)
    try await all(events, in: "out", second)
    #expect(try await first.child.end() == .exited(0))
    try await second.stop()
  }

  @Test func `waits for no worker that stands still, and the inputs come in their order`()
    async throws
  {
    let scratch = try Scratch()
    let auditd = try await AuditdFour(
      [PluginFile("p", try await Programs.plugin(), ["lines", scratch("out")])], scratch: scratch)
    let worker = try auditd.worker()
    let events = TestEvent.stream(0..<400)
    try auditd.send(Array(events[..<100]))
    kill(worker, SIGSTOP)
    for part in 1..<4 {
      #expect(try await auditd.reload() <= 100)
      try auditd.send(Array(events[part * 100..<part * 100 + 100]))
    }
    kill(worker, SIGCONT)
    try await all(events, in: "out", auditd)
    #expect(try auditd.worker() == worker)
    try await auditd.stop()
  }

  @Test func `that cuts a record counts it as malformed, and spares the next one`() async throws {
    let scratch = try Scratch()
    let auditd = try await AuditdFour(
      [PluginFile("p", try await Programs.plugin(), ["lines", scratch("out")])], scratch: scratch)
    let events = TestEvent.stream(0..<20)
    try auditd.send(Array(events[..<10]))
    try auditd.send(String(events[10].lines[0].dropLast(5)))
    try await eventually("it has come") {
      try auditd.files.state().source.bytes
        == events[..<11].flatMap(\.lines).map { $0.utf8.count + 1 }.reduce(0, +) - 6
    }
    try await auditd.reload()
    try auditd.send(Array(events[10...]))
    try await all(events, in: "out", auditd)
    #expect(try auditd.files.state().source.malformed == 1)
    try await auditd.stop()
  }

  @Test func `puts a changed configuration into force, as SIGHUP does`() async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let auditd = try await AuditdFour(
      [
        PluginFile("stays", program, ["catch", scratch("stays")]),
        PluginFile("goes", program, ["copy", scratch("goes")]),
      ], scratch: scratch)
    try await eventually("they run") {
      try auditd.files.state().plugins.allSatisfy { $0.state == "running" }
    }
    let pid = try auditd.files.state().plugin("stays").pid
    try auditd.files.remove("goes.conf")
    try auditd.files.write(PluginFile("comes", program, ["copy", scratch("comes")]))
    try await auditd.reload()
    try await eventually("it is in force", detail: { auditd.messages }) {
      Set(try auditd.files.state().plugins.map(\.name)) == ["stays", "comes"]
    }
    #expect(try auditd.files.state().plugin("stays").pid == pid)
    try await auditd.stop()
  }
}
