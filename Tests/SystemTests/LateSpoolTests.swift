import Foundation
import Linux
import Testing

/// Somebody else has the spool's lock for so long that durable plugins are begun without it.
@Suite("A spool that can be opened too late", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct LateSpoolTests {
  @Test(arguments: ["lossless", "spill"])
  func `changes nothing of queues that go on without it`(action: String) async throws {
    let scratch = try Scratch()
    try FileManager.default.createDirectory(
      atPath: scratch("spool"), withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    let lock = try Descriptor.open(scratch("spool/lock"), O_RDWR | O_CREAT, mode: 0o600)
    let isLocked = lock.tryLock()
    try #require(isLocked)
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["confirm:1", scratch("out")], "confirm = yes",
          "overflow_action = \(action)", "q_depth = 100000", "q_bytes = 100M")
      ],
      settings: [
        "spool_dir = \(scratch("spool"))", "spool_reserve = 0", "journal_bytes = 8M",
      ], scratch: scratch)
    // More than half of the journal.
    let early = TestEvent.stream(0..<6000, fill: 900)
    try await daemon.send(early)
    try await eventually("it is given up", detail: { daemon.messages }) {
      daemon.messages.contains("the spool is not open yet")
    }
    try await eventually("the plugin has confirmed some", detail: { daemon.messages }) {
      try daemon.plugin("p").delivered > 100
    }
    lock.unlock()
    let late = TestEvent.stream(6000..<6400, fill: 900)
    try await daemon.send(late)
    try await eventually("the plugin has confirmed all", detail: { daemon.messages }) {
      try daemon.plugin("p").delivered + daemon.plugin("p").droppedInAll == 6400
    }
    // The spool is another's to take now.
    let again = try Descriptor.open(scratch("spool/lock"), O_RDWR | O_CREAT, mode: 0o600)
    try await eventually("its lock is let go of") { again.tryLock() }
    let state = try await daemon.finish()
    let plugin = try state.plugin("p")
    #expect(plugin.redelivered == 0 && plugin.queued == 0)
    #expect(!daemon.messages.contains("which it was not given"), "\(daemon.messages)")
    // In order, each once; what was too much for the journal is counted.
    let got = scratch.lines("out").filter { !$0.hasPrefix("- ") }.map {
      String($0.drop { $0 != " " }.dropFirst())
    }
    let receipt = Receipt(of: got, sent: early + late)
    #expect(receipt.complete == receipt.complete.sorted() && receipt.broken.isEmpty)
    #expect(
      receipt.complete.count == plugin.delivered && receipt.absent.count == plugin.droppedInAll)
  }
}
