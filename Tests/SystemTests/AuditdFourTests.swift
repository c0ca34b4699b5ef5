import Foundation
import Testing

@Suite("Behind auditd 4.2", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct AuditdFourTests {
  @Test func `reloads take nothing from a plugin that keeps up`() async throws {
    let scratch = try Scratch()
    let auditd = try await AuditdFour(
      [PluginFile("copy", try await Programs.plugin(), ["copy", scratch("out")])],
      scratch: scratch)
    let events = TestEvent.stream(1..<1501)
    for part in 0..<3 {
      try auditd.send(Array(events[part * 500..<(part + 1) * 500]))
      if part < 2 { _ = try await auditd.reload() }
    }
    try await eventually("all", detail: { scratch.text("daemon.err") }) {
      scratch.lines("out").count >= events.records.count
    }
    #expect(difference(scratch.lines("out"), events.records) == nil)
    try await auditd.stop()
  }

  @Test func `its unit's stop, which kills us, takes nothing from a queue on disk`() async throws {
    let scratch = try Scratch()
    let plugin = PluginFile(
      "p", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("out")],
      "overflow_action = lossless", "q_depth = 50")
    let settings = ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"]
    let events = TestEvent.stream(1..<501)
    do {
      let auditd = try await AuditdFour([plugin], settings: settings, scratch: scratch)
      try auditd.send(events)
      try await eventually("it waits") {
        try auditd.files.state().plugin("p").received >= events.records.count
      }
      try await auditd.stop()
    }
    try scratch.write("", to: "open")
    let auditd = try await AuditdFour([plugin], settings: settings, scratch: scratch)
    try await eventually("all", detail: { scratch.text("daemon.err") }) {
      Set(scratch.lines("out")).count >= events.records.count
    }
    #expect(Set(scratch.lines("out")) == Set(events.records))
    try await auditd.stop()
  }
}
