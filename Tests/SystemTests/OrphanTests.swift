import Foundation
import Testing

/// What becomes of the plugins of a dispatcher that was killed.
@Suite("A killed dispatcher's plugins", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct OrphanTests {
  /// A manner of a plugin, and how its life must have ended before a successor's begins.
  struct Orphan: Sendable, CustomTestStringConvertible {
    let mode: String
    /// In its log when it is as it shall be found.
    let settled: String
    /// The last word in its log.
    let end: String
    let testDescription: String

    static let all = [
      Orphan(mode: "copy", settled: " start", end: " end", testDescription: "that reads"),
      Orphan(
        mode: "slow:16384:20000", settled: " start", end: " end",
        testDescription: "that has yet to read what its socket holds"),
      Orphan(
        mode: "never", settled: " start", end: " start", testDescription: "that never reads"),
      Orphan(
        mode: "stubborn", settled: " ready", end: " stays",
        testDescription: "that ignores the end of its input and SIGTERM"),
    ]
  }

  @Test(arguments: Orphan.all)
  func `are gone before its successor starts a plugin`(orphan: Orphan) async throws {
    let scratch = try Scratch()
    let first = try await start(orphan, scratch)
    let pid = try await kill(first, orphan, scratch)
    let second = try await start(orphan, scratch)
    try await eventually("the successor's plugin runs") { starts(scratch) == 2 }
    #expect(hasEnded(pid))
    let log = scratch.lines("out.log")
    #expect(!log.contains { $0.contains("OVERLAP") })
    #expect(log.last { $0.contains(" \(pid) ") }?.hasSuffix(orphan.end) == true, "\(log)")
    #expect(!second.messages.contains("another audispatchd"))
    try await end(second, scratch)
  }

  @Test func `do not hold up a dispatcher with another runtime folder`() async throws {
    let (here, there) = (try Scratch(), try Scratch())
    let orphan = Orphan.all[2]
    let first = try await start(orphan, here)
    let pid = try await kill(first, orphan, here)
    let second = try await start(orphan, there)
    try await eventually("its plugin runs") { starts(there) == 1 }
    #expect(!hasEnded(pid))
    Foundation.kill(pid, SIGKILL)
    try await end(second, there)
  }

  @Test func `are waited for while records come in, and are named`() async throws {
    let scratch = try Scratch()
    let orphan = Orphan.all[3]
    let first = try await start(orphan, scratch)
    _ = try await kill(first, orphan, scratch)
    let plugin = PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])
    let second = try await Audispatchd([plugin], scratch: scratch, awaitsControl: false)
    try await eventually("it says so", detail: { second.messages }) {
      second.messages.contains("plugins of a killed audispatchd still run: waiting for p\n")
    }
    let events = TestEvent.stream(1..<101)
    try await second.send(events)
    #expect(starts(scratch) == 1)
    try await eventually("the successor has what came meanwhile") {
      scratch.lines("out").suffix(100) == events.records[...]
    }
    try await second.finish()
    #expect(!scratch.text("out.log").contains("OVERLAP"))
  }

  /// Its variables are no secret, and anybody can set them.
  @Test func `are not whoever says so in his environment`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    let claims = try (0..<5).map { _ in
      try Child(
        "/usr/bin/setpriv",
        ["--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sleep", "600"],
        environment: [
          "PATH": "/usr/bin:/bin", "AUDISPATCH_PLUGIN": "p",
          "AUDISPATCH_RUNTIME_DIR": scratch("run"),
        ])
    }
    defer { for claim in claims { claim.signal(SIGKILL) } }
    let worker = try #require(daemon.worker)
    Foundation.kill(worker, SIGKILL)
    let killed = ContinuousClock.now
    try await daemon.send(TestEvent.stream(0..<10))
    try await eventually("its plugin goes on", detail: { daemon.messages }) {
      scratch.lines("out").count == 10
    }
    // Those of its own that do not end have two seconds, and then three.
    #expect(ContinuousClock.now - killed < .seconds(2))
    #expect(claims.allSatisfy { $0.ended == nil })
    #expect(!daemon.messages.contains("still run"))
    try await daemon.finish()
  }

  private func start(_ orphan: Orphan, _ scratch: Scratch) async throws -> Audispatchd {
    try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), [orphan.mode, scratch("out")])],
      scratch: scratch)
  }

  /// Kills a dispatcher whose plugin has something to read; gives the plugin's process.
  private func kill(
    _ daemon: Audispatchd, _ orphan: Orphan, _ scratch: Scratch
  ) async throws -> pid_t {
    try await eventually("its plugin runs") { scratch.text("out.log").contains(orphan.settled) }
    let pid = try #require(pids(scratch).first)
    try await daemon.send(TestEvent.stream(1..<101, fill: 1000))
    try await daemon.takenIn()
    try await daemon.killAll()
    return pid
  }

  /// Ends a dispatcher and its plugin without waiting for what neither would do.
  private func end(_ daemon: Audispatchd, _ scratch: Scratch) async throws {
    try await daemon.killAll()
    for pid in pids(scratch) { Foundation.kill(pid, SIGKILL) }
  }
}
