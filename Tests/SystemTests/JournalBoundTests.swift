import Foundation
import Testing

/// `journal_bytes`, the bound of what is held for all plugins together.
@Suite("The whole journal's bound", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct JournalBoundTests {
  static let bound = 8 << 20
  /// Memory of the journal comes and goes in such pieces.
  static let segment = 512 << 10

  @Test(arguments: ["ignore", "drop_oldest"], [1, 40])
  func `drops the oldest of whoever holds it, whole and counted, and nobody else's`(
    action: String, interleaved: Int
  ) async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "gated", program, ["gate:" + scratch("open"), scratch("gated")],
          "overflow_action = \(action)"),
        PluginFile("copy", program, ["copy", scratch("copy")]),
      ], settings: ["journal_bytes = \(Self.bound)", "q_bytes = 1G"], scratch: scratch)
    let events = TestEvent.stream(1..<6001, records: 4, eoe: true, fill: 500)
    let records = events.interleaved(interleaved)
    try await daemon.send(records)
    try await daemon.takenIn()
    // A few segments more: what is being written, and what plugins have read last.
    let held = try held(daemon)
    #expect(held < Self.bound + 4 * Self.segment)
    #expect(try daemon.plugin("gated").droppedInAll > 0)
    try scratch.write("", to: "open")
    try await eventually("the queue is empty") { try daemon.plugin("gated").queued == 0 }
    let last = TestEvent(9999, records: 3, eoe: true)
    try await daemon.send([last])
    let state = try await daemon.finish()
    #expect(difference(scratch.lines("copy"), records + last.lines) == nil)
    #expect(try state.plugin("copy").drops == [:])
    let receipt = Receipt(of: scratch.lines("gated"), sent: events + [last])
    #expect(receipt.broken == [])
    #expect(receipt.complete.first == 1, "what the socket held")
    #expect(receipt.complete.suffix(2) == [6000, 9999], "the newest stay")
    let gated = try state.plugin("gated")
    #expect(gated.drops == ["queue_full": receipt.absent.count * 5])
    #expect(gated.delivered == receipt.records)
    let announced = receipt.gaps.compactMap { line in
      line.firstMatch(of: #/ dropped=(\d+) events=(\d+) reason=queue_full /#).map {
        [Int($0.1) ?? 0, Int($0.2) ?? 0]
      }
    }
    #expect(announced.map { $0[0] }.reduce(0, +) == receipt.absent.count * 5)
    #expect(announced.map { $0[1] }.reduce(0, +) == receipt.absent.count)
  }

  /// `journal_bytes` of the state, which is not among the names that are fixed.
  private func held(_ daemon: Audispatchd) throws -> Int {
    let text = String(decoding: try daemon.files.request("status"), as: UTF8.self)
    let match = try #require(text.firstMatch(of: #/"journal_bytes": ?(\d+)/#))
    return Int(match.1) ?? .max
  }
}

/// `stall_timeout` and `stall_action`.
@Suite("A plugin that stalls", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct StallTests {
  @Test func `is restarted when its file says so, and its successor has everything`() async throws {
    let scratch = try Scratch()
    // The first life reads nothing; every later one copies.
    try scratch.write(
      """
      #!/bin/sh
      [ -e "$1" ] && exec "$2" copy "$3"
      : > "$1"
      exec "$2" never "$3"

      """, to: "p", mode: 0o755)
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", scratch("p"), [scratch("lived"), try await Programs.plugin(), scratch("out")],
          "stall_timeout = 0.2", "stall_action = restart")
      ], scratch: scratch)
    let events = TestEvent.stream(1..<101, records: 3, eoe: true)
    try await daemon.send(events)
    try await eventually("the successor has everything", detail: { daemon.messages }) {
      scratch.lines("out").count >= events.records.count
    }
    let state = try await daemon.finish()
    #expect(difference(scratch.lines("out"), events.records) == nil)
    #expect(starts(scratch) == 2)
    #expect(!scratch.text("out.log").contains("OVERLAP"))
    #expect(try state.plugin("p").restarts == 1)
    #expect(try state.plugin("p").drops == [:])
    #expect(daemon.messages.contains("plugin p has read nothing for "))
    #expect(daemon.messages.contains("400 records wait: restarting it\n"))
  }

  @Test func `is only reported by default`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("out")],
          "stall_timeout = 0.2")
      ], scratch: scratch)
    let events = TestEvent.stream(1..<11)
    try await daemon.send(events)
    try await eventually("a message", detail: { daemon.messages }) {
      daemon.messages.contains("10 records wait\n")
    }
    try scratch.write("", to: "open")
    let state = try await daemon.finish()
    #expect(scratch.lines("out") == events.records)
    #expect(starts(scratch) == 1)
    #expect(try state.plugin("p").restarts == 0)
  }
}
