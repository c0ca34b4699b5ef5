import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@Suite("audispatch-socket", .onThreads)
struct SocketPluginTests {
  static func record(_ serial: Int, fill: Int = 0) -> String {
    "type=USER msg=audit(1700000000.000:\(serial)): x=\(String(repeating: "y", count: fill))"
  }

  static func run(_ arguments: String..., folder: String? = nil) throws -> PluginRun {
    let run = try PluginRun("audispatch-socket", arguments, folder: folder)
    return run
  }

  static func client(_ run: PluginRun, _ name: String = "s") throws -> TestClient {
    let path = "\(run.folder)/\(name)"
    #expect(run.eventually { (try? UnixSocket.connect(path)) != nil }, "\(run.messages)")
    return try TestClient(path)
  }

  @Test func `gives every record to every client`() throws {
    let run = try Self.run("0600", "DIR/s")
    let clients = try (0..<5).map { _ in try Self.client(run) }
    let expected = (1...1000).map { Self.record($0, fill: 100) }
    try run.send(expected)
    for client in clients {
      #expect(client.await(expected.last! + "\n"))
      #expect(client.lines == expected)
    }
  }

  @Test func `gives a client what begins after its coming`() throws {
    let run = try Self.run("0600", "DIR/s")
    let first = try Self.client(run)
    try run.send([Self.record(1)])
    #expect(first.await(":1): x=\n"))
    let second = try Self.client(run)
    // The rest of the event is not for the second, which has not seen its beginning.
    try run.send([Self.record(1), Self.record(2)])
    #expect(first.await(":2): x=\n") && second.await(":2): x=\n"))
    #expect(second.lines == [Self.record(2)])
    #expect(first.lines.count == 3)
  }

  @Test func `lets a client that does not read lose events alone`() throws {
    let run = try Self.run("--path", "DIR/s", "--depth", "100", "--bytes", "64K")
    let slow = try Self.client(run)
    let healthy = try Self.client(run)
    let count = 10_000
    let filling = String(repeating: "y", count: 100)
    for first in stride(from: 1, to: count, by: 200) {
      try run.send((first..<first + 200).map { Self.record($0, fill: 100) })
      try #require(healthy.await(":\(first + 199)): x=\(filling)\n"))
    }
    #expect(healthy.lines == (1...count).map { Self.record($0, fill: 100) })
    #expect(run.await("does not read fast enough", in: "err"))
    // Now it reads, and is told what it missed.
    slow.read()
    var serial = count
    #expect(
      run.eventually {
        serial += 1
        guard (try? run.send([Self.record(serial)])) != nil else { return false }
        slow.read()
        return slow.text.hasSuffix(":\(serial)): x=\n")
      })
    let gaps = slow.lines.filter { $0.contains("op=queue-drop plugin=test") }
    let dropped = gaps.compactMap { line in
      line.split(separator: " ").first { $0.hasPrefix("dropped=") }.flatMap { Int($0.dropFirst(8)) }
    }
    #expect(!gaps.isEmpty)
    #expect(slow.lines.count - gaps.count + dropped.reduce(0, +) == serial)
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.messages.contains(" dropped=\(dropped.reduce(0, +)) "))
  }

  @Test func `notices that a client has gone`() throws {
    let run = try Self.run("--path", "DIR/s", "--clients", "1")
    do { _ = try Self.client(run) }
    // There is room for another, without any record in between.
    let client = try Self.client(run)
    #expect(
      run.eventually {
        try? run.send([Self.record(1)])
        client.read()
        return client.text.contains(":1): ") || client.hasEnded
      })
  }

  @Test func `turns away more clients than it shall have`() throws {
    let run = try Self.run("--path", "DIR/s", "--clients", "2")
    // The socket is there before anybody listens at it.
    var clients: [TestClient] = []
    #expect(
      run.eventually {
        if let client = try? TestClient("\(run.folder)/s") { clients.append(client) }
        return clients.count == 3
      })
    #expect(clients[2].awaitEnd())
    try run.send([Self.record(1)])
    #expect(clients[0].await(":1): x=\n") && clients[1].await(":1): x=\n"))
    #expect(run.messages.contains("another is turned away"))
  }

  @Test func `turns away clients for which it has no descriptor, at rest`() throws {
    let run = try PluginRun(
      "audispatch-socket", ["0600", "DIR/s"], prefix: ["/usr/bin/prlimit", "--nofile=24"])
    #expect(run.eventually { (try? Files.status(of: "\(run.folder)/s")) != nil })
    var clients: [TestClient] = []
    // Its backlog is shorter than this.
    #expect(
      run.eventually {
        if let client = try? TestClient("\(run.folder)/s") { clients.append(client) }
        return clients.count == 30
      })
    #expect(clients[29].awaitEnd())
    #expect(run.messages.contains("Too many open files: another is turned away; 1 in all"))
    let before = try Self.processorTime(run.pid)
    Pause.nanoseconds(500_000_000)
    #expect(try Self.processorTime(run.pid) - before < 10)
    try run.send([Self.record(1)])
    #expect(clients[0].await(":1): x=\n"))
    for client in clients { client.read() }
    let turnedAway = clients.count { $0.hasEnded }
    #expect(turnedAway > 5)
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.messages.contains(" turned_away=\(turnedAway) "))
  }

  /// In hundredths of a second.
  private static func processorTime(_ pid: Int32) throws -> Int {
    let bytes = try Transfer.contents(of: "/proc/\(pid)/stat", limit: 4096)
    let words = String(decoding: bytes, as: UTF8.self).split(separator: ")").last?
      .split(separator: " ")
    return (words?[11...12] ?? []).compactMap { Int($0) }.reduce(0, +)
  }

  @Test func `gives what waits to its clients at the end, and removes its socket`() throws {
    let run = try Self.run("0600", "DIR/s")
    let client = try Self.client(run)
    let expected = (1...500).map { Self.record($0, fill: 500) }
    try run.send(expected)
    run.close()
    #expect(client.awaitEnd())
    #expect(client.lines == expected)
    #expect(run.end() == .exit(0))
    #expect((try? Files.status(of: "\(run.folder)/s")) == nil)
  }

  // MARK: The socket's place

  @Test func `moves with its configuration`() throws {
    let run = try Self.run("--config", "DIR/socket.conf")
    _ = run.end()
    try run.put("path = \(run.folder)/a\n", in: "socket.conf")
    let next = try Self.run("--config", "DIR/socket.conf", folder: run.folder)
    let first = try Self.client(next, "a")
    try run.put("path = \(run.folder)/b\n", in: "socket.conf")
    next.signal(SIGHUP)
    let second = try Self.client(next, "b")
    try next.send([Self.record(1)])
    // A client that has come stays.
    #expect(first.await(":1): x=\n") && second.await(":1): x=\n"))
    #expect((try? Files.status(of: "\(run.folder)/a")) == nil)
    next.close()
    #expect(next.end() == .exit(0))
  }

  // MARK: Binary

  static func header(_ type: UInt32, _ size: Int) -> [UInt8] {
    [1, 16, type, UInt32(size)].flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) }
    }
  }

  @Test(arguments: [false, true])
  func `gives binary records as auditd does`(_ isFixed: Bool) throws {
    let run = try Self.run(
      "0600", "DIR/s", "binary", "--binary-framing", isFixed ? "fixed" : "compact")
    let client = try Self.client(run)
    let lines = (1...300).map { Self.record($0, fill: $0) }
    try run.send(lines)
    var expected: [UInt8] = []
    for line in lines {
      expected += Self.header(1005, line.utf8.count) + Array(line.utf8)
      if isFixed { expected += [UInt8](repeating: 0, count: 8970 - line.utf8.count) }
    }
    #expect(
      run.eventually {
        client.read()
        return client.bytes.count >= expected.count
      })
    #expect(client.bytes == expected)
  }

  /// Whatever a client's socket takes at a time.
  @Test(arguments: ["string", "binary"])
  func `goes on where a full socket has stopped it`(_ format: String) throws {
    let run = try Self.run(
      "0600", "DIR/s", format, "--depth", "100000", "--bytes", "64M", "--binary-framing", "compact")
    let client = try Self.client(run)
    let lines = (1...10_000).map { Self.record($0, fill: $0 % 200) }
    // Nothing is read before all is sent, which is more than its socket takes.
    try run.send(lines)
    #expect(client.await(lines.last!, andMore: format == "string" ? "\n" : ""))
    if format == "string" {
      #expect(client.lines == lines)
    } else {
      let expected = lines.flatMap { Self.header(1005, $0.utf8.count) + Array($0.utf8) }
      #expect(client.bytes == expected)
    }
  }
}
