import Foundation
import Testing

/// audispatch-remote into a real auditd. S1 to S25 are the cases of how audisp-remote and auditd
/// behave, and lose records.
@Suite("audispatch-remote and auditd", .inTurn, .enabled(if: Collector.isHere, Collector.why))
struct RemoteTests {
  static let program = Programs.product("audispatch-remote")

  /// The plugin as it is to be used: nothing is let go of that no collector has stored.
  static func plugin(
    _ scratch: Scratch, _ port: UInt16, _ settings: [String] = [], host: String = "127.0.0.1",
    _ keywords: String = "confirm = yes\noverflow_action = lossless"
  ) throws -> PluginFile {
    let lines = [
      "remote_server = \(host)", "port = \(port)", "network_retry_time = 0.2",
      "network_retry_time_max = 0.5",
    ]
    let file = try scratch.write(
      (lines + settings).map { $0 + "\n" }.joined(), to: "remote.conf", mode: 0o600)
    return PluginFile(
      "remote", program, ["--config", file], keywords, "restart_delay = 0.010\nmax_restarts = 1000")
  }

  static func daemon(
    _ scratch: Scratch, _ plugin: PluginFile, settings: [String] = []
  ) async throws -> Audispatchd {
    try await Audispatchd(
      [plugin], settings: ["spool_dir = \(scratch("spool"))"] + settings, scratch: scratch)
  }

  static func expectStored(
    _ collector: Collector, _ lines: [String], by daemon: Audispatchd,
    _ location: SourceLocation = #_sourceLocation
  ) async throws {
    try await eventually(
      "all is stored", within: .seconds(120),
      detail: { "\(collector.stored.count) of \(lines.count): \(daemon.messages)" }
    ) { collector.stored.count >= lines.count }
    #expect(difference(collector.stored, lines) == nil, sourceLocation: location)
  }

  @Test func `says of an outage where the dispatcher keeps what comes, and how much`()
    async throws
  {
    let scratch = try Scratch()
    let plugin = try Self.plugin(
      scratch, freePort(), [], host: "127.0.0.1",
      "confirm = yes\noverflow_action = lossless\nspool_bytes = 64M")
    let daemon = try await Self.daemon(scratch, plugin)
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains(
        "no server takes records: the dispatcher keeps what comes in \(scratch("spool")), 64M at "
          + "most")
    }
    try await daemon.finish()
  }

  @Test(arguments: ["127.0.0.1", "::1", "localhost"])
  func `has a record stored as it is (S1)`(host: String) async throws {
    let scratch = try Scratch()
    let collector = try await Collector(scratch)
    let daemon = try await Self.daemon(scratch, Self.plugin(scratch, collector.port, host: host))
    let lines = ["node=web1 type=USER_CMD msg=audit(1700000000.001:1): n=1\u{1d}UID=\"root\""]
    try await daemon.send(lines)
    try await Self.expectStored(collector, lines, by: daemon)
    try await eventually("it is confirmed") { try daemon.plugin("remote").delivered == 1 }
    try await daemon.finish()
  }

  @Test func `has a real host's records stored once and in order, none of them an EOE (S7, S8)`()
    async throws
  {
    let scratch = try Scratch()
    let collector = try await Collector(scratch, settings: ["distribute_network": "yes"])
    let daemon = try await Self.daemon(scratch, Self.plugin(scratch, collector.port))
    let lines = RealPluginTests.corpus
    try await daemon.send(lines)
    try await Self.expectStored(collector, lines.filter { !$0.contains("type=EOE ") }, by: daemon)
    try await daemon.finish()
    #expect(collector.accepted == 1)
  }

  @Test func `has 20,000 records stored with 500 on their way (S8)`() async throws {
    let scratch = try Scratch()
    let collector = try await Collector(scratch)
    let daemon = try await Self.daemon(
      scratch, Self.plugin(scratch, collector.port, ["window = 500"]))
    let lines = TestEvent.stream(1..<20_001).records
    try await daemon.send(lines)
    try await Self.expectStored(collector, lines, by: daemon)
    let state = try await daemon.finish()
    #expect(try state.plugin("remote").delivered == 20_000)
  }

  @Test func `cuts what auditd would cut without a word, and keeps the connection (S4, S5)`()
    async throws
  {
    let scratch = try Scratch()
    let collector = try await Collector(scratch)
    let daemon = try await Self.daemon(scratch, Self.plugin(scratch, collector.port))
    let head = "type=USER msg=audit(1700000000.001:1): n="
    let lines = [8952, 8953, 8954, 9500, 12_000].map { length in
      head + String(repeating: "x", count: length - head.utf8.count)
    }
    try await daemon.send(lines)
    try await eventually("five are there", detail: { daemon.messages }) {
      collector.stored.count == 5
    }
    let stored = collector.stored
    #expect(Array(stored[..<2]) == Array(lines[..<2]))
    #expect(stored[2...].allSatisfy { $0.utf8.count <= 8953 && $0.contains(#/…\[\+\d+ bytes\]$/#) })
    #expect(collector.accepted == 1)
    try await daemon.finish()
  }

  @Test func `comes back by itself when an idle connection is closed (S3)`() async throws {
    let scratch = try Scratch()
    let collector = try await Collector(scratch, settings: ["tcp_client_max_idle": "1"])
    let daemon = try await Self.daemon(scratch, Self.plugin(scratch, collector.port))
    try await eventually("three connections without a record", detail: { daemon.messages }) {
      collector.accepted >= 3
    }
    #expect(!daemon.messages.contains("no server takes records"))
    try await daemon.finish()
  }

  @Test func `keeps an idle connection by heartbeats, of which nothing is stored (S2)`()
    async throws
  {
    let scratch = try Scratch()
    let collector = try await Collector(scratch, settings: ["tcp_client_max_idle": "1"])
    let daemon = try await Self.daemon(
      scratch, Self.plugin(scratch, collector.port, ["heartbeat_timeout = 0.3"]))
    try await Task.sleep(for: .seconds(4))
    #expect(collector.accepted == 1)
    #expect(collector.stored.isEmpty)
    try await daemon.finish()
  }

  @Test func `goes on with another collector after a reload (S24)`() async throws {
    let scratch = try Scratch()
    let other = try Scratch()
    let first = try await Collector(scratch)
    let second = try await Collector(other)
    let daemon = try await Self.daemon(scratch, Self.plugin(scratch, first.port))
    let lines = TestEvent.stream(1..<101).records
    try await daemon.send(Array(lines[..<50]))
    try await Self.expectStored(first, Array(lines[..<50]), by: daemon)
    try await first.kill()
    try await daemon.send(Array(lines[50...]))
    _ = try Self.plugin(scratch, second.port)
    daemon.reload()
    try await Self.expectStored(second, Array(lines[50...]), by: daemon)
    try await daemon.finish()
  }

  @Test func `sends to the next collector while the first is away`() async throws {
    let scratch = try Scratch()
    let other = try Scratch()
    let second = try await Collector(other)
    let port = try freePort()
    let daemon = try await Self.daemon(
      scratch,
      Self.plugin(scratch, port, ["remote_server = localhost:\(second.port)"]))
    let lines = TestEvent.stream(1..<101).records
    try await daemon.send(lines)
    try await Self.expectStored(second, lines, by: daemon)
    #expect(daemon.messages.contains("127.0.0.1:\(port): Connection refused"))
    try await daemon.finish()
  }

  @Test func `keeps on disk under auditd what no collector has stored, with mode = forward`()
    async throws
  {
    let scratch = try Scratch()
    let port = try freePort()
    let file = try scratch.write(
      "remote_server = 127.0.0.1\nport = \(port)\nmode = forward\nqueue_depth = 10\n"
        + "network_retry_time = 0.2\nnetwork_retry_time_max = 0.5\n"
        + "queue_file = \(scratch("spool/remote.log"))\n",
      to: "remote.conf", mode: 0o600)
    let plugin = PluginFile("remote", Self.program, ["--config", file])
    let events = TestEvent.stream(1..<1001)
    for half in [events[..<500], events[500...]] {
      let auditd = try await RealAuditd([plugin], scratch: scratch)
      try await auditd.send(Array(half))
      try await eventually("all is taken in", detail: { auditd.messages }) {
        Self.spooled(scratch("spool/audispatch-remote")) >= half.last?.serial ?? 0
      }
      try await auditd.stop()
    }
    let auditd = try await RealAuditd([plugin], scratch: scratch)
    let collector = try await Collector(try Scratch(), port: port)
    try await eventually("all is stored", detail: { auditd.messages }) {
      collector.stored.count >= 1000
    }
    #expect(difference(collector.stored, events.records) == nil)
    try await auditd.stop()
  }

  /// The highest serial in a spool.
  private static func spooled(_ folder: String) -> Int {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let text = names.filter { $0.hasSuffix(".spool") }.map {
      String(decoding: contents(folder + "/" + $0), as: UTF8.self)
    }
    return text.joined().matches(of: #/msg=audit\(1700000000\.000:(\d+)\)/#).compactMap {
      Int($0.1)
    }.max() ?? 0
  }
}
