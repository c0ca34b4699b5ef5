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
    let worker = try #require(host.daemon.worker)
    kill(worker, SIGKILL)
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
