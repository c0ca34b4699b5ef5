import Foundation
import Testing

/// What the other tests rely on.
@Suite("The test's own parts", .inTurn, .enabled(if: RealAuditd.isHere, RealAuditd.why))
struct HarnessTests {
  @Test func `auditd gives its plugins what it is sent over TCP`() async throws {
    let scratch = try Scratch()
    let auditd = try await RealAuditd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    let events = TestEvent.stream(1..<300, records: 3, eoe: true)
    try await auditd.send(events)
    func came() -> String {
      let lines = scratch.lines("out")
      let complete = Receipt(of: lines, sent: events).complete.count
      return
        "\(lines.count) lines, \(complete) events of \(events.count): \(auditd.messages.suffix(2000))"
    }
    try await eventually("all there", within: .seconds(90), detail: came) {
      if Receipt(of: scratch.lines("out"), sent: events).complete.count == events.count {
        return true
      }
      // Its dispatcher may sleep over the last ones until another one comes.
      try await Task.sleep(for: .milliseconds(500))
      try await auditd.send([TestEvent(1000)])
      return false
    }
    try await auditd.stop()
  }

  @Test(.enabled(if: KernelAudit.isHere, KernelAudit.why))
  func `each audited exec of the test user is one event at auditd's plugin`() async throws {
    let scratch = try Scratch()
    let plugin = PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])
    try await KernelAudit.hold { audit in
      let auditd = try await RealAuditd([plugin], audit: audit, scratch: scratch)
      try await audit.auditExecs()
      _ = try await audit.execs(200)
      try await eventually("all there") { Receipt.execs(scratch.lines("out")) >= 200 }
      try await auditd.stop()
    }
    #expect(Receipt.execs(scratch.lines("out")) == 200)
  }
}
