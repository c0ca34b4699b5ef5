import Foundation
import Glibc
import Linux
import Testing

/// A byte with MSG_OOB makes a unix socket readable without there being anything to read.
@Suite("Urgent bytes", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct UrgentByteTests {
  /// Hundredths of a second of processor time that the daemon takes in half a second.
  private func ticks(_ daemon: Audispatchd) async throws -> Int {
    let worker = try #require(daemon.worker)
    let before = try cpuTicks(of: worker)
    try await Task.sleep(for: .milliseconds(500))
    return try cpuTicks(of: worker) - before
  }

  @Test(arguments: ["between", "only", "all"], ["yes", "no"])
  func `from a plugin cost nothing, and everybody is fed`(how: String, confirm: String)
    async throws
  {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", program, ["urgent:" + how, scratch("out")], "confirm = \(confirm)",
          "stop_timeout = 0.100"),
        PluginFile("other", program, ["copy", scratch("other")]),
      ], scratch: scratch)
    for start in stride(from: 0, to: 90, by: 30) {
      try await daemon.send(TestEvent.stream(start..<start + 30))
      try await eventually("both have them") {
        scratch.lines("out").count == start + 30 && scratch.lines("other").count == start + 30
      }
    }
    #expect(try await ticks(daemon) < 10)
    let state = try await daemon.finish()
    #expect(try state.plugin("other").delivered == 90)
  }

  @Test func `from a client of the control socket cost nothing, and others are answered`()
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await Audispatchd([], scratch: scratch)
    let client = try UnixSocket.connect(scratch("run/control.sock"))
    var byte = UInt8(ascii: "!")
    let sent = unsafe send(client.number, &byte, 1, Int32(MSG_OOB))
    #expect(sent == 1)
    #expect(try await ticks(daemon) < 10)
    _ = try daemon.state()
    try await daemon.finish()
  }

  @Test func `on the input are bytes like others, and cost nothing`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    let events = TestEvent.stream(0..<10)
    try await daemon.send(events)
    try await daemon.takenIn()
    daemon.sendUrgent()
    #expect(try await ticks(daemon) < 10)
    try await daemon.send(bytes: Data("\n".utf8), records: 0)
    try await daemon.send(TestEvent.stream(10..<20))
    try await daemon.takenIn()
    let state = try await daemon.finish()
    #expect(state.source.malformed == 1)
    #expect(scratch.lines("out").count == 20)
  }
}
