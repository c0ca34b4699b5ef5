import Foundation
import Glibc
import Linux
import Testing

/// `output = pass`: what a plugin prints is the product, and arrives whole.
@Suite("Output that is passed on", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct PassedOutputTests {
  private static let events = TestEvent.stream(1..<5001, records: 3, fill: 100)

  private func replay(
    _ scratch: Scratch, _ events: [TestEvent] = Self.events
  ) throws -> String {
    let records = events.records.map { $0 + "\n" }.joined()
    return try "file:" + scratch.write(records, to: "log")
  }

  @Test func `of a replay is complete`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("cat", "/bin/cat", [], "output = pass")], source: try replay(scratch),
      scratch: scratch)
    try await daemon.ended(sent: Self.events.records.count)
    #expect(difference(scratch.lines("daemon.out"), Self.events.records) == nil)
  }

  @Test func `has every event's line of audispatch-print`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("print", Programs.product("audispatch-print"), [], "output = pass")],
      source: try replay(scratch), scratch: scratch)
    try await daemon.ended(sent: Self.events.records.count)
    #expect(scratch.lines("daemon.out").count == Self.events.count)
  }

  @Test func `keeps lines of any length whole, of several plugins at once`() async throws {
    let scratch = try Scratch()
    try scratch.write(
      """
      #!/bin/sh
      for n in 1 2 3 4 5; do
        head -c 2500000 /dev/zero | tr '\\0' $1; echo
        echo short $1
      done
      printf 'no newline'
      cat >/dev/null

      """, to: "long", mode: 0o755)
    let daemon = try await Audispatchd(
      ["a", "b", "c"].map { PluginFile($0, scratch("long"), [$0], "output = pass") },
      scratch: scratch)
    try await eventually("all of it") { scratch.bytes("daemon.out").count >= 15 * 2_500_009 }
    try await daemon.finish()
    let lines = scratch.lines("daemon.out")
    for letter in ["a", "b", "c"] {
      let long = String(repeating: letter, count: 2_500_000)
      #expect(lines.count { $0 == long } == 5)
      #expect(lines.count { $0 == "short \(letter)" } == 5)
    }
    #expect(lines.count { $0 == "no newline" } == 3)
    #expect(lines.count == 33)
  }

  @Test func `waits while nobody takes it, and its queue counts`() async throws {
    let scratch = try Scratch()
    let out = scratch("daemon.out")
    unsafe #expect(mkfifo(out, 0o600) == 0)
    let reader = try Descriptor.open(out, O_RDONLY | O_NONBLOCK)
    let daemon = try await Audispatchd(
      [
        PluginFile("cat", "/bin/cat", [], "output = pass"),
        PluginFile("other", try await Programs.plugin(), ["copy", scratch("other")]),
      ], scratch: scratch)
    try await daemon.send(Self.events)
    try await daemon.takenIn()
    try await eventually("the other has all") {
      try daemon.plugin("other").delivered == Self.events.records.count
    }
    #expect(try daemon.plugin("cat").queued > 0)
    let all = Task {
      var text: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 64 << 10)
      while true {
        _ = Poll.wait(reader.number, for: .read, milliseconds: 100)
        let result = unsafe chunk.withUnsafeMutableBytes {
          unsafe Transfer.read(reader.number, into: $0)
        }
        switch result {
        case .bytes(let count): text += chunk[..<count]
        case .wouldBlock: continue
        case .end, .failed: return text
        }
      }
    }
    daemon.finishInput()
    #expect(try await daemon.child.end() == .exited(0))
    let lines = split(String(decoding: await all.value, as: UTF8.self))
    #expect(difference(lines, Self.events.records) == nil)
    #expect(try daemon.files.writtenState().plugin("cat").droppedInAll == 0)
  }

  @Test func `into a closed pipe ends a replay with 3`() async throws {
    let scratch = try Scratch()
    let log = try replay(scratch)
    let files = try DispatcherFiles(
      scratch, [PluginFile("cat", "/bin/cat", [], "output = pass")])
    let command = [
      Programs.product("audispatchd"), "--source", log, "--config", files.configuration,
      "--plugin-dir", files.pluginFolder, "--runtime-dir", files.runtimeFolder,
    ]
    let script = "\"$@\" | head -n 1 > \(scratch("first")); echo ${PIPESTATUS[0]}"
    let outcome = try await run("/bin/bash", ["-c", script, "bash"] + command)
    #expect(outcome.output == "3\n")
    #expect(outcome.error.contains("standard output is closed: what plugins print is lost"))
    #expect(scratch.lines("first") == [Self.events.records[0]])
  }

  @Test func `leaves its messages to be caught`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", "/bin/sh", ["-c", "\"echo trouble >&2; echo product; cat >/dev/null\""],
          "output = pass")
      ], scratch: scratch)
    try await eventually("both") {
      scratch.lines("daemon.out") == ["product"]
        && scratch.text("daemon.err").contains(" p: trouble\n")
    }
    try await daemon.finish()
  }

  /// As auditd's children have it.
  @Test(.enabled(if: Host.has("/usr/bin/unshare"), "needs unshare"))
  func `goes to the system's log where standard output leads nowhere`() async throws {
    let scratch = try Scratch()
    let log = try SystemLog(scratch("dev-log"))
    let files = try DispatcherFiles(
      scratch, [PluginFile("cat", "/bin/cat", [], "output = pass")])
    let script = "exec \"$@\" >/dev/null"
    let events = Array(Self.events.prefix(40))
    let source = try replay(scratch, events)
    async let outcome = run(
      "/usr/bin/unshare",
      [
        "-m", "--propagation", "private", "/bin/sh", Programs.source("with-log.sh"), log.path,
        "/bin/sh", "-c", script, "sh", Programs.product("audispatchd"), "--source", source,
        "--config", files.configuration, "--plugin-dir", files.pluginFolder, "--runtime-dir",
        files.runtimeFolder,
      ])
    try await eventually("all lines") {
      log.messages.filter { $0.hasPrefix("<30>cat: ") } == events.records.map { "<30>cat: " + $0 }
    }
    #expect(try await outcome.end == .exited(0))
  }
}
