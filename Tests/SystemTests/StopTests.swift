import Foundation
import Testing

/// How the daemon ends: what can be delivered in time is, and what cannot is counted.
@Suite("Stopping", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct StopTests {
  enum Way: String, CaseIterable, Sendable { case signal, endOfInput }

  private func stop(_ daemon: Audispatchd, _ way: Way) {
    switch way {
    case .signal: daemon.child.signal(SIGTERM)
    case .endOfInput: daemon.finishInput()
    }
  }

  @Test(arguments: Way.allCases)
  func `a plugin that never reads costs its deadline and no more`(way: Way) async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [
        PluginFile("never", program, ["never", scratch("never")]),
        PluginFile("copy", program, ["copy", scratch("out")]),
      ], settings: ["stop_timeout = 0.300"], scratch: scratch)
    let events = TestEvent.stream(1..<501)
    try await daemon.send(events)
    let clock = ContinuousClock()
    let begin = clock.now
    stop(daemon, way)
    let state = try await daemon.ended()
    // 0.3 s to read, 2 s after the end of its input, then SIGTERM ends it; the rest is the host's.
    #expect(clock.now - begin < .seconds(30), "not the default's patience")
    #expect(difference(scratch.lines("out"), events.records) == nil)
    #expect(try state.plugin("never").drops == ["stop_deadline": 500])
    #expect(try state.plugin("never").queued == 0)
    #expect(try state.plugin("copy").delivered == 500)
  }

  /// It has read all that it was given, and its server is away.
  @Test func `a plugin that confirms nothing costs no patience where all of it is kept`()
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["copy", scratch("out")], "confirm = yes",
          "overflow_action = lossless")
      ],
      settings: [
        "stop_timeout = 600", "spool_dir = \(scratch("spool"))", "spool_reserve = 0",
      ], scratch: scratch)
    let events = TestEvent.stream(1..<101)
    try await daemon.send(events)
    try await eventually("it has read") { scratch.lines("out").count == events.records.count }
    daemon.child.signal(SIGTERM)
    let state = try await daemon.ended()
    #expect(try state.plugin("p").droppedInAll == 0)
    #expect(daemon.messages.contains("plugin p: 100 records wait in the spool"))
  }

  /// Drops are said at a steady rate, and what was not said by then at the end.
  @Test func `says all drops of a plugin that were not said before`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["never", scratch("out")], "q_depth = 10")],
      settings: ["stop_timeout = 0.100"], scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<51))
    try await daemon.send(TestEvent.stream(51..<101))
    let state = try await daemon.finish()
    let dropped = try #require(try state.plugin("p").drops["queue_full"])
    let said = daemon.messages.matches(of: #/records dropped: ([0-9]+) queue_full/#)
      .compactMap { Int($0.1) }
    #expect(said.reduce(0, +) == dropped && dropped > 0, "\(daemon.messages)")
  }

  @Test func `a plugin that ignores everything is killed`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["stubborn", scratch("out")])],
      scratch: scratch)
    try await daemon.send([TestEvent(1)])
    try await eventually("the event") { scratch.lines("out") == TestEvent(1).lines }
    daemon.child.signal(SIGTERM)
    let state = try await daemon.ended()
    #expect(kill(pids(scratch)[0], 0) == -1, "it is gone")
    #expect(daemon.messages.contains("plugin p ignored the end of its input and SIGTERM: killed"))
    #expect(try state.plugin("p").delivered == 1)
  }

  /// A reload has promised a successor, and records wait for it.
  @Test func `a plugin that is being replaced gets its queue before the end`() async throws {
    let scratch = try Scratch()
    try scratch.write(
      "#!/bin/sh\nwhile read -r line; do echo \"$line\" >> \"$1\"; done\nsleep 0.5\n", to: "p",
      mode: 0o755)
    let daemon = try await Audispatchd(
      [PluginFile("p", scratch("p"), [scratch("before")])], scratch: scratch)
    try await eventually("it runs") { try daemon.plugin("p").pid > 0 }
    try daemon.files.write(PluginFile("p", scratch("p"), [scratch("after")]))
    _ = try daemon.files.request("reload")
    let events = TestEvent.stream(1..<101)
    try await daemon.send(events)
    let state = try await daemon.finish()
    #expect(difference(scratch.lines("after"), events.records) == nil)
    #expect(try state.plugin("p").droppedInAll == 0)
  }

  @Test func `nothing is restarted while the daemon stops`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("out")],
          "restart_delay = 0.01")
      ], scratch: scratch)
    try await eventually("it runs") { starts(scratch) == 1 }
    try await daemon.send(TestEvent.stream(1..<11))
    try await daemon.takenIn()
    daemon.child.signal(SIGTERM)
    try await eventually("it stops", detail: { daemon.messages }) {
      daemon.messages.contains("stopping: ")
    }
    kill(pids(scratch)[0], SIGTERM)
    let state = try await daemon.ended()
    #expect(starts(scratch) == 1)
    #expect(try state.plugin("p").drops == ["stop_deadline": 10])
  }

  @Test func `what is still in the input is read`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    // The daemon stands still while the records come: at the signal they are all unread.
    daemon.child.signal(SIGSTOP)
    let events = TestEvent.stream(1..<201)
    try await daemon.send(events)
    daemon.child.signal(SIGTERM)
    daemon.child.signal(SIGCONT)
    let state = try await daemon.ended()
    #expect(difference(scratch.lines("out"), events.records) == nil)
    #expect(state.source.records == 200)
  }

  @Test func `a second instance waits for the first and then takes over`() async throws {
    let scratch = try Scratch()
    let plugin = PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])
    let first = try await Audispatchd([plugin], scratch: scratch)
    try await eventually("the first runs") { starts(scratch) == 1 }
    // Its control socket answers at once: it is the first's.
    let second = try await Audispatchd([plugin], scratch: scratch)
    let events = TestEvent.stream(1..<101)
    try await second.send(events)
    try await eventually("the second waits", detail: { second.messages }) {
      second.messages.contains("waiting for it to end")
    }
    #expect(second.child.ended == nil)
    #expect(starts(scratch) == 1, "two generations of a plugin never overlap")
    try await first.finish()
    try await eventually("the second's plugin has its events") {
      scratch.lines("out") == events.records
    }
    // Its plugin comes before its control socket.
    try await eventually("the second is who answers") {
      second.files.stateIfAny().map { $0.daemon.pid == second.worker } ?? false
    }
    try await second.finish()
    #expect(!scratch.text("out.log").contains("OVERLAP"))
  }

  @Test func `SIGCONT and SIGUSR1 write the state, readable for the group only`() async throws {
    for signal in [SIGCONT, SIGUSR1] {
      let scratch = try Scratch()
      let daemon = try await Audispatchd(
        [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])],
        scratch: scratch)
      try await daemon.send(TestEvent.stream(1..<4))
      try await daemon.takenIn()
      daemon.child.signal(signal)
      try await eventually("state.json") { scratch.exists("run/state.json") }
      try await eventually("three records") {
        (try? daemon.files.writtenState())?.source.records == 3
      }
      let file = try FileManager.default.attributesOfItem(atPath: scratch("run/state.json"))
      #expect(file[.posixPermissions] as? Int == 0o640)
      let socket = try FileManager.default.attributesOfItem(atPath: scratch("run/control.sock"))
      #expect(socket[.posixPermissions] as? Int == 0o600)
      try await daemon.finish()
    }
  }

  /// The sender goes on until it is refused, as auditd would, and knows what was accepted.
  @Test func `all that its input had accepted is counted`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    let record = Array((TestEvent(1, fill: 200).lines[0] + "\n").utf8)
    let sender = Task { try await daemon.sendUntilRefused(record) }
    try await eventually("some are there") { try daemon.state().source.records > 1000 }
    daemon.child.signal(SIGTERM)
    let accepted = try await sender.value
    let state = try await daemon.ended(sent: accepted / record.count)
    #expect(state.source.bytes == accepted)
    #expect(try state.plugin("p").received == accepted / record.count)
  }

  /// Closing it is all that has a pipe refuse, and nothing tells what comes in between.
  @Test func `of a pipe at most a page that it had accepted is not read`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch,
      pipedInput: true)
    let record = Array((TestEvent(1, fill: 200).lines[0] + "\n").utf8)
    let sender = Task { try await daemon.sendUntilRefused(record) }
    try await eventually("some are there") { try daemon.state().source.records > 1000 }
    daemon.child.signal(SIGTERM)
    let accepted = try await sender.value
    let end = try await daemon.child.end()
    #expect(end == .exited(0))
    let state = try daemon.files.writtenState()
    #expect(accepted - state.source.bytes <= 4096)
    #expect(state.source.records == state.source.bytes / record.count)
  }
}
