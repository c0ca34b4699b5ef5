import Foundation
import Testing

/// audispatch-integrity with the kernel's audit, as it comes: with the rights that the page names, its
/// rules, its canary, and records of its own.
@Suite(
  "audispatch-integrity as it comes", .inTurn,
  .enabled(if: KernelAudit.isHere && RealAuditd.isHere, KernelAudit.why))
struct IntegrityRightsTests {
  enum Parent: String, CaseIterable, Sendable { case audispatchd, auditd }

  /// CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE and CAP_AUDIT_WRITE.
  private static let analyser = "0000000020080004"
  /// CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN and CAP_AUDIT_CONTROL.
  private static let helper = "0000000040200004"

  @Test(arguments: Parent.allCases)
  func `has the rights that it needs, and writes records that cause no others`(
    under parent: Parent
  ) async throws {
    let scratch = try Scratch()
    let tree = try scratch.folder("tree")
    try scratch.folder("db")
    try scratch.folder("events")
    try scratch.write(
      """
      database = \(scratch("db/baseline.db"))
      watch = \(tree) full
      load_rules = yes
      canary = yes
      canary_every = 15
      events = \(scratch("events/log"))
      audit_records = yes

      """, to: "integrity.conf", mode: 0o644)
    try scratch.write("old\n", to: "tree/file")
    let program = Programs.product("audispatch-integrity")
    let made = try await run(program, ["--config", scratch("integrity.conf"), "init"])
    try #require(made.end == .exited(0), "\(made.error)")
    try await KernelAudit.hold(seconds: 300) { audit in
      try await IntegrityRules.unloaded(
        after: { try await look(parent, audit, scratch, tree, program) }, program: program,
        configuration: scratch("integrity.conf"))
    }
  }

  private func look(
    _ parent: Parent, _ audit: KernelAudit, _ scratch: Scratch, _ tree: String, _ program: String
  ) async throws {
    try await audit.auditctl("-e", "1")
    try await audit.auditctl("-b", "8192")
    // What it writes is watched: each record changes that.
    let copy = PluginFile("copy", try await Programs.plugin(), ["copy", tree + "/records"])
    let configuration = scratch("integrity.conf")
    let dispatcher: any Dispatcher
    switch parent {
    case .audispatchd:
      let ours = PluginFile(
        "integrity", text: LiveAuthorTests.readyMade(program, configuration))
      dispatcher = try await Audispatchd([copy, ours], source: "kernel", scratch: scratch)
      try audit.register(dispatcher.child.pid)
    case .auditd:
      let ours = PluginFile("integrity", program, ["--config \(configuration)"])
      dispatcher = try await RealAuditd(
        [copy, ours], settings: ["q_depth": "20000"], audit: audit, quiet: true,
        scratch: scratch)
    }
    let detail = { "\(scratch.text("events/log"))\n\(scratch.text("daemon.err"))" }
    try await eventually("the canary comes back", within: .seconds(120), detail: detail) {
      scratch.text("events/log").contains("sees     canary of")
    }
    let running = try #require(IntegrityRules.process(with: configuration))
    #expect(status(running, "CapEff") == Self.analyser)
    #expect(status(running, "CapPrm") == Self.analyser)
    let first = try #require(child(of: running))
    let second = try #require(child(of: first))
    for pid in [first, second] {
      #expect(status(pid, "CapEff") == Self.helper)
      #expect(status(pid, "Uid")?.hasPrefix("64997\t") == true)
    }
    let change = try await run(
      "/bin/sh", ["-ec", "echo 54001 > /proc/self/loginuid; echo new > \(tree)/file"])
    try #require(change.end == .exited(0), "\(change.error)")
    try await eventually("the change is a record", within: .seconds(60), detail: detail) {
      records(tree).contains {
        $0.contains("op=file-changed name=\"\(tree)/file\"") && $0.contains(" login=54001 ")
          && $0.contains(" attribution=exact ") && $0.contains(" severity=medium ")
      }
    }
    let own = "\(tree)/records"
    try await eventually("that changes what is watched", within: .seconds(60), detail: detail) {
      scratch.lines("events/log").count {
        !$0.hasPrefix("blind") && ($0.hasSuffix(own) || $0.contains("\(own) ("))
      } >= 2
    }
    #expect(records(tree).count { $0.contains("name=\"\(own)\"") } == 1)
    dispatcher.child.signal(SIGTERM)
    let all = [dispatcher.child.pid, running, first, second]
    try await eventually(
      "\(parent) ends", within: .seconds(90), detail: { all.map(whereabouts).joined() }
    ) { dispatcher.child.ended != nil }
    try await eventually("all of it ends", detail: { all.map(whereabouts).joined() }) {
      [running, first, second].allSatisfy { kill($0, 0) != 0 }
    }
  }

  private func records(_ tree: String) -> [String] {
    split(String(decoding: contents(tree + "/records"), as: UTF8.self)).filter {
      $0.contains("type=ANOM_RBAC_INTEGRITY_FAIL ") && $0.contains("audispatch-integrity")
    }
  }

  /// What each thread of a process waits for in the kernel.
  private func whereabouts(_ pid: pid_t) -> String {
    let folder = "/proc/\(pid)/task"
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return threads.sorted().map { thread in
      let parts = ["comm", "wchan", "syscall"].map { name in
        String(decoding: contents("\(folder)/\(thread)/\(name)"), as: UTF8.self)
          .trimmingCharacters(in: .whitespacesAndNewlines)
      }
      return "\(pid)/\(thread): \(parts.joined(separator: " | "))\n"
    }.joined()
  }

  private func child(of pid: pid_t) -> pid_t? {
    String(decoding: contents("/proc/\(pid)/task/\(pid)/children"), as: UTF8.self)
      .split(separator: " ").first.flatMap { pid_t($0) }
  }

  private func status(_ pid: pid_t, _ name: String) -> String? {
    split(String(decoding: contents("/proc/\(pid)/status"), as: UTF8.self))
      .first { $0.hasPrefix(name + ":\t") }.map { String($0.dropFirst(name.count + 2)) }
  }
}
