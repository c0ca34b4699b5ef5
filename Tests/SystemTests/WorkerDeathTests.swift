import Foundation
import Testing

/// The process that dispatches is killed, again and again, while the one that holds its input goes
/// on.
@Suite("The dispatching process's death", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct WorkerDeathTests {
  private static let kills = Faults.isFull ? 1000 : 25
  private static let events = Faults.isFull ? 500_000 : 30_000

  @Test func `loses nothing, repeats nothing that was read, and counts what was in memory only`()
    async throws
  {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let room = "q_depth = 5000000\nq_bytes = 1G\nrestart_delay = 0.001"
    let lossless = "overflow_action = lossless\nspool_bytes = 4G\nrestart_delay = 0.001"
    let daemon = try await Audispatchd(
      [
        PluginFile("reads", program, ["lines", scratch("reads")], lossless),
        PluginFile(
          // It confirms its last records when its input ends.
          "confirms", program, ["confirm:50", scratch("confirms")], lossless, "confirm = yes",
          "stop_timeout = 3"),
        PluginFile("memory", program, ["lines", scratch("memory")], room),
      ],
      settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch)
    // Each event twice: what tells its records apart is only their place in the stream.
    let events = (0..<Self.events).map { TestEvent($0 / 2, records: 2, fill: 20) }
    let sender = Task {
      for start in stride(from: 0, to: events.count, by: 200) {
        try await daemon.send(Array(events[start..<min(start + 200, events.count)]))
        try await Task.sleep(for: .milliseconds(Faults.isFull ? 50 : 20))
      }
    }
    var random = Seeded(Faults.seed)
    var killed = 0
    while killed < Self.kills {
      // From within its start to well after its plugins' starts.
      let pause = Int.random(in: 0...10, using: &random) < 4 ? 30_000 : 400_000
      try await Task.sleep(for: .microseconds(Int.random(in: 200...pause, using: &random)))
      guard let worker = daemon.worker else { continue }
      kill(worker, SIGKILL)
      killed += 1
    }
    try await sender.value
    let state = try await daemon.finish(within: .seconds(120))
    let sent = events.records

    #expect(difference(scratch.lines("reads"), sent) == nil, "\(Faults.seed)")
    #expect(try state.plugin("reads").delivered == sent.count)

    var next = 1
    var repeated = 0
    for line in scratch.lines("confirms") {
      let words = line.split(separator: " ", maxSplits: 1)
      let number = try #require(Int(words[0]))
      try #require(number <= next, "left out before \(number), seed \(Faults.seed)")
      try #require(String(words[1]) == sent[number - 1], "seed \(Faults.seed)")
      if number < next { repeated += 1 }
      next = max(next, number + 1)
    }
    #expect(next == sent.count + 1)
    #expect(try state.plugin("confirms").delivered == sent.count)

    let memory = try state.plugin("memory")
    let gaps = scratch.lines("memory").filter { $0.contains("op=queue-drop") }
    let given = scratch.lines("memory").count - gaps.count
    #expect(memory.received == sent.count)
    #expect(memory.delivered + memory.droppedInAll == sent.count)
    #expect(abs(memory.delivered - given) <= killed, "\(memory) gave \(given)")
    #expect(state.source.records == sent.count)
    #expect(!scratch.text("reads.log").contains("OVERLAP"))
    #expect(!scratch.text("confirms.log").contains("OVERLAP"))
    let waits = daemon.messages.split(separator: "\n")
      .compactMap { $0.split(separator: "read again after ").dropFirst().first }
      .compactMap { Int($0.dropLast(3)) }.sorted()
    if let middle = waits.dropFirst(waits.count / 2).first {
      Faults.report(
        "the input is read again after \(middle) µs, p99 \(waits[waits.count * 99 / 100]) µs,"
          + " of \(waits.count) times")
    }
    Faults.report(
      "\(killed) kills of the dispatching process over \(sent.count) records: none lost or repeated;"
        + " \(repeated) unconfirmed ones given again; \(memory.droppedInAll) lost that were in"
        + " memory only; \(memory.restarts) starts of each plugin")
  }

  @Test func `loses nothing of a pipe either`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["lines", scratch("out")],
          "overflow_action = lossless\nrestart_delay = 0.001")
      ],
      settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch,
      pipedInput: true)
    let events = TestEvent.stream(0..<4000, records: 2, fill: 20)
    let sender = Task {
      for start in stride(from: 0, to: events.count, by: 40) {
        try await daemon.send(Array(events[start..<start + 40]))
        try await Task.sleep(for: .milliseconds(10))
      }
    }
    var random = Seeded(Faults.seed)
    for _ in 0..<10 {
      try await Task.sleep(for: .milliseconds(Int.random(in: 1...200, using: &random)))
      if let worker = daemon.worker { kill(worker, SIGKILL) }
    }
    try await sender.value
    let state = try await daemon.finish()
    #expect(difference(scratch.lines("out"), events.records) == nil, "seed \(Faults.seed)")
    #expect(state.source.records == 8000)
  }

  @Test func `gives again what a plugin had not read, and counts it where it was in memory only`()
    async throws
  {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let gated = ["gate:" + scratch("open")]
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "lossless", program, gated + [scratch("lossless")], "overflow_action = lossless"),
        PluginFile("memory", program, gated + [scratch("memory")]),
      ],
      settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch)
    let events = TestEvent.stream(0..<100)
    try await daemon.send(events)
    try await daemon.takenIn()
    kill(try #require(daemon.worker), SIGKILL)
    // They do not see the end of their input, and are made to end.
    try await eventually("another has taken over", detail: { daemon.messages }) {
      guard let state = daemon.files.stateIfAny() else { return false }
      return try state.daemon.deaths == 1 && state.plugin("lossless").state == "running"
        && state.plugin("memory").state == "running"
    }
    try scratch.write("", to: "open")
    let state = try await daemon.finish()
    #expect(difference(scratch.lines("lossless"), events.records) == nil)
    #expect(try state.plugin("lossless").delivered == events.records.count)
    #expect(try state.plugin("lossless").drops == [:])
    #expect(try state.plugin("memory").drops == ["dispatcher_died": events.records.count])
    #expect(try state.plugin("memory").delivered == 0)
  }

  @Test func `leaves no number confirmed that was never given`() async throws {
    let scratch = try Scratch()
    try scratch.write(
      "#!/bin/sh\nuntil [ -e \"$1\" ]; do sleep 0.02; done\n[ -e \"$1.said\" ] || echo ok 5000 >&0\n"
        + ": >\"$1.said\"\nexec sleep 600\n",
      to: "plugin", mode: 0o755)
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", scratch("plugin"), [scratch("open")], "confirm = yes", "overflow_action = lossless",
          "stop_timeout = 0.100")
      ], settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch)
    try await daemon.send(TestEvent.stream(0..<10))
    try await daemon.takenIn()
    let worker = try #require(daemon.worker)
    // It cannot see it any more; its successor does.
    kill(worker, SIGSTOP)
    try scratch.write("", to: "open")
    try await eventually("the plugin has said it") { scratch.exists("open.said") }
    kill(worker, SIGKILL)
    try await eventually("it is said", within: .seconds(20), detail: { daemon.messages }) {
      daemon.messages.contains("plugin p confirmed 5000, which it was not given")
    }
    try await eventually("another has taken over", detail: { daemon.messages }) {
      try daemon.files.stateIfAny()?.plugin("p").state == "running"
    }
    #expect(try daemon.plugin("p").delivered == 0 && daemon.plugin("p").queued == 10)
    try await daemon.finish()
  }

  @Test func `does not keep it from stopping when that is asked meanwhile`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    let events = TestEvent.stream(0..<100)
    try await daemon.send(events)
    try await daemon.takenIn()
    try await eventually("it has all") { scratch.lines("out").count == events.records.count }
    kill(try #require(daemon.worker), SIGKILL)
    daemon.child.signal(SIGTERM)
    #expect(try await daemon.child.end() == .exited(0))
    #expect(daemon.messages.components(separatedBy: "another one takes over").count == 2)
  }

  /// auditd closes the input of a child that died.
  @Test func `of the process that holds the input lets the other one finish`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    let events = TestEvent.stream(0..<200)
    try await daemon.send(Array(events[..<100]))
    try await daemon.takenIn()
    let worker = try #require(daemon.worker)
    daemon.child.signal(SIGKILL)
    #expect(try await daemon.child.end() == .signalled(SIGKILL))
    try await daemon.send(Array(events[100...]))
    try await daemon.takenIn()
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains("the process that holds the input is gone")
    }
    daemon.finishInput()
    try await eventually("the other ends") { kill(worker, 0) != 0 }
    #expect(difference(scratch.lines("out"), events.records) == nil)
    #expect(try daemon.files.writtenState().plugin("p").delivered == 200)
  }

  @Test func `is counted, and all counters go on`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("out")])],
      scratch: scratch)
    try await daemon.send(TestEvent.stream(0..<100))
    try await daemon.takenIn()
    kill(try #require(daemon.worker), SIGKILL)
    try scratch.write("", to: "open")
    try await eventually("another has taken over", detail: { daemon.messages }) {
      // Nobody answers between the two.
      guard let state = daemon.files.stateIfAny() else { return false }
      return try state.daemon.deaths == 1 && state.plugin("p").state == "running"
    }
    let later = TestEvent.stream(100..<200)
    try await daemon.send(later)
    let state = try await daemon.finish()
    let plugin = try state.plugin("p")
    #expect(state.source.records == 200 && state.source.events == 200)
    #expect(plugin.received == 200 && plugin.restarts == 1)
    #expect(plugin.delivered == 200, "its socket held what was written: \(plugin)")
    #expect(difference(scratch.lines("out").suffix(100).map { $0 }, later.records) == nil)
  }

  /// The plugin reads long records before short ones: a mean says little of what it read.
  @Test func `takes back nothing that the status had shown`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["slow:4096:30000", scratch("out")])],
      scratch: scratch)
    try await daemon.send(TestEvent.stream(0..<20, fill: 4000))
    try await daemon.send(TestEvent.stream(20..<420))
    try await eventually("it has read some") { try daemon.plugin("p").bytes > 20_000 }
    let before = try daemon.plugin("p")
    kill(try #require(daemon.worker), SIGKILL)
    try await eventually("another one reads") { daemon.messages.contains("is read again after") }
    try await eventually("its plugin runs") {
      // The socket that was there is nobody's any more.
      guard let status = try? daemon.files.request("status"), !status.isEmpty else { return false }
      return try daemon.plugin("p").state == "running"
    }
    let after = try daemon.plugin("p")
    #expect(after.bytes >= before.bytes)
    #expect(after.delivered >= before.delivered)
    #expect(after.received >= before.received)
    try await daemon.finish()
  }
}
