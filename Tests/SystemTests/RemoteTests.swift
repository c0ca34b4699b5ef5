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

  private func expectStored(
    _ collector: Collector, _ lines: [String], by daemon: Audispatchd,
    _ location: SourceLocation = #_sourceLocation
  ) async throws {
    try await eventually(
      "all is stored", within: .seconds(120),
      detail: { "\(collector.stored.count) of \(lines.count): \(daemon.messages)" }
    ) { collector.stored.count >= lines.count }
    #expect(difference(collector.stored, lines) == nil, sourceLocation: location)
  }

  @Test(arguments: ["127.0.0.1", "::1", "localhost"])
  func `has a record stored as it is (S1)`(host: String) async throws {
    let scratch = try Scratch()
    let collector = try await Collector(scratch)
    let daemon = try await Self.daemon(scratch, Self.plugin(scratch, collector.port, host: host))
    let lines = ["node=web1 type=USER_CMD msg=audit(1700000000.001:1): n=1\u{1d}UID=\"root\""]
    try await daemon.send(lines)
    try await expectStored(collector, lines, by: daemon)
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
    try await expectStored(collector, lines.filter { !$0.contains("type=EOE ") }, by: daemon)
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
    try await expectStored(collector, lines, by: daemon)
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

  @Test(arguments: [SIGTERM, SIGKILL])
  func `loses nothing when the collector ends and comes again (S9, S10)`(signal: Int32) async throws
  {
    let scratch = try Scratch()
    var collector = try await Collector(scratch)
    let daemon = try await Self.daemon(
      scratch, Self.plugin(scratch, collector.port, ["window = 200"]))
    let events = TestEvent.stream(1..<20_001)
    for round in 0..<4 {
      try await daemon.send(Array(events[round * 5000..<(round + 1) * 5000]))
      collector.child.signal(signal)
      _ = try await collector.child.end()
      collector = try await Collector(scratch, port: collector.port)
    }
    let expected = events.records
    try await eventually(
      "all is confirmed", within: .seconds(120), detail: { daemon.messages }
    ) { try daemon.plugin("remote").delivered == 20_000 }
    // A kill may leave a line that is cut, beside the whole one.
    let stored = collector.stored.filter(Set(expected).contains)
    #expect(Set(stored) == Set(expected))
    var highest = 0
    var repeats = 0
    for serial in stored.compactMap(Receipt.serial) {
      if serial <= highest { repeats += 1 } else { #expect(serial == highest + 1) }
      highest = max(highest, serial)
    }
    #expect(repeats <= 4 * 200)
    try await daemon.finish()
  }

  @Test func `says why a collector turns it away, and comes back when it does not (S14)`()
    async throws
  {
    let scratch = try Scratch()
    let collector = try await Collector(scratch, settings: ["tcp_max_per_addr": "1"])
    let other = loopbackConnection(to: collector.port)
    let daemon = try await Self.daemon(scratch, Self.plugin(scratch, collector.port))
    try await daemon.send(["type=USER msg=audit(1700000000.001:1): n=1"])
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains("closed the connection before a word: it does not want this host")
    }
    #expect(collector.refused > 0)
    if let other { close(other) }
    try await eventually("it is stored", detail: { daemon.messages }) {
      collector.stored.count == 1
    }
    try await daemon.finish()
  }

  @Test func `is let in from the port that the collector wants, again and again (S15)`()
    async throws
  {
    let scratch = try Scratch()
    let collector = try await Collector(scratch, settings: ["tcp_client_ports": "1-1023"])
    for round in 1...3 {
      let daemon = try await Self.daemon(
        scratch, Self.plugin(scratch, collector.port, ["local_port = 997"]))
      try await daemon.send(["type=USER msg=audit(1700000000.001:\(round)): n=1"])
      try await eventually("it is stored", detail: { daemon.messages }) {
        collector.stored.count == round
      }
      try await daemon.finish()
    }
    let daemon = try await Self.daemon(scratch, Self.plugin(scratch, collector.port))
    try await eventually("it is turned away", detail: { daemon.messages }) {
      daemon.messages.contains("closed the connection before a word")
    }
    try await daemon.finish()
  }

  @Test func `is turned away by libwrap (S16)`() async throws {
    let scratch = try Scratch()
    let collector = try await Collector(
      scratch, settings: ["use_libwrap": "yes"], denied: "auditd: ALL\n")
    let daemon = try await Self.daemon(scratch, Self.plugin(scratch, collector.port))
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains("closed the connection before a word")
    }
    try await daemon.finish()
  }

  @Test func `keeps every record while the collector's disk is full (S18)`() async throws {
    let scratch = try Scratch()
    let collector = try await Collector(scratch, disk: 4 << 20)
    try collector.fill()
    let daemon = try await Self.daemon(scratch, Self.plugin(scratch, collector.port))
    // The log's last page still takes some of them.
    let lines = TestEvent.stream(1..<101, fill: 300).records
    try await daemon.send(lines)
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains("cannot store records, its disk is full ('disk full')")
    }
    try await Task.sleep(for: .seconds(2))
    #expect(try daemon.plugin("remote").delivered < 20)
    // Once for the server, once where its tries are counted.
    #expect(daemon.messages.components(separatedBy: "its disk is full").count <= 3)
    collector.makeRoom()
    try await eventually("all is confirmed", detail: { daemon.messages }) {
      try daemon.plugin("remote").delivered == 100
    }
    // What did not fit left a part of itself in a line.
    #expect(Set(collector.stored).isSuperset(of: lines.dropFirst(20)))
    try await daemon.finish()
  }

  @Test func `keeps every record while the collector's logging is suspended (S17)`() async throws {
    let scratch = try Scratch()
    let settings = ["disk_full_action": "SUSPEND"]
    let collector = try await Collector(scratch, settings: settings, disk: 4 << 20)
    try collector.fill()
    let daemon = try await Self.daemon(scratch, Self.plugin(scratch, collector.port))
    let lines = TestEvent.stream(1..<101, fill: 300).records
    try await daemon.send(lines)
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains("cannot store records")
    }
    try await Task.sleep(for: .seconds(1))
    #expect(try daemon.plugin("remote").delivered < 20)
    try await collector.stop()
    let next = try await Collector(scratch, settings: settings, port: collector.port)
    try await eventually("all is confirmed", detail: { daemon.messages }) {
      try daemon.plugin("remote").delivered == 100
    }
    #expect(Set(next.stored).isSuperset(of: lines.dropFirst(20)))
    try await daemon.finish()
  }

  @Test func `sends nothing twice while the collector has little room (S19)`() async throws {
    let scratch = try Scratch()
    let collector = try await Collector(
      scratch,
      settings: [
        "space_left": "900000", "space_left_action": "IGNORE", "admin_space_left": "10",
      ])
    let daemon = try await Self.daemon(
      scratch, Self.plugin(scratch, collector.port, ["disk_low_action = syslog"]))
    let lines = TestEvent.stream(1..<10_001).records
    try await daemon.send(lines)
    try await expectStored(collector, lines, by: daemon)
    try await daemon.finish()
  }

  @Test func `loses nothing when it and the worker are killed again and again (S20)`() async throws
  {
    let scratch = try Scratch()
    let collector = try await Collector(scratch)
    let daemon = try await Self.daemon(
      scratch, Self.plugin(scratch, collector.port, ["window = 50"]))
    let events = TestEvent.stream(1..<6001)
    for round in 0..<12 {
      try await daemon.send(Array(events[round * 500..<(round + 1) * 500]))
      if round % 3 == 2 {
        if let worker = daemon.worker { kill(worker, SIGKILL) }
      } else if let plugin = try? daemon.plugin("remote").pid {
        kill(pid_t(plugin), SIGKILL)
      }
      try await Task.sleep(for: .milliseconds(100))
    }
    try await eventually(
      "all is stored", within: .seconds(120),
      detail: {
        let serials = Set(collector.stored.compactMap(Receipt.serial))
        let missing = (1...6000).filter { !serials.contains($0) }
        return "\(missing.count) are missing, from \(missing.first ?? 0) to \(missing.last ?? 0): "
          + "\((try? daemon.files.request("status")).map { String(decoding: $0, as: UTF8.self) } ?? "")"
          + daemon.messages
      }
    ) {
      Set(collector.stored.compactMap(Receipt.serial)).count == 6000
    }
    var highest = 0
    for serial in collector.stored.compactMap(Receipt.serial) where serial > highest {
      #expect(serial == highest + 1)
      highest = serial
    }
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
    try await expectStored(first, Array(lines[..<50]), by: daemon)
    try await first.kill()
    try await daemon.send(Array(lines[50...]))
    _ = try Self.plugin(scratch, second.port)
    daemon.reload()
    try await expectStored(second, Array(lines[50...]), by: daemon)
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
    try await expectStored(second, lines, by: daemon)
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
