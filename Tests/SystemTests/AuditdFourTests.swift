import Foundation
import Linux
import Testing

/// Our daemon behind a parent that does to it what auditd 4.2.1 and its unit do; see `auditd42.c`.
private final class AuditdFour: Sendable {
  let files: DispatcherFiles
  let child: Child
  private let input: Descriptor

  init(_ plugins: [PluginFile], settings: [String] = [], scratch: Scratch) async throws {
    let files = try DispatcherFiles(scratch, plugins, settings: settings)
    self.files = files
    let (ours, theirs) = try UnixSocket.pair()
    input = Descriptor(owning: ours)
    child = try Child(
      try await Programs.auditd42(),
      [
        Programs.product("audispatchd"), "--source", "stdin", "--config", files.configuration,
        "--plugin-dir", files.pluginFolder, "--runtime-dir", files.runtimeFolder,
      ], input: theirs, output: scratch("auditd.out"), error: scratch("daemon.err"))
    close(theirs)
    try await eventually("control socket", detail: { scratch.text("daemon.err") }) {
      (try? files.request("status")) != nil
    }
  }

  func send(_ events: [TestEvent]) throws {
    try Transfer.writeAll(
      input.number, Array(events.records.map { $0 + "\n" }.joined().utf8))
  }

  /// How long auditd was held up, in milliseconds.
  func reload(within limit: Duration = .seconds(30)) async throws -> Int {
    let before = files.scratch.lines("auditd.out").count
    child.signal(SIGHUP)
    try await eventually(
      "auditd is back", within: limit, detail: { self.files.scratch.text("daemon.err") }
    ) { self.files.scratch.lines("auditd.out").count > before }
    let last = files.scratch.lines("auditd.out").last ?? ""
    return try #require(Int(last.dropFirst("reloaded ".count)))
  }

  /// As `systemctl stop auditd` does: when this returns, nothing of it is left.
  func stop() async throws {
    child.signal(SIGTERM)
    #expect(try await child.end() == .exited(0))
  }
}

@Suite("Behind auditd 4.2", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct AuditdFourTests {
  @Test func `reloads take nothing from a plugin that keeps up`() async throws {
    let scratch = try Scratch()
    let auditd = try await AuditdFour(
      [PluginFile("copy", try await Programs.plugin(), ["copy", scratch("out")])],
      scratch: scratch)
    let events = TestEvent.stream(1..<1501)
    for part in 0..<3 {
      try auditd.send(Array(events[part * 500..<(part + 1) * 500]))
      if part < 2 { _ = try await auditd.reload() }
    }
    try await eventually("all", detail: { scratch.text("daemon.err") }) {
      scratch.lines("out").count >= events.records.count
    }
    #expect(difference(scratch.lines("out"), events.records) == nil)
    try await auditd.stop()
  }

  /// auditd waits for us without limit, and alone would not come back from this at all.
  @Test func `a plugin that never reads does not keep auditd from coming back`() async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let auditd = try await AuditdFour(
      [
        PluginFile("never", program, ["never", scratch("never")]),
        PluginFile("copy", program, ["copy", scratch("out")]),
      ], settings: ["stop_timeout = 0.3"], scratch: scratch)
    let events = TestEvent.stream(1..<1001)
    try auditd.send(Array(events[..<500]))
    _ = try await auditd.reload(within: .seconds(60))
    try auditd.send(Array(events[500...]))
    try await eventually("all", detail: { scratch.text("daemon.err") }) {
      scratch.lines("out").count >= events.records.count
    }
    #expect(difference(scratch.lines("out"), events.records) == nil)
    try await auditd.stop()
  }

  @Test func `its unit's stop, which kills us, takes nothing from a queue on disk`() async throws {
    let scratch = try Scratch()
    let plugin = PluginFile(
      "p", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("out")],
      "overflow_action = lossless", "q_depth = 50")
    let settings = ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"]
    let events = TestEvent.stream(1..<501)
    do {
      let auditd = try await AuditdFour([plugin], settings: settings, scratch: scratch)
      try auditd.send(events)
      try await eventually("it waits") {
        try auditd.files.state().plugin("p").received >= events.records.count
      }
      try await auditd.stop()
    }
    try scratch.write("", to: "open")
    let auditd = try await AuditdFour([plugin], settings: settings, scratch: scratch)
    try await eventually("all", detail: { scratch.text("daemon.err") }) {
      Set(scratch.lines("out")).count >= events.records.count
    }
    #expect(Set(scratch.lines("out")) == Set(events.records))
    try await auditd.stop()
  }
}
