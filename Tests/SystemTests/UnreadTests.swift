import Foundation
import Testing

/// What a dead dispatcher's plugin had not read is told by places in its stream, whatever stands there.
@Suite(
  "What lies unread at the dispatching process's death", .inTurn,
  .enabled(if: Host.isRoot, "needs root"))
struct UnreadTests {
  /// A record of another dispatcher, as one finds it in a log, that looks like our own gap record.
  private static func gap(_ serial: Int) -> String {
    "type=DAEMON_ERR msg=audit(1700000000.000:\(serial)): op=queue-drop plugin=p dropped=7 events=3 "
      + "reason=queue_full res=failed"
  }

  /// Kills the dispatching process once the plugin has done what it does, and waits for another.
  private func afterDeath(
    _ mode: String, _ format: String, _ records: [String], ready: String? = nil
  ) async throws -> StateReport.Plugin {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), [mode, scratch("out")], "format = \(format)",
          "gap_record = no", "stop_timeout = 0.100")
      ], scratch: scratch)
    try await daemon.send(records)
    try await daemon.takenIn()
    if let ready {
      try await eventually("the plugin is where it stays") {
        scratch.text("out.log").contains(ready)
      }
    }
    kill(try #require(daemon.worker), SIGKILL)
    try await eventually(
      "another has taken over", within: .seconds(20), detail: { daemon.messages }
    ) {
      guard let state = daemon.files.stateIfAny() else { return false }
      return try state.daemon.deaths == 1 && state.plugin("p").state == "running"
    }
    let plugin = try daemon.plugin("p")
    try await daemon.finish()
    return plugin
  }

  @Test(arguments: ["string", "binary"])
  func `are records, though they look like gap records`(format: String) async throws {
    let plugin = try await afterDeath("never", format, (1...50).map(Self.gap))
    #expect(plugin.received == 50)
    #expect(plugin.delivered == 0)
    #expect(plugin.drops == ["dispatcher_died": 50])
  }

  @Test(arguments: ["string", "binary"])
  func `is all of it, where the plugin has its looks begin elsewhere`(format: String) async throws {
    let records = TestEvent.stream(0..<50).records
    let plugin = try await afterDeath("peeks", format, records, ready: "ready")
    #expect(plugin.delivered == 0)
    #expect(plugin.drops == ["dispatcher_died": 50])
  }

  /// Records of many sizes, of which the plugin has read up to a byte before, at and behind an end.
  @Test(arguments: [-1, 0, 1])
  func `is a record when its last byte is unread`(beside: Int) async throws {
    let records = (0..<50).map { TestEvent($0, fill: $0 * 7 % 90) }.records
    let read = records[..<20].reduce(0) { $0 + $1.utf8.count + 1 } + beside
    let plugin = try await afterDeath("reads:\(read)", "string", records, ready: "ready")
    let whole = beside < 0 ? 19 : 20
    #expect(plugin.delivered == whole)
    #expect(plugin.drops == ["dispatcher_died": 50 - whole])
  }

  /// More than the socket takes, so that it took the last write in part.
  @Test(arguments: ["string", "binary"])
  func `is told of a write that was taken in part`(format: String) async throws {
    let records = (0..<3000).map { TestEvent($0, fill: 100 + $0 * 37 % 400) }.records
    let plugin = try await afterDeath("never", format, records)
    #expect(plugin.delivered == 0)
    #expect(plugin.drops == ["dispatcher_died": 3000])
  }
}
