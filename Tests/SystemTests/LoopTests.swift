import Foundation
import Glibc
import Testing

/// What takes its time, and is waited for by nobody else.
@Suite("What never holds up delivery", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct LoopTests {
  @Test func `messages to a terminal that nobody reads`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch,
      prefix: [try await Programs.terminal()])
    // Far more than the terminal takes is said of them.
    for index in 0..<500 {
      try scratch.write("nonsense = \(index)\n", to: "plugins.d/broken\(index).conf")
    }
    for round in 0..<3 {
      _ = try daemon.files.request("reload")
      try await daemon.send(TestEvent.stream(round * 10..<round * 10 + 10))
      try await eventually("they are given", within: .seconds(20)) {
        scratch.lines("out").count == round * 10 + 10
      }
    }
    daemon.child.signal(SIGTERM)
    try await daemon.ended(within: .seconds(20))
  }

  @Test func `a reload over thousands of files`() async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    try scratch.folder("plugins.d")
    let first = try scratch.write(
      "active = no\npath = \(program)\n", to: "plugins.d/idle0.conf")
    for index in 1..<10_000 {
      try FileManager.default.linkItem(
        atPath: first, toPath: scratch("plugins.d/idle\(index).conf"))
    }
    let daemon = try await Audispatchd(
      [PluginFile("p", program, ["copy", scratch("out")])], scratch: scratch)
    daemon.reload()
    try await Task.sleep(for: .milliseconds(20))
    let sent = ContinuousClock.now
    try await daemon.send(TestEvent.stream(0..<10))
    try await eventually("they are given") { scratch.lines("out").count == 10 }
    // Reading them all takes longer, but where this process itself had to wait.
    let isQuick = ContinuousClock.now - sent < .seconds(5)
    #expect(isQuick || !daemon.messages.contains("configuration read again"))
    try await eventually("it was read") { daemon.messages.contains("configuration read again") }
    let status = String(decoding: try daemon.files.request("status"), as: UTF8.self)
    #expect(status.contains(#""inactive":10000"#))
    #expect(status.utf8.count < 300_000, "the first thousand are listed")
    try await daemon.finish()
  }

  @Test func `an auditctl that hangs`() async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    try scratch.write("#!/bin/sh\nexec sleep 600\n", to: "auditctl", mode: 0o755)
    let daemon = try await Audispatchd(
      [
        PluginFile("binary", program, ["copy", scratch("binary")], "format = binary"),
        PluginFile("text", program, ["copy", scratch("text")]),
      ], scratch: scratch,
      prefix: [
        "/usr/bin/unshare", "-m", "/bin/sh", "-c",
        "mount --bind \(scratch("auditctl")) /sbin/auditctl && exec \"$@\"", "sh",
      ])
    try await daemon.send(TestEvent.stream(0..<10))
    try await eventually("the other is fed at once", within: .seconds(4)) {
      scratch.lines("text").count == 10
    }
    #expect(scratch.bytes("binary").isEmpty)
    try await eventually("without an answer it is given compact records", within: .seconds(20)) {
      !scratch.bytes("binary").isEmpty
    }
    #expect(scratch.bytes("binary").count < 8986)
    let state = try await daemon.finish()
    #expect(try state.plugin("binary").delivered == 10)
  }
}
