import Foundation
import Testing

/// The plugin is blinded; it says so by itself, and mends what it may.
@Suite(
  "A plugin that is made blind", .inTurn, .enabled(if: KernelAudit.isHere, KernelAudit.why))
struct BlindIntegrityTests {
  @Test func `says so, with the cause`() async throws {
    let scratch = try Scratch()
    let tree = try scratch.folder("tree")
    try scratch.folder("db")
    try scratch.write(
      """
      database = \(scratch("db/baseline.db"))
      watch = \(tree) full
      load_rules = yes
      canary = yes
      canary_every = 15

      """, to: "integrity.conf", mode: 0o644)
    let program = Programs.product("audispatch-integrity")
    let configured = ["--config", scratch("integrity.conf")]
    let made = try await run(program, configured + ["init"])
    try #require(made.end == .exited(0), "\(made.error)")
    try await KernelAudit.hold(seconds: 400) { audit in
      try await IntegrityRules.unloaded(
        after: {
          do {
            try await blind(audit, scratch, program, configured)
          } catch {
            _ = try await run("/sbin/auditctl", ["-d", "never,task"])
            throw error
          }
        }, program: program, configuration: scratch("integrity.conf"))
    }
  }

  private func blind(
    _ audit: KernelAudit, _ scratch: Scratch, _ program: String, _ configured: [String]
  ) async throws {
    try await audit.auditctl("-e", "1")
    try await audit.auditctl("-b", "8192")
    let daemon = try await Audispatchd(
      [PluginFile("integrity", program, [configured.joined(separator: " ")])], source: "kernel",
      scratch: scratch)
    try audit.register(daemon.child.pid)
    /// Waits until the plugin has said something for the so many-th time.
    func said(_ text: String, times: Int = 1) async throws {
      try await eventually(text, within: .seconds(120), detail: { daemon.messages }) {
        daemon.messages.components(separatedBy: text).count > times
      }
    }
    try await said("rules: every audit rule is there")
    try await said("everything that is done there comes back")

    try await audit.auditctl("-D", "-k", "audispatch-integrity")
    try await said("audit rules loaded", times: 2)

    try await audit.auditctl("-a", "never,task")
    try await said("a rule 'never,task' keeps programs from being audited at all")
    try await audit.auditctl("-d", "never,task")

    try await audit.auditctl("-e", "0")
    try await said("no audit record of it has come")
    try await said("audit is disabled (auditctl -e 1)")
    try await audit.auditctl("-e", "1")
    try await said("everything that is done there comes back", times: 2)
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }
}
