import Foundation
import Testing

/// What becomes of the records when auditd itself dies, or what it started.
@Suite("Behind auditd", .inTurn, .enabled(if: RealAuditd.isHere, RealAuditd.why))
struct DeathBehindAuditdTests {
  /// The daemon's files and an auditd whose only plugin it is.
  private func start(_ files: DispatcherFiles, _ host: Scratch) async throws -> RealAuditd {
    let ours = PluginFile(
      "audispatch", Programs.product("audispatchd"), ["--config", files.configuration])
    let auditd = try await RealAuditd([ours], scratch: host)
    try await eventually("the daemon runs", detail: { auditd.messages }) {
      files.stateIfAny()?.plugins.allSatisfy { $0.state == "running" } ?? false
    }
    return auditd
  }

  private func files(_ scratch: Scratch, _ further: String...) async throws -> DispatcherFiles {
    let program = try await Programs.plugin()
    return try DispatcherFiles(
      scratch,
      [
        PluginFile(
          "lossless", program, ["lines", scratch("lossless")], "overflow_action = lossless"),
        PluginFile("memory", program, ["lines", scratch("memory")]),
      ],
      settings: [
        "source = stdin", "plugin_dir = \(scratch("plugins.d"))", "runtime_dir = \(scratch("run"))",
        "spool_dir = \(scratch("spool"))", "spool_reserve = 0",
      ] + further)
  }

  /// Of a plugin's lines those that were sent, without auditd's own.
  private func lines(_ scratch: Scratch, _ name: String) -> [String] {
    scratch.lines(name).filter { $0.contains("audit(1700000000.") }
  }

  private func send(
    _ events: [TestEvent], to auditd: RealAuditd, until count: Int, _ scratch: Scratch
  ) async throws {
    try await auditd.send(events.records)
    try await eventually(
      "all \(count) are there",
      detail: { "\(lines(scratch, "memory").count), \(lines(scratch, "lossless").count)" }
    ) {
      lines(scratch, "memory").count == count && lines(scratch, "lossless").count == count
    }
  }

  @Test func `all that a killed auditd had given is delivered, and its successor goes on`()
    async throws
  {
    let scratch = try Scratch()
    let files = try await files(scratch, "reload_wait = 0.2")
    var sent: [String] = []
    for round in 0..<3 {
      let events = TestEvent.stream(round * 200..<round * 200 + 200, records: 2, eoe: true)
      let auditd = try await start(files, Scratch())
      sent += events.records
      try await send(events, to: auditd, until: sent.count, scratch)
      let pid = try files.state().daemon.pid
      auditd.child.signal(SIGKILL)
      _ = try await auditd.child.end()
      try await eventually("the daemon ends by itself") { kill(pid, 0) != 0 }
      let state = try files.writtenState()
      for plugin in state.plugins {
        #expect(plugin.delivered == state.source.records && plugin.droppedInAll == 0)
      }
    }
    for name in ["lossless", "memory"] {
      #expect(difference(lines(scratch, name), sent) == nil)
      #expect(!scratch.text(name + ".log").contains("OVERLAP"))
    }
  }

  @Test func `the successor of a killed auditd finds everything as it was`() async throws {
    let scratch = try Scratch()
    let files = try await files(scratch)
    var sent: [String] = []
    var pids: Set<[Int32]> = []
    for round in 0..<3 {
      let events = TestEvent.stream(round * 200..<round * 200 + 200, records: 2, eoe: true)
      let auditd = try await start(files, Scratch())
      sent += events.records
      try await send(events, to: auditd, until: sent.count, scratch)
      let state = try files.state()
      pids.insert([state.daemon.pid] + state.plugins.map(\.pid))
      if round == 2 {
        try await auditd.stop()
        try await eventually("the daemon ends") { kill(state.daemon.pid, 0) != 0 }
      } else {
        auditd.child.signal(SIGKILL)
        _ = try await auditd.child.end()
      }
    }
    #expect(pids.count == 1, "\(pids)")
    let state = try files.writtenState()
    for plugin in state.plugins {
      #expect(plugin.received == state.source.records && plugin.delivered == plugin.received)
      #expect(difference(lines(scratch, plugin.name), sent) == nil)
    }
  }

  /// auditd 3.0.9 sees a death by a write that fails only; the worker still reads then, and goes on.
  @Test(arguments: ["keeper", "worker"])
  func `a death of the daemon's costs nothing that auditd had given`(victim: String) async throws {
    let scratch = try Scratch()
    let files = try await files(scratch)
    let auditd = try await start(files, Scratch())
    let first = TestEvent.stream(0..<200, records: 2, eoe: true)
    try await send(first, to: auditd, until: first.records.count, scratch)
    let worker = pid_t(try files.state().daemon.pid)
    let stat = String(decoding: contents("/proc/\(worker)/stat"), as: UTF8.self)
    let keeper = try #require(
      stat.split(separator: ") ").last?.split(separator: " ").dropFirst().first.flatMap {
        pid_t($0)
      })
    kill(victim == "keeper" ? keeper : worker, SIGKILL)
    try await eventually("it is noticed", within: .seconds(20), detail: { auditd.messages }) {
      if victim == "keeper" { return kill(keeper, 0) != 0 }
      guard let state = files.stateIfAny(), pid_t(state.daemon.pid) != worker else { return false }
      return state.plugins.allSatisfy { $0.state == "running" }
    }
    let later = TestEvent.stream(200..<400, records: 2, eoe: true)
    try await auditd.send(later.records)
    try await eventually("the last is there") {
      ["lossless", "memory"].allSatisfy { lines(scratch, $0).last == later.records.last }
    }
    try await auditd.stop()
    for name in ["lossless", "memory"] {
      #expect(difference(lines(scratch, name), (first + later).records) == nil, "\(name)")
      #expect(!scratch.text(name + ".log").contains("OVERLAP"))
    }
  }
}
