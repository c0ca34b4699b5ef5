import Foundation
import Linux
import Testing

@Suite("audispatch-log at its place", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct LogTests {
  private static func file(_ scratch: Scratch, format: String, _ further: String...) throws
    -> PluginFile
  {
    try scratch.write(
      (["log_file = \(scratch("log/audit.log"))", "flush = data"] + further)
        .map { $0 + "\n" }.joined(), to: "log.conf")
    return PluginFile(
      "log", Programs.product("audispatch-log"), ["--config", scratch("log.conf")], format: format)
  }

  /// No dispatcher of ours is in it: Debian's auditd logs the kernel's events itself, and the
  /// plugin beside it.
  @Test(
    .enabled(if: KernelAudit.isHere, KernelAudit.why), arguments: ["string", "binary"])
  func `writes under auditd what auditd writes`(_ format: String) async throws {
    let scratch = try Scratch()
    let host = try Scratch()
    try host.folder("own")
    let plugin = try Self.file(scratch, format: format)
    try await KernelAudit.hold { audit in
      let auditd = try await RealAuditd(
        [plugin], settings: ["write_logs": "yes", "log_file": host("own/audit.log")],
        audit: audit, quiet: true, scratch: host)
      try await audit.auditExecs()
      _ = try await audit.execs(50)
      try await eventually(
        "50 execs in the log", detail: { auditd.messages }
      ) { scratch.lines("log/audit.log").count { $0.contains("type=EXECVE") } >= 50 }
      try await audit.auditctl("-m", "the last")
      try await eventually("the last record") {
        scratch.text("log/audit.log").contains("the last")
      }
      try await auditd.stop()
    }
    func between(_ lines: [String]) -> [String] {
      let first = lines.firstIndex { $0.contains("type=EXECVE") } ?? 0
      let last = lines.lastIndex { $0.contains("the last") } ?? lines.count - 1
      return first <= last ? Array(lines[first...last]) : []
    }
    let ours = between(scratch.lines("log/audit.log"))
    #expect(ours.count { $0.contains("type=EXECVE") } == 50)
    #expect(difference(ours, between(host.lines("own/audit.log"))) == nil)
  }

  /// Killed again and again while it confirms: nothing is missing.
  @Test func `has every record in its log, whatever kills it`() async throws {
    let scratch = try Scratch()
    var plugin = try Self.file(
      scratch, format: "string", "max_log_file = 64K", "max_log_file_action = keep_logs")
    plugin.text += "confirm = yes\nq_depth = 100000\nrestart_delay = 0.05\nmax_restarts = 1000\n"
    let daemon = try await Audispatchd([plugin], scratch: scratch)
    let events = TestEvent.stream(1..<6001, records: 2, eoe: true, fill: 60)
    var last: pid_t = 0
    for start in stride(from: 0, to: events.count, by: 500) {
      try await daemon.send(Array(events[start..<start + 500]))
      try await eventually("it runs, and has confirmed something") {
        let plugin = try daemon.plugin("log")
        guard plugin.pid > 0, plugin.pid != last, start % 1000 == 0 || plugin.delivered > start * 2
        else { return false }
        last = plugin.pid
        return true
      }
      #expect(kill(last, SIGKILL) == 0)
    }
    try await eventually("everything is confirmed", detail: { daemon.messages }) {
      try daemon.plugin("log").delivered == events.records.count
    }
    try await daemon.finish()
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch("log"))
    let lines = names.flatMap { scratch.lines("log/\($0)") }
    let expected = Set(events.records.filter { !$0.contains("type=EOE") })
    // A line that a kill has cut is in the log too, and its record once more.
    #expect(expected.subtracting(lines) == [])
    print("killed 12 times: \(lines.count - expected.count) lines repeated or cut")
  }
}
