import Foundation
import Testing

/// What a plugin's end says of what it had taken.
@Suite("A replay's exit status", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct EndStatusTests {
  private func replay(
    _ script: String, status: Int32, _ further: String...
  ) async throws -> Audispatchd {
    let scratch = try Scratch()
    let events = TestEvent.stream(1..<11)
    try scratch.write(events.records.map { $0 + "\n" }.joined(), to: "log")
    try scratch.write("#!/bin/sh\n" + script, to: "plugin", mode: 0o755)
    var file = PluginFile("p", scratch("plugin"))
    file.text += further.map { $0 + "\n" }.joined()
    let daemon = try await Audispatchd([file], source: "file:" + scratch("log"), scratch: scratch)
    try await daemon.ended(status: status, sent: 10)
    return daemon
  }

  @Test func `is 0 when plugins have everything`() async throws {
    _ = try await replay("cat >/dev/null\n", status: 0)
  }

  @Test func `is 3 when a plugin has not stored what it took`() async throws {
    let daemon = try await replay("cat >/dev/null; exit 74\n", status: 3)
    #expect(
      daemon.messages.contains(
        "p ended with exit status 74: not everything that it had taken is stored"))
  }

  @Test func `is 3 when a plugin dies by a signal`() async throws {
    let daemon = try await replay("cat >/dev/null; kill -9 $$\n", status: 3)
    #expect(daemon.messages.contains("p ended with signal 9: what it had taken may be lost"))
  }

  @Test func `is not changed by other statuses, which are said`() async throws {
    let daemon = try await replay("cat >/dev/null; exit 9\n", status: 0)
    #expect(daemon.messages.contains("p ended with exit status 9"))
  }

  @Test func `is 3 when a log cannot be written`() async throws {
    let scratch = try Scratch()
    let events = TestEvent.stream(1..<11)
    try scratch.write(events.records.map { $0 + "\n" }.joined(), to: "log")
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "log", Programs.product("audispatch-log"), ["--log-file", "/proc/nowhere/audit.log"])
      ], source: "file:" + scratch("log"), scratch: scratch)
    try await daemon.ended(status: 3, sent: 10)
    #expect(daemon.messages.contains("records were not written: they may be lost"))
    #expect(daemon.messages.contains("exit status 74"))
  }

  @Test func `is 3 when nobody takes what audispatch-print writes`() async throws {
    let scratch = try Scratch()
    let events = TestEvent.stream(1..<11)
    try scratch.write(events.records.map { $0 + "\n" }.joined(), to: "log")
    let daemon = try await Audispatchd(
      [PluginFile("print", Programs.product("audispatch-print"), ["--output", "/dev/full"])],
      source: "file:" + scratch("log"), scratch: scratch)
    try await daemon.ended(status: 3, sent: 10)
    #expect(daemon.messages.contains("exit status 74"))
  }
}

/// What `status` says beyond counters.
@Suite("A status", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct StatusReasonTests {
  private struct State: Decodable {
    struct Plugin: Decodable {
      struct Exit: Decodable {
        let status, signal: Int?
        let at: Int
      }
      struct Message: Decodable { let text: String }
      struct Limits: Decodable {
        let records, bytes: Int
        let overflow_action: String
      }
      let state: String
      let last_exit: Exit?
      let last_message: Message?
      let next_attempt_seconds, idle_seconds: Int?
      let limits: Limits
    }
    let plugins: [Plugin]
  }

  private func plugin(_ daemon: Audispatchd) throws -> State.Plugin {
    let answer = try daemon.files.request("status")
    let start = try #require(answer.firstIndex(of: UInt8(ascii: "{")))
    return try #require(JSONDecoder().decode(State.self, from: answer[start...]).plugins.first)
  }

  @Test func `says how a plugin ended, what it said, and when it is tried again`() async throws {
    let daemon = try await Audispatchd([
      PluginFile(
        "p", "/bin/sh", ["-c", "\"echo no luck; exit 5\""], "restart_delay = 30",
        "restart_delay_max = 30", "q_depth = 77")
    ])
    try await eventually("it waits") { try plugin(daemon).state == "backing_off" }
    let found = try plugin(daemon)
    #expect(found.last_exit?.status == 5)
    #expect(abs((found.last_exit?.at ?? 0) - Int(Date().timeIntervalSince1970)) < 60)
    #expect(found.last_message?.text == "no luck")
    #expect((20...36).contains(try #require(found.next_attempt_seconds)))
    #expect(found.limits.records == 77 && found.limits.overflow_action == "syslog")
    try await daemon.finish()
  }

  @Test func `says why a plugin cannot be started`() async throws {
    let scratch = try Scratch()
    try scratch.write("echo no interpreter\n", to: "plugin", mode: 0o755)
    let daemon = try await Audispatchd([PluginFile("p", scratch("plugin"))], scratch: scratch)
    try await eventually("it waits") { try plugin(daemon).state == "backing_off" }
    #expect(
      try plugin(daemon).last_message?.text
        == "cannot start \(scratch("plugin")): exec: Exec format error: it has no '#!' line at its "
        + "beginning: add one such as '#!/bin/sh'")
    try await daemon.finish()
  }

  @Test func `calls a plugin that reads nothing stalled`() async throws {
    let daemon = try await Audispatchd(
      [PluginFile("p", "/bin/sleep", ["1000"], "stall_timeout = 0.2")],
      settings: ["stop_timeout = 0.1"])
    try await daemon.send([TestEvent(1)])
    try await eventually("it is stalled") { try plugin(daemon).state == "stalled" }
    #expect(try plugin(daemon).idle_seconds != nil)
    daemon.finishInput()
    #expect(try await daemon.child.end() == .exited(0))
  }

  @Test func `is waited for while a worker is replaced`() async throws {
    let daemon = try await Audispatchd([])
    for _ in 0..<5 {
      let worker = try #require(daemon.worker)
      kill(worker, SIGKILL)
      let outcome = try await run(
        Programs.product("audispatchctl"), ["--runtime-dir", daemon.files.runtimeFolder, "status"])
      #expect(outcome.end == .exited(0), "\(outcome.error)")
      try await eventually("a worker") { daemon.worker.map { $0 != worker } ?? false }
    }
    try await daemon.finish()
  }

  @Test func `is not waited for without a daemon`() async throws {
    let daemon = try await Audispatchd([])
    try await daemon.finish()
    let outcome = try await run(
      Programs.product("audispatchctl"), ["--runtime-dir", daemon.files.runtimeFolder, "status"])
    #expect(outcome.error.contains("audispatchd is not running"))
  }
}

/// What whoever asks for a reload is told.
@Suite("A reload's outcome", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ReloadOutcomeTests {
  private func reload(_ daemon: Audispatchd) async throws -> Outcome {
    try await run(
      Programs.product("audispatchctl"), ["--runtime-dir", daemon.files.runtimeFolder, "reload"])
  }

  @Test func `is one line when everything was taken`() async throws {
    let daemon = try await Audispatchd([PluginFile("p", "/bin/cat")])
    let outcome = try await reload(daemon)
    #expect(outcome.output == "configuration read again: 1 active plugin\n")
    #expect(outcome.end == .exited(0))
    try await daemon.finish()
  }

  @Test func `is 6 with the reasons when a file was refused`() async throws {
    let plugin = PluginFile("p", "/bin/cat")
    let daemon = try await Audispatchd([plugin])
    try daemon.files.write(PluginFile("p", text: plugin.text + "formt = string\n"))
    let outcome = try await reload(daemon)
    #expect(outcome.output.contains("p.conf:6:1: error: unknown keyword ('formt')"))
    #expect(
      outcome.output.hasSuffix(
        "configuration read again, but for what is refused: 1 active plugin\n"))
    #expect(outcome.end == .exited(6))
    try await daemon.finish()
  }

  @Test func `is 6 with the reasons when the daemon's file was refused`() async throws {
    let daemon = try await Audispatchd([PluginFile("p", "/bin/cat")])
    try daemon.files.configure(["q_depth = many"])
    let outcome = try await reload(daemon)
    #expect(outcome.output.contains("q_depth"))
    #expect(outcome.output.contains("the daemon's configuration stays as it was\n"))
    #expect(outcome.end == .exited(6))
    try await daemon.finish()
  }
}
