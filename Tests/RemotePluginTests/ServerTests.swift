import Glibc
import Linux
import PluginHarness
import RemoteProtocol
import TestSupport
import Testing

@Suite("audispatch-remote and a server", .onThreads) struct ServerTests {
  @Test func `confirms a record when the server has stored it, and not before`() throws {
    let server = try ScriptedServer()
    let plugin = try remote(server.configuration(), first: 7)
    #expect(server.accept())
    try plugin.send(records(1...3))
    let first = try #require(server.next())
    #expect(first.text == records(1...1)[0] + "\n")
    #expect(plugin.confirmed == 0)
    server.answer(first.header.sequence)
    #expect(server.store(2) == records(2...3).map { $0 + "\n" })
    #expect(plugin.eventually { plugin.confirmed == 9 })
    plugin.close()
    #expect(plugin.end() == .exit(0))
  }

  @Test func `connects before there is a record, and comes back by itself (S11)`() throws {
    let server = try ScriptedServer()
    let plugin = try remote(server.configuration())
    for reset in [false, true, true, false] {
      #expect(server.accept())
      Pause.nanoseconds(60_000_000)
      server.close(reset: reset)
    }
    #expect(server.accept())
    try plugin.send(records(1...1))
    #expect(server.store(1).count == 1)
  }

  @Test func `sends again, in order, what was not acknowledged`() throws {
    let server = try ScriptedServer()
    let plugin = try remote(server.configuration())
    #expect(server.accept())
    try plugin.send(records(1...20))
    #expect(server.store(5).count == 5)
    server.close(reset: true)
    #expect(server.accept())
    #expect(server.store(15) == records(6...20).map { $0 + "\n" })
    #expect(plugin.eventually { plugin.confirmed == 20 })
  }

  @Test func `has no more on its way than the window says, and one until the first answer`() throws
  {
    let server = try ScriptedServer()
    let plugin = try remote(server.configuration("window = 4"))
    #expect(server.accept())
    try plugin.send(records(1...20))
    let first = try #require(server.next())
    #expect(server.next(within: .milliseconds(200)) == nil)
    server.answer(first.header.sequence)
    for _ in 0..<4 { #expect(server.next() != nil) }
    #expect(server.next(within: .milliseconds(200)) == nil)
  }

  @Test func `gives up a server that never answers, and goes on trying (S12)`() throws {
    let server = try ScriptedServer()
    let plugin = try remote(
      server.configuration("max_time_per_record = 0.1", "max_tries_per_record = 2"))
    try plugin.send(records(1...3))
    for _ in 0..<4 {
      #expect(server.accept())
      #expect(server.next()?.text == records(1...1)[0] + "\n")
      #expect(server.next() == nil)
    }
    #expect(server.accept())
    #expect(server.store(3).count == 3)
    #expect(plugin.eventually { plugin.confirmed == 3 })
    let lines = plugin.lines("err")
    #expect(lines.count { $0.contains("no server takes records") } == 1)
    #expect(lines.count { $0.contains("2 tries in vain") } == 1)
  }

  @Test(arguments: ["sequence", "magic", "version"])
  func `believes no reply to another message, whatever its version (S13)`(what: String) throws {
    let server = try ScriptedServer()
    let plugin = try remote(server.configuration())
    try plugin.send(records(1...1))
    #expect(server.accept())
    let sequence = try #require(server.next()).header.sequence
    var reply: [UInt8] = []
    MessageHeader(.acknowledgement, sequence: what == "sequence" ? sequence + 1 : sequence)
      .append(to: &reply)
    if what == "magic" { reply[0] = 0 }
    if what == "version" { reply[4] = 9 }
    server.say(reply)
    if what != "version" {
      #expect(server.accept())
      #expect(plugin.confirmed == 0)
      #expect(server.store(1) == [records(1...1)[0] + "\n"])
    }
    #expect(plugin.eventually { plugin.confirmed == 1 })
  }

  @Test func `sends one line whatever is in a record (S6)`() throws {
    let server = try ScriptedServer()
    let plugin = try remote(server.configuration())
    #expect(server.accept())
    // As auditd's binary format has it, where a newline can be.
    let text = Array("audit(1700000000.000:1): a\ntype=FORGED msg=audit(1.0:1): x\u{1}y".utf8)
    var frame: [UInt8] = []
    for word in [UInt32(0), 16, 1112, UInt32(text.count)] {
      frame += (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) }
    }
    try plugin.write(frame + text)
    #expect(
      server.store(1) == [
        "type=USER_LOGIN msg=audit(1700000000.000:1): a type=FORGED msg=audit(1.0:1): x\u{1}y\n"
      ])
  }

  @Test func `confirms an EOE, which is never sent, with what is before it (S7)`() throws {
    let server = try ScriptedServer()
    let plugin = try remote(server.configuration())
    #expect(server.accept())
    try plugin.send(["type=EOE msg=audit(1700000000.000:1): "])
    #expect(plugin.eventually { plugin.confirmed == 1 })
    try plugin.send(records(2...2) + ["node=a type=EOE msg=audit(1700000000.000:2): "])
    let message = try #require(server.next())
    #expect(message.text == records(2...2)[0] + "\n")
    #expect(plugin.confirmed == 1)
    server.answer(message.header.sequence)
    #expect(plugin.eventually { plugin.confirmed == 3 })
    #expect(server.next(within: .milliseconds(100)) == nil)
  }

  @Test func `loses no connection to signals (S25)`() throws {
    let server = try ScriptedServer()
    let plugin = try remote(server.configuration())
    #expect(server.accept())
    // It takes signals from when it takes records.
    try plugin.send(records(1...1))
    #expect(server.store(1).count == 1)
    for start in stride(from: 2, to: 200, by: 2) {
      plugin.signal(start % 4 == 0 ? SIGHUP : SIGUSR1)
      try plugin.send(records(start...start + 1))
      #expect(server.store(2).count == 2)
    }
    #expect(!server.accept(within: .zero))
    #expect(plugin.eventually { plugin.confirmed == 199 })
  }

  @Test func `sends to another server after a reload, what waits first (S24)`() throws {
    let server = try ScriptedServer()
    let other = try ScriptedServer()
    let plugin = try remote(server.configuration())
    #expect(server.accept())
    try plugin.send(records(1...3))
    #expect(server.store(1).count == 1)
    // The next one comes when it has seen that the first is stored.
    #expect(server.next()?.text == records(2...2)[0] + "\n")
    try plugin.put(other.configuration(), in: "remote.conf")
    plugin.signal(SIGHUP)
    #expect(other.accept())
    #expect(other.store(2) == records(2...3).map { $0 + "\n" })
    #expect(plugin.eventually { plugin.confirmed == 3 })
  }

  @Test func `sends what waits before it ends`() throws {
    let server = try ScriptedServer()
    let plugin = try remote(server.configuration())
    try plugin.send(records(1...50))
    plugin.endInput()
    #expect(server.accept())
    #expect(server.store(50).count == 50)
    #expect(plugin.end() == .exit(0))
  }

  @Test func `ends in time though no server takes anything, and says what is left`() throws {
    let server = try ScriptedServer()
    let plugin = try remote(server.configuration())
    try plugin.send(records(1...50))
    #expect(server.accept())
    _ = server.next()
    plugin.signal(SIGTERM)
    #expect(plugin.end() == .exit(0))
    #expect(plugin.messages.contains("ends before 50 records were stored by a server"))
  }
}

/// auditd keeps nothing for a plugin and waits for none.
@Suite("audispatch-remote under auditd", .onThreads) struct UnderAuditdTests {
  /// Ten records at a time are taken or dropped.
  @Test(arguments: [0, 10, 90], [20, 200])
  func `keeps what waits when queue_depth is another, and has room accordingly (S22)`(
    held: Int, depth: Int
  ) throws {
    let server = try ScriptedServer()
    let plugin = try remote(
      server.configuration("queue_depth = 100"), first: nil, environment: [])
    #expect(server.accept())
    func send(_ numbers: Range<Int>) throws {
      for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 10) {
        try plugin.send(records(start..<start + 10))
        Pause.nanoseconds(50_000_000)
      }
    }
    try send(0..<held)
    if held > 0 { #expect(server.next() != nil) }
    try plugin.put(server.configuration("queue_depth = \(depth)"), in: "remote.conf")
    plugin.signal(SIGHUP)
    // It connects again, and nothing that waits is answered.
    #expect(server.accept())
    if held > 0 { #expect(server.next() != nil) }
    try send(1000..<1150)
    let taken = min(150, max(0, depth - held))
    if taken < 150 {
      #expect(plugin.await("nothing takes records: records are dropped", in: "err"))
    }
    // Until all of them were taken or dropped.
    if held == 0 { #expect(server.next() != nil) }
    Pause.nanoseconds(1_500_000_000)
    server.close()
    #expect(server.accept())
    let expected = records(0..<held) + records(1000..<1000 + taken)
    #expect(server.store(expected.count) == expected.map { $0 + "\n" })
    #expect(server.next(within: .milliseconds(300)) == nil)
    let dropped = plugin.messages.contains("records are dropped")
    #expect(dropped == (taken < 150))
    plugin.close()
    #expect(plugin.end() == .exit(dropped ? 74 : 0))
  }

  @Test func `drops the newest beyond queue_depth, and says how many, once (S23)`() throws {
    let server = try ScriptedServer()
    let plugin = try remote(
      server.configuration("queue_depth = 100"), first: nil, environment: [])
    #expect(server.accept())
    try plugin.send(records(1...1))
    #expect(server.next() != nil)
    for start in stride(from: 2, to: 302, by: 10) {
      try plugin.send(records(start...start + 9))
      Pause.nanoseconds(60_000_000)
    }
    #expect(plugin.await("nothing takes records: records are dropped", in: "err"))
    server.close()
    #expect(server.accept())
    let stored = server.store(101)
    #expect(stored.prefix(100) == records(1...100).map { $0 + "\n" }[...])
    try plugin.send(records(1000...1000))
    #expect(plugin.await("records are taken again; ", in: "err"))
    #expect(plugin.lines("err").count { $0.contains("records are dropped") } == 1)
    #expect(server.store(1).count == 1)
    plugin.close()
    #expect(plugin.end() == .exit(74))
  }

  @Test func `says how long what waits can be kept`() throws {
    let server = try ScriptedServer()
    let configuration = server.configuration("queue_depth = 1000")
    let plugin = try remote(
      configuration.replacing("\(server.port)", with: "1"), first: nil, environment: [])
    #expect(plugin.await("no server takes records: 0 wait in memory, of 1000 at most", in: "err"))
  }
}
