import Foundation
import Linux
import Testing

/// A central host whose first durable plugin comes with a reload, and whose spool takes its time to be
/// opened: somebody else has its lock.
@Suite(
  "Other hosts' records while the spool is opened", .inTurn,
  .enabled(if: Host.isRoot, "needs root"))
struct OpeningSpoolTests {
  private static func lock(_ scratch: Scratch) throws -> Descriptor {
    try scratch.folder("spool")
    let lock = try Descriptor.open(scratch("spool/lock"), O_RDWR | O_CREAT, mode: 0o600)
    let isLocked = lock.tryLock()
    try #require(isLocked)
    return lock
  }

  /// Adds a plugin, `late`, that writes down what it gets.
  private func add(_ action: String, to host: CentralHost) async throws {
    let scratch = host.scratch
    try host.daemon.files.write(
      PluginFile(
        "late", try await Programs.plugin(), ["copy", scratch("late")],
        "overflow_action = \(action)"))
    host.daemon.reload()
    try await eventually("the spool is being opened", detail: { host.daemon.messages }) {
      try host.daemon.state().spool?.state == "opening"
    }
  }

  @Test(arguments: ["lossless", "spill"])
  func `are not acknowledged before it has them`(action: String) async throws {
    let scratch = try Scratch()
    let host = try await CentralHost(
      scratch, keywords: "overflow_action = syslog", hasLocal: true)
    let lock = try Self.lock(scratch)
    try await add(action, to: host)
    let lines = (1...3).map { ReceiveTests.line($0) }
    let early = try host.peer()
    for (number, line) in lines.enumerated() { try early.record(line, UInt32(number)) }
    try await eventually("they are taken", detail: { host.daemon.messages }) {
      try host.peers().first?.records == 3
    }
    let known = try #require(try host.peers().first)
    #expect(known.acknowledged == 0 && known.behind == 3)
    // Its successor does not live to see it opened, either.
    for _ in 0..<2 { try await host.daemon.dieAndGoOn() }
    #expect(try early.reply() == nil)
    lock.unlock()
    let late = try host.peer()
    for (number, line) in lines.enumerated() { try late.record(line, UInt32(number)) }
    try ReceiveTests.expectAcknowledged(late, 0..<3)
    try await eventually("the plugin has them", detail: { host.daemon.messages }) {
      scratch.lines("late").count >= 3
    }
    // Those that came first have their fate, and are not told as lost: not after another death, either.
    let plugin = try host.daemon.plugin("late")
    #expect(plugin.received == 6 && plugin.drops == ["dispatcher_died": 3])
    try await host.daemon.dieAndGoOn()
    let another = try host.peer()
    try another.record(ReceiveTests.line(4), 4)
    try ReceiveTests.expectAcknowledged(another, [4])
    try await eventually("the plugin has it, too", detail: { host.daemon.messages }) {
      scratch.lines("late").count >= 4
    }
    #expect(scratch.lines("late") == lines + [ReceiveTests.line(4)])
    #expect(!host.daemon.messages.contains("records dropped"), "\(host.daemon.messages)")
    host.daemon.finishInput()
    _ = try await host.daemon.child.end()
  }

  /// Somebody puts a spool of old into the empty folder: it has records of another plugin, or some that
  /// wait for this one since it was taken out of the configuration.
  @Test(arguments: ["p", "late"])
  func `that are not stored let a plugin get nothing of an old spool that is not its own`(
    owner: String
  ) async throws {
    let old = try Scratch()
    let events = TestEvent.stream(0..<20)
    let before = try await Audispatchd(
      [
        PluginFile(
          owner, try await Programs.plugin(), ["never", old("out")], "overflow_action = lossless",
          "stop_timeout = 0.1")
      ],
      settings: ["spool_dir = \(old("spool"))", "spool_reserve = 0"], scratch: old)
    try await before.send(events)
    try await before.takenIn()
    try before.files.remove(owner + ".conf")
    before.reload()
    try await eventually("they are kept", detail: { before.messages }) {
      before.messages.contains("20 records are kept in the spool")
    }
    try await before.finish()
    let scratch = try Scratch()
    let host = try await CentralHost(
      scratch, keywords: "overflow_action = syslog", hasLocal: true)
    try scratch.folder("spool")
    for name in try FileManager.default.contentsOfDirectory(atPath: old("spool"))
    where name.hasSuffix(".spool") {
      let file = "spool/" + name
      try FileManager.default.copyItem(atPath: old(file), toPath: scratch(file))
    }
    let lock = try Self.lock(scratch)
    try await add("lossless", to: host)
    let lines = (1...3).map { ReceiveTests.line($0) }
    let early = try host.peer()
    for (number, line) in lines.enumerated() { try early.record(line, UInt32(number)) }
    try await eventually("they are taken", detail: { host.daemon.messages }) {
      try host.peers().first?.records == 3
    }
    kill(try #require(host.daemon.worker), SIGKILL)
    #expect(try early.reply() == nil)
    lock.unlock()
    let late = try host.peer()
    for (number, line) in lines.enumerated() { try late.record(line, UInt32(number)) }
    try ReceiveTests.expectAcknowledged(late, 0..<3)
    let expected = (owner == "late" ? events.records : []) + lines
    try await eventually("the plugin has them", detail: { host.daemon.messages }) {
      scratch.lines("late").last == lines.last
    }
    #expect(difference(scratch.lines("late"), expected) == nil)
    let state = try host.daemon.state()
    state.expectConserved()
    #expect(try state.plugin("late").drops == ["dispatcher_died": 3])
    host.daemon.finishInput()
    _ = try await host.daemon.child.end()
  }

  /// A successor makes this host's records once more, under the numbers that they had, and finds none
  /// of another host's among them.
  @Test func `do not come among this host's own`() async throws {
    let scratch = try Scratch()
    let host = try await CentralHost(
      scratch, keywords: "overflow_action = syslog", hasLocal: true)
    let lock = try Self.lock(scratch)
    let peer = try host.peer()
    try await eventually("it is connected") { try host.peers().first?.connections == 1 }
    try await add("spill", to: host)
    let (others, own) = (
      (1...3).map { ReceiveTests.line($0) }, (4...6).map { ReceiveTests.line($0) }
    )
    func received(_ count: Int) async throws {
      try await eventually("\(count) are queued", detail: { host.daemon.messages }) {
        try host.daemon.plugin("late").received == count
      }
    }
    try await host.daemon.send([own[0]])
    try await received(1)
    for (number, line) in others.enumerated() { try peer.record(line, UInt32(number)) }
    // They had time to come.
    try await Task.sleep(for: .milliseconds(500))
    try await host.daemon.send(Array(own[1...]))
    try await received(3)
    lock.unlock()
    try ReceiveTests.expectAcknowledged(peer, 0..<3)
    try await eventually("the plugin has all", detail: { host.daemon.messages }) {
      scratch.lines("late").count >= 6
    }
    #expect(scratch.lines("late") == own + others)
    host.daemon.finishInput()
    _ = try await host.daemon.child.end()
  }
}

/// A log that has something from before, and a process that dies before it knows.
@Suite("A death while the spool is opened", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct DeathWhileOpeningTests {
  /// - Parameters:
  ///   - later: events that come while it is opened.
  ///   - wasGone: the plugin had been taken out of the configuration.
  ///   - deaths: so many processes in a row die before they know.
  @Test(arguments: [(0, false, 1), (3, false, 2), (0, true, 2), (3, true, 1)])
  func `costs nothing of what the spool had before`(
    later: Int, wasGone: Bool, deaths: Int
  ) async throws {
    let scratch = try Scratch()
    let events = TestEvent.stream(0..<20 + later + 2)
    let first = try await DurableTests.start(
      scratch, "lossless", "never", settings: ["stop_timeout = 0.100"])
    try await first.send(Array(events[..<20]))
    try await first.takenIn()
    if wasGone {
      try first.files.remove("p.conf")
      first.reload()
      try await eventually("they are kept", detail: { first.messages }) {
        first.messages.contains("20 records are kept in the spool")
      }
    }
    try await first.finish()
    let lock = try Descriptor.open(scratch("spool/lock"), O_RDWR | O_CREAT, mode: 0o600)
    let isLocked = lock.tryLock()
    try #require(isLocked)
    let second = try await DurableTests.start(
      scratch, "lossless", "never", "confirm = yes", settings: ["stop_timeout = 0.100"])
    try await second.send(Array(events[20..<20 + later]))
    try await second.takenIn()
    for _ in 0..<deaths { try await second.dieAndGoOn() }
    lock.unlock()
    try await eventually("it has them again", detail: { second.messages }) {
      try second.plugin("p").queued == 20 + later
    }
    try await second.send(Array(events.suffix(2)))
    let state = try await second.finish()
    let stopped = try state.plugin("p")
    #expect(stopped.queued == events.count && stopped.received == events.count)
    #expect(stopped.drops == [:])
    let third = try await DurableTests.start(scratch, "lossless", "copy")
    try await eventually("all is read", detail: { third.messages }) {
      scratch.lines("out").count >= events.count
    }
    try await third.finish()
    #expect(difference(scratch.lines("out"), events.records) == nil)
  }

  /// What it has stays there for the next start: nobody's queue is changed under a running plugin.
  @Test func `comes too late for whoever goes on without it`() async throws {
    let scratch = try Scratch()
    let events = TestEvent.stream(0..<8_000, fill: 900)
    let first = try await DurableTests.start(
      scratch, "lossless", "never", settings: ["stop_timeout = 0.100"])
    try await first.send(Array(events[..<20]))
    try await first.takenIn()
    try await first.finish()
    let lock = try Descriptor.open(scratch("spool/lock"), O_RDWR | O_CREAT, mode: 0o600)
    let isLocked = lock.tryLock()
    try #require(isLocked)
    let second = try await DurableTests.start(
      scratch, "lossless", "confirm:1:0", "confirm = yes", settings: ["journal_bytes = 8M"])
    try await second.send(Array(events[20..<7_900]))
    try await eventually("it is given up", detail: { second.messages }) {
      second.messages.contains("the spool is not open yet")
    }
    func allIsRead() async throws {
      try await eventually("all is read", detail: { second.messages }) {
        let plugin = try second.plugin("p")
        return plugin.queued == 0 && plugin.received > 0
      }
    }
    try await allIsRead()
    lock.unlock()
    // Time to be opened.
    try await Task.sleep(for: .milliseconds(500))
    let before = try second.plugin("p")
    for event in events[7_900...] { try await second.send([event]) }
    try await second.takenIn()
    try await allIsRead()
    let after = try second.plugin("p")
    #expect(after.received == before.received + 100)
    #expect(after.delivered == before.delivered + 100)
    #expect(!second.messages.contains("which it was not given"))
    // Others may have it by now.
    let another = try Descriptor.open(scratch("spool/lock"), O_RDWR | O_CREAT, mode: 0o600)
    let isLetGo = another.tryLock()
    #expect(isLetGo)
    another.unlock()
    try await second.finish().expectConserved()
    let third = try await DurableTests.start(scratch, "lossless", "lines")
    try await eventually("what the spool has is read", detail: { third.messages }) {
      Array(scratch.lines("out").suffix(20)) == Array(events[..<20]).records
    }
    try await third.finish()
  }
}
