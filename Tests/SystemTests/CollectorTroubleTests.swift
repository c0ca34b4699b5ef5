import Foundation
import Testing

/// What audispatch-remote keeps while auditd ends, turns it away, or cannot store.
@Suite(
  "audispatch-remote and an auditd in trouble", .inTurn,
  .enabled(if: Collector.isHere, Collector.why))
struct CollectorTroubleTests {
  @Test(arguments: [SIGTERM, SIGKILL])
  func `loses nothing when the collector ends and comes again (S9, S10)`(signal: Int32) async throws
  {
    let scratch = try Scratch()
    var collector = try await Collector(scratch)
    let daemon = try await RemoteTests.daemon(
      scratch, RemoteTests.plugin(scratch, collector.port, ["window = 200"]))
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
    let daemon = try await RemoteTests.daemon(scratch, RemoteTests.plugin(scratch, collector.port))
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
      let daemon = try await RemoteTests.daemon(
        scratch, RemoteTests.plugin(scratch, collector.port, ["local_port = 997"]))
      try await daemon.send(["type=USER msg=audit(1700000000.001:\(round)): n=1"])
      try await eventually("it is stored", detail: { daemon.messages }) {
        collector.stored.count == round
      }
      try await daemon.finish()
    }
    let daemon = try await RemoteTests.daemon(scratch, RemoteTests.plugin(scratch, collector.port))
    try await eventually("it is turned away", detail: { daemon.messages }) {
      daemon.messages.contains("closed the connection before a word")
    }
    try await daemon.finish()
  }

  @Test func `is turned away by libwrap (S16)`() async throws {
    let scratch = try Scratch()
    let collector = try await Collector(
      scratch, settings: ["use_libwrap": "yes"], denied: "auditd: ALL\n")
    let daemon = try await RemoteTests.daemon(scratch, RemoteTests.plugin(scratch, collector.port))
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains("closed the connection before a word")
    }
    try await daemon.finish()
  }

  @Test func `keeps every record while the collector's disk is full (S18)`() async throws {
    let scratch = try Scratch()
    let collector = try await Collector(scratch, disk: 4 << 20)
    try collector.fill()
    let daemon = try await RemoteTests.daemon(scratch, RemoteTests.plugin(scratch, collector.port))
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
    let daemon = try await RemoteTests.daemon(scratch, RemoteTests.plugin(scratch, collector.port))
    let lines = TestEvent.stream(1..<101, fill: 300).records
    try await daemon.send(lines)
    // Its disk is full at first; then it has suspended its logging.
    let suspended = "cannot store records ('remote logging suspended')"
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains(suspended)
    }
    try await eventually("it was tried again, and again", detail: { daemon.messages }) {
      daemon.messages.contains("tries in vain")
    }
    try await Task.sleep(for: .seconds(2))
    // Once for what it says, and perhaps where so many tries are counted.
    let warnings = daemon.messages.split(separator: "\n").filter { $0.contains(suspended) }
    #expect(warnings.count { !$0.contains("tries in vain") } == 1, "\(daemon.messages)")
    #expect(warnings.count <= 2, "\(daemon.messages)")
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
    let daemon = try await RemoteTests.daemon(
      scratch, RemoteTests.plugin(scratch, collector.port, ["disk_low_action = syslog"]))
    let lines = TestEvent.stream(1..<10_001).records
    try await daemon.send(lines)
    try await RemoteTests.expectStored(collector, lines, by: daemon)
    try await daemon.finish()
    // Once a minute.
    let said = daemon.messages.components(separatedBy: "has little room left").count - 1
    #expect((1...2).contains(said), "\(daemon.messages)")
  }

  @Test func `loses nothing when it and the worker are killed again and again (S20)`() async throws
  {
    let scratch = try Scratch()
    let collector = try await Collector(scratch)
    let daemon = try await RemoteTests.daemon(
      scratch, RemoteTests.plugin(scratch, collector.port, ["window = 50"]))
    let events = TestEvent.stream(1..<6001)
    for round in 0..<12 {
      try await daemon.send(Array(events[round * 500..<(round + 1) * 500]))
      if round % 3 == 2 {
        if let worker = daemon.worker { kill(worker, SIGKILL) }
      } else if let plugin = try? daemon.plugin("remote").pid, plugin > 0 {
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
}
