import Foundation
import Glibc
import Testing

/// As many plugins as there is memory for: while they are started everybody else has his turn.
@Suite("Many plugins", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ManyPluginTests {
  static let count = Faults.isFull ? 1000 : 250

  private func start(_ scratch: Scratch) async throws -> Audispatchd {
    let program = try await Programs.plugin()
    return try await Audispatchd(
      (0..<Self.count).map { PluginFile("p\($0)", program, ["copy", scratch("out\($0)")]) },
      settings: ["stop_timeout = 1"], scratch: scratch, awaitsControl: false)
  }

  /// Asks for the status again and again; the longest that it took.
  private func ask(
    _ daemon: Audispatchd, until isReached: (_ running: Int) -> Bool
  ) async throws -> (longest: Duration, betweenStarts: Int) {
    var longest = Duration.zero
    var between = 0
    try await eventually("so many run", within: .seconds(90), detail: { daemon.messages }) {
      let asked = ContinuousClock.now
      guard let state = try? daemon.state() else { return false }
      longest = max(longest, ContinuousClock.now - asked)
      let running = state.plugins.count { $0.state == "running" }
      if running < Self.count { between += 1 }
      return isReached(running)
    }
    return (longest, between)
  }

  @Test func `are started while the status is answered, and all end at a stop`() async throws {
    let scratch = try Scratch()
    let daemon = try await start(scratch)
    try await daemon.send(TestEvent.stream(0..<3))
    let (longest, between) = try await ask(daemon) { $0 == Self.count }
    #expect(between > 0)
    #expect(longest < .seconds(1))
    let state = try await daemon.finish()
    #expect(state.plugins.allSatisfy { $0.delivered == 3 })
  }

  @Test func `are ended by a stop in the midst of their start`() async throws {
    let scratch = try Scratch()
    let daemon = try await start(scratch)
    _ = try await ask(daemon) { $0 > 0 }
    let stopped = ContinuousClock.now
    daemon.child.signal(SIGTERM)
    _ = try await daemon.child.end(within: .seconds(30))
    #expect(ContinuousClock.now - stopped < .seconds(10))
    // Whoever had been started was ended.
    let left = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { process in
      String(decoding: contents("/proc/\(process)/cmdline"), as: UTF8.self)
        .contains(scratch("out"))
    }
    #expect(left == [])
  }
}
