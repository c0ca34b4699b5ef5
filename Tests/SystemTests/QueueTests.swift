import Foundation
import Testing

/// Cases Q1 to Q7, tried with auditd's dispatcher and with ours.
@Suite("A plugin that falls behind", .inTurn, .enabled(if: RealAuditd.isHere, RealAuditd.why))
struct QueueTests {
  /// Starts with one plugin that reads nothing before the file "open" exists.
  private func gated(
    _ kind: DispatcherKind, _ settings: [String: String], _ scratch: Scratch,
    audit: KernelAudit? = nil
  ) async throws -> any Dispatcher {
    try await kind.start(
      [
        PluginFile(
          "gated", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("gated")])
      ], settings: settings, audit: audit, scratch: scratch)
  }

  private func messages(_ dispatcher: any Dispatcher) -> [String] {
    split((dispatcher as? RealAuditd)?.messages ?? (dispatcher as? Audispatchd)?.messages ?? "")
      .filter { !$0.contains("_parser called") }
  }

  @Test("Q1 syslog drops the newest and says so", arguments: DispatcherKind.allCases)
  func syslog(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let dispatcher = try await gated(
      kind, ["q_depth": "50", "overflow_action": "syslog"], scratch)
    let events = TestEvent.stream(1..<901, fill: 200)
    try await dispatcher.send(events)
    let full = { messages(dispatcher).filter { $0.contains("full") } }
    switch kind {
    case .auditd309:
      try await eventually("its five messages and the limit") {
        full().count >= 5 && messages(dispatcher).contains { $0.contains("limit") }
      }
    case .ours:
      try await (dispatcher as? Audispatchd)?.takenIn()
      try await eventually("a message with a number", detail: { "\(messages(dispatcher))" }) {
        full().contains { $0.contains("gated") && $0.contains(/[0-9]+/) }
      }
    }
    try scratch.write("", to: "open")
    try await end(dispatcher)
    let receipt = Receipt(of: scratch.lines("gated"), sent: events)
    #expect(receipt.complete.count >= 50 && receipt.complete.count < 900)
    guard kind == .ours else { return }
    #expect(receipt.broken == [])
    #expect(receipt.complete == Array(1...max(1, receipt.complete.count)), "the newest are dropped")
  }

  @Test("Q2 ignore says nothing", arguments: DispatcherKind.allCases)
  func ignore(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let dispatcher = try await gated(
      kind, ["q_depth": "50", "overflow_action": "ignore"], scratch)
    let events = TestEvent.stream(1..<901, fill: 200)
    try await dispatcher.send(events)
    if let ours = dispatcher as? Audispatchd {
      try await ours.takenIn()
      let plugin = try ours.plugin("gated")
      #expect((plugin.dropped["queue_full"] ?? 0) > 0)
    }
    #expect(messages(dispatcher).filter { $0.contains("full") } == [])
    try scratch.write("", to: "open")
    try await end(dispatcher)
  }

  @Test("Q3 suspend drops everything until resumed", arguments: DispatcherKind.allCases)
  func suspend(kind: DispatcherKind) async throws {
    try await kind.withSignals { audit in
      let scratch = try Scratch()
      let dispatcher = try await gated(
        kind, ["q_depth": "50", "overflow_action": "suspend"], scratch, audit: audit)
      let before = TestEvent.stream(1..<901, fill: 200)
      try await dispatcher.send(before)
      try await (dispatcher as? Audispatchd)?.takenIn()
      try await eventually("one message", detail: { "\(messages(dispatcher))" }) {
        messages(dispatcher).contains { $0.lowercased().contains("suspend") }
      }
      try scratch.write("", to: "open")
      try await eventually("what was queued goes out") {
        Receipt(of: scratch.lines("gated"), sent: before).complete.count >= 50
      }
      let during = TestEvent.stream(1001..<1011)
      try await dispatcher.send(during)
      try await (dispatcher as? Audispatchd)?.takenIn()
      dispatcher.resume()
      // The signal is obeyed some time later; what comes before is dropped.
      var probe = 7_000_000
      try await eventually("an event passes again") {
        probe += 1
        try await dispatcher.send([TestEvent(probe)])
        return scratch.text("gated").contains("audit(1700000000.000:700")
      }
      let after = TestEvent.stream(2001..<2011)
      try await dispatcher.send(after)
      try await eventually("those after the resumption") {
        Receipt(of: scratch.lines("gated"), sent: after).complete.count == 10
      }
      if let ours = dispatcher as? Audispatchd {
        #expect((try ours.plugin("gated").dropped["suspended"] ?? 0) >= during.count)
      }
      try await end(dispatcher)
      #expect(Receipt(of: scratch.lines("gated"), sent: during).absent.count == during.count)
    }
  }

  @Test("Q4 a plugin that never reads and one that does", arguments: DispatcherKind.allCases)
  func neighbour(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    var never = PluginFile("never", program, ["never", scratch("never")])
    if kind == .ours { never.text += "stop_timeout = 0.2\n" }
    let dispatcher = try await kind.start(
      [
        never,
        PluginFile("cat", program, ["copy", scratch("cat")]),
      ], settings: ["q_depth": "50", "overflow_action": "ignore"], scratch: scratch)
    // In parts that a queue of 50 can take: what is tried is the neighbour's effect.
    let events = TestEvent.stream(1..<901, fill: 200)
    for start in stride(from: 0, to: events.count, by: 40) {
      let part = Array(events[start..<min(start + 40, events.count)])
      try await dispatcher.send(part)
      if kind == .ours {
        try await eventually(
          "the healthy plugin has them", detail: { scratch.text("cat").suffix(300).description }
        ) {
          scratch.lines("cat").last == part.last?.lines[0]
        }
      }
    }
    if kind == .auditd309 { try await Task.sleep(for: .milliseconds(300)) }
    let receipt = Receipt(of: scratch.lines("cat"), sent: events)
    switch kind {
    case .auditd309:
      #expect(receipt.complete.count < 900)
      // It does not end by itself while a write is stuck.
      dispatcher.child.signal(SIGKILL)
      for pid in pids(scratch, "never") { kill(pid, SIGKILL) }
    case .ours:
      #expect(receipt.complete.count == 900)
      try await end(dispatcher)
    }
  }

  @Test("Q5 a burst to a fast plugin", arguments: DispatcherKind.allCases)
  func burst(kind: DispatcherKind) async throws {
    let events = TestEvent.stream(1..<5001)
    // What each waits for the plugin is a matter of milliseconds, which a host can be too busy for.
    for attempt in 1...4 {
      let scratch = try Scratch()
      let copier = [try await Programs.plugin(), "copy", scratch("out")]
      let plugin =
        switch kind {
        case .auditd309: PluginFile("p", copier[0], Array(copier[1...]))
        case .ours: PluginFile("p", "/bin/sh", [Programs.source("promptly.sh")] + copier)
        }
      let dispatcher = try await kind.start([plugin], settings: ["q_depth": "50"], scratch: scratch)
      try await eventually("the plugin runs") { starts(scratch) == 1 }
      try await dispatcher.send(events)
      if let ours = dispatcher as? Audispatchd { try await ours.takenIn() }
      if kind == .ours {
        try await eventually("each has its fate") { try await settled(dispatcher) }
      } else {
        // What it has dropped never comes.
        try? await eventually("all", within: .seconds(10)) {
          scratch.lines("out").count >= events.count
        }
      }
      try await end(dispatcher)
      let lines = scratch.lines("out").filter { $0.contains("audit(1700000000") }
      if kind == .ours {
        let state = try dispatcher.files.writtenState()
        state.expectConserved(sent: events.count)
        #expect(try state.plugin("p").delivered == lines.count)
      }
      if lines.count < events.count, attempt < 4 { continue }
      if lines.count < events.count, kind == .auditd309 {
        // Of what it drops on a busy host nothing is out of order, or comes twice.
        let sent = Dictionary(uniqueKeysWithValues: zip(events.records, 0...))
        let places = lines.compactMap { sent[$0] }
        #expect(places.count == lines.count)
        #expect(zip(places, places.dropFirst()).allSatisfy { $0 < $1 })
        return
      }
      #expect(difference(lines, events.records) == nil)
      return
    }
  }

  /// Whether everything that was put to our plugin has its fate.
  private func settled(_ dispatcher: any Dispatcher) async throws -> Bool {
    try (dispatcher as? Audispatchd)?.plugin("p").queued == 0
  }

  @Test(
    "Q6 auditd's queue grows at a reload and never shrinks", arguments: [(5000, 5000), (100, 200)])
  func theirDepth(asked: Int, expected: Int) async throws {
    if !KernelAudit.isHere { try skipCase(KernelAudit.why) }
    try await KernelAudit.hold { audit in
      let scratch = try Scratch()
      let auditd = try await RealAuditd(
        [PluginFile("p", try await Programs.plugin(), ["catch", scratch("out")])],
        settings: ["q_depth": "200"], audit: audit, scratch: scratch)
      try await eventually("ready") { scratch.text("out.log").contains("ready") }
      let text = scratch.text("etc/auditd.conf")
      try scratch.write(
        text.replacing("q_depth = 200", with: "q_depth = \(asked)"), to: "etc/auditd.conf")
      auditd.reload()
      try await eventually("the reload") { scratch.text("out.log").contains("HUP") }
      auditd.child.signal(SIGCONT)
      let state = "/proc/\(auditd.child.pid)/root/run/auditd.state"
      try await eventually(
        "its state", detail: { String(decoding: contents(state), as: UTF8.self) }
      ) {
        String(decoding: contents(state), as: UTF8.self)
          .contains("plugin queue size = \(expected)\n")
      }
      try await auditd.stop()
    }
  }

  @Test("Q6 our bound follows the configuration at a reload", arguments: [(50, 5000), (5000, 50)])
  func ourDepth(before: Int, after: Int) async throws {
    let scratch = try Scratch()
    let plugin = PluginFile(
      "gated", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("gated")])
    let daemon = try await Audispatchd(
      [plugin], settings: ["q_depth = \(before)", "overflow_action = ignore"], scratch: scratch)
    // More than a socket and 50 records take, less than 5,000.
    let first = TestEvent.stream(1..<601, fill: 1000)
    try await daemon.send(first)
    try await daemon.takenIn()
    #expect((try daemon.plugin("gated").droppedInAll > 0) == (before == 50))
    let dropped = try daemon.plugin("gated").droppedInAll
    try daemon.files.configure(["q_depth = \(after)", "overflow_action = ignore"])
    #expect(try daemon.files.request("reload").starts(with: Data("ok".utf8)))
    let second = TestEvent.stream(1001..<1601, fill: 1000)
    try await daemon.send(second)
    try await daemon.takenIn()
    #expect((try daemon.plugin("gated").droppedInAll > dropped) == (after == 50))
    try scratch.write("", to: "open")
    try await daemon.finish()
    let receipt = Receipt(of: scratch.lines("gated"), sent: first + second)
    #expect(receipt.broken == [])
  }

  @Test("Q7 a stop with much queued", arguments: DispatcherKind.allCases)
  func stop(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let dispatcher = try await kind.start(
      [PluginFile("p", try await Programs.plugin(), ["slow:4096:20000", scratch("out")])],
      settings: ["q_depth": "6000"], scratch: scratch)
    let events = TestEvent.stream(1..<5001, fill: 100)
    try await dispatcher.send(events)
    try await (dispatcher as? Audispatchd)?.takenIn()
    dispatcher.child.signal(SIGTERM)
    #expect(try await dispatcher.child.end() == .exited(0))
    try await eventually("the plugin ends") { scratch.text("out.log").contains(" end") }
    let receipt = Receipt(of: scratch.lines("out"), sent: events)
    switch kind {
    case .auditd309: #expect(receipt.complete.count < 5000)
    case .ours:
      #expect(receipt.complete.count == 5000)
      let state = try dispatcher.files.writtenState()
      state.expectConserved(sent: 5000)
      #expect(try state.plugin("p").delivered == 5000)
    }
  }
}
