import Foundation
import Testing

/// What an auditd leaves to the programs that it starts, and what becomes of it.
@Suite("What the daemon inherits", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct InheritanceTests {
  /// Signals ignored and blocked as after a restart by auditd 3.0.9, a descriptor too many, and
  /// another nice value.
  private static let prefix = [
    "/usr/bin/env", "--ignore-signal=HUP,INT,TERM,USR1,USR2,CONT,PIPE",
    "--block-signal=HUP,TERM,USR1,USR2,CHLD,CONT", "/usr/bin/nice", "-n", "7", "/bin/sh", "-c",
    "exec 9</etc/passwd; exec \"$@\"", "sh",
  ]

  @Test func `is undone for itself and for its plugins`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["dump", scratch("out")])], scratch: scratch,
      prefix: Self.prefix, nonblockingInput: true)
    try await eventually("the dump") { scratch.lines("out").last == "done" }
    let lines = scratch.lines("out").map { $0.replacing("\t", with: " ") }
    #expect(lines.contains("status SigBlk: 0000000000000000"))
    // Signals 32 and 33 are the C library's own: nobody else can set them.
    let ignored = lines.first { $0.hasPrefix("status SigIgn: ") }.flatMap {
      UInt64($0.dropFirst(15), radix: 16)
    }
    #expect(ignored.map { $0 & ~0x1_8000_0000 } == 0)
    #expect(lines.contains("nice 0"))
    #expect(lines.filter { $0.hasPrefix("fd ") }.count == 3)
    let folder = "/proc/\(daemon.child.pid)/fd"
    let open = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0)
    }
    #expect(!open.contains("/etc/passwd"))
    try await daemon.finish()
  }

  @Test func `does not keep it from reading, reloading and ending`() async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [PluginFile("p", program, ["copy", scratch("out")])], scratch: scratch,
      prefix: Self.prefix, nonblockingInput: true)
    let events = TestEvent.stream(1..<101)
    try await daemon.send(events)
    try await eventually("all are there") { scratch.lines("out").count == events.count }
    try daemon.files.write(PluginFile("q", program, ["copy", scratch("new")]))
    daemon.reload()
    try await eventually("the new plugin runs") { starts(scratch, "new") == 1 }
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
    #expect(difference(scratch.lines("out"), events.records) == nil)
  }

  /// A score below zero, as auditd 3.0.9 and our unit give, needs a right that not every root has.
  @Test func `leaves a plugin as killable as any program, and its timers as exact`() async throws {
    let score = 300
    let scratch = try Scratch()
    try scratch.write(
      "#!/bin/sh\ncat /proc/self/oom_score_adj /proc/self/timerslack_ns > \"$1.new\"\n"
        + "mv \"$1.new\" \"$1\"\nexec cat > /dev/null\n", to: "plugin", mode: 0o755)
    let daemon = try await Audispatchd(
      [PluginFile("p", scratch("plugin"), [scratch("out")])], scratch: scratch,
      prefix: [
        "/bin/sh", "-c", "echo \(score) > /proc/$$/oom_score_adj && exec \"$@\"", "sh",
      ])
    try await eventually("it says so") { scratch.exists("out") }
    #expect(scratch.lines("out") == ["0", "50000"])
    for pid in [daemon.child.pid, try #require(daemon.worker)] {
      let own = String(decoding: contents("/proc/\(pid)/oom_score_adj"), as: UTF8.self)
      #expect(own == "\(score)\n")
    }
    try await daemon.finish()
  }
}
