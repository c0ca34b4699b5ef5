import Foundation
import Glibc
import Testing

/// What is named as a file to be read, and is none, or does not stay what it was.
@Suite("An odd file as the source", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct OddFileSourceTests {
  private func start(
    _ path: String, _ scratch: Scratch, _ mode: String = "copy", _ settings: String...
  ) async throws -> Audispatchd {
    let plugin = PluginFile(
      "p", try await Programs.plugin(), [mode, scratch("out")],
      settings.isEmpty ? "gap_record = yes" : settings.joined(separator: "\n"))
    return try await Audispatchd([plugin], source: "file:" + path, scratch: scratch)
  }

  @Test func `a FIFO that nobody writes to does not hold it up`() async throws {
    let scratch = try Scratch()
    #expect(unsafe mkfifo(scratch("fifo"), 0o600) == 0)
    let daemon = try await start(scratch("fifo"), scratch)
    try await eventually("it runs") { (try? daemon.state()) != nil }
    daemon.child.signal(SIGTERM)
    try await daemon.ended(status: 3, within: .seconds(10))
  }

  @Test func `a FIFO is read until its writer ends, without cost between`() async throws {
    let scratch = try Scratch()
    #expect(unsafe mkfifo(scratch("fifo"), 0o600) == 0)
    // The last of it waits long enough for the queue that its end is there before.
    let daemon = try await start(scratch("fifo"), scratch, "slow:4096:20000", "q_depth = 20")
    let events = TestEvent.stream(0..<400, fill: 100)
    try scratch.write(events.records.map { $0 + "\n" }.joined(), to: "log")
    let outcome = try await run("/bin/sh", ["-c", "cat \(scratch("log")) > \(scratch("fifo"))"])
    #expect(outcome.end == .exited(0))
    let before = try cpuTicks(of: daemon.child.pid)
    try await daemon.ended(sent: 400)
    #expect(before < 100)
    #expect(difference(scratch.lines("out"), events.records) == nil)
  }

  @Test func `a folder is said to be one, and is status 3`() async throws {
    let scratch = try Scratch()
    let daemon = try await start(try scratch.folder("folder"), scratch)
    try await daemon.ended(status: 3)
    #expect(daemon.messages.contains("cannot read \(scratch("folder")): Is a directory"))
  }

  enum Cut: String, CaseIterable, Sendable { case shorter, anew, packed }

  @Test(arguments: Cut.allCases)
  func `a file that is truncated while it is read is status 3, and said`(cut: Cut) async throws {
    let scratch = try Scratch()
    let events = TestEvent.stream(0..<20_000, fill: 60)
    var path = try scratch.write(events.records.map { $0 + "\n" }.joined(), to: "log")
    if cut == .packed {
      _ = try await run("/bin/gzip", ["-1", path])
      path += ".gz"
    }
    let daemon = try await start(path, scratch, "gate:" + scratch("open"), "q_depth = 100")
    try await eventually("it waits") { (try? daemon.state().source.records) ?? 0 >= 100 }
    let others = TestEvent.stream(50_000..<90_000, fill: 60).records.map { $0 + "\n" }.joined()
    // In place, as `>` and copytruncate do.
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: cut == .anew ? 0 : 100)
    if cut == .anew { try file.write(contentsOf: Data(others.utf8)) }
    try file.close()
    try scratch.write("", to: "open")
    try await daemon.ended(status: 3)
    #expect(daemon.messages.contains("\(path): "))
    #expect(daemon.messages.contains("it was truncated while it was read"))
    let lines = scratch.lines("out")
    #expect(lines == Array(events.records.prefix(lines.count)))
  }

  @Test func `a log that grows while it is read is read to its end`() async throws {
    let scratch = try Scratch()
    let events = TestEvent.stream(0..<20_000, fill: 60)
    let lines = events.records.map { $0 + "\n" }
    let path = try scratch.write(lines[..<19_000].joined(), to: "log")
    let daemon = try await start(path, scratch, "gate:" + scratch("open"), "q_depth = 100")
    try await eventually("it waits") { (try? daemon.state().source.records) ?? 0 >= 100 }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data(lines[19_000...].joined().utf8))
    try file.close()
    try scratch.write("", to: "open")
    try await daemon.ended(sent: 20_000)
    #expect(difference(scratch.lines("out"), events.records) == nil)
  }
}

/// A replay ends, whatever it cannot have.
@Suite("A replay that can never be whole", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct HopelessReplayTests {
  private let events = TestEvent.stream(0..<2000)

  private func log(_ scratch: Scratch) throws -> String {
    "file:" + (try scratch.write(events.records.map { $0 + "\n" }.joined(), to: "log"))
  }

  @Test func `goes on without a plugin that cannot be started, and says why`() async throws {
    let scratch = try Scratch()
    try scratch.write("#!/no/such/interpreter\n", to: "broken", mode: 0o755)
    let daemon = try await Audispatchd(
      [
        PluginFile("broken", scratch("broken"), []),
        PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")]),
      ], source: try log(scratch), scratch: scratch)
    let state = try await daemon.ended(status: 3, sent: 2000, within: .seconds(20))
    #expect(difference(scratch.lines("out"), events.records) == nil)
    #expect(try state.plugin("broken").drops == ["stop_deadline": 2000])
    #expect(
      daemon.messages.contains("plugin broken cannot be made to read (cannot start"),
      "\(daemon.messages)")
  }

  @Test func `says for whom it waited when it is stopped`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["never", scratch("out")])],
      settings: ["stop_timeout = 0.100"], source: try log(scratch), scratch: scratch)
    try await eventually("it waits") {
      guard let plugin = try? daemon.plugin("p") else { return false }
      return plugin.queued == 2000 && plugin.state == "running"
    }
    daemon.child.signal(SIGTERM)
    try await daemon.ended(status: 3, sent: 2000)
    #expect(
      daemon.messages.contains(
        "the replay waited for plugin p, which is running, with 2000 records to read"))
  }

  @Test func `ends where there can be no runtime folder`() async throws {
    let scratch = try Scratch()
    try scratch.write("in the way", to: "run")
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])],
      source: try log(scratch), scratch: scratch)
    let end = try await daemon.child.end(within: .seconds(10))
    #expect(end == .exited(3))
    #expect(daemon.messages.contains("--runtime-dir"))
  }
}
