import Foundation
import Testing

/// Real changes by several logins, recorded by the kernel, and who made them by the recorded log.
@Suite(
  "Who changed a file, by a recorded log", .inTurn,
  .enabled(if: KernelAudit.isHere, KernelAudit.why))
struct RecordedAuthorTests {
  /// `54001 exact`, by the names in the tree.
  private static let expected = [
    "inplace": "54001 exact", "renamed": "54002 exact", "sed": "54001 exact",
    "unlinked": "54002 exact", "moved": "54001 exact", "moved.new": "54001 exact",
    "gone": "54002 exact", "mode": "54001 exact", "both": "54001 54002 candidate",
    "folder": "54002 exact", "folder/inside": "54002 exact", "folder.new": "54002 exact",
    "folder.new/inside": "54002 exact", "created": "54001 exact", "descriptor": "54002 exact",
    "deep": "54002 exact", "nobody": "unset exact",
  ]

  @Test func `is named for every way of changing one`() async throws {
    let scratch = try Scratch()
    let tree = try scratch.folder("tree")
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: tree)
    try scratch.folder("db")
    try scratch.write(
      """
      database = \(scratch("db/baseline.db"))
      watch = \(tree) full
      audit_key = \(KernelAudit.key)

      """, to: "integrity.conf", mode: 0o644)
    let program = Programs.product("audispatch-integrity")
    let changes = Programs.source("changes.sh")
    func shell(_ stage: String) async throws {
      let outcome = try await run("/bin/sh", [changes, stage, tree])
      try #require(outcome.end == .exited(0), "\(outcome.error)")
    }
    try await shell("before")
    try await KernelAudit.hold { audit in
      try await audit.auditChanges(below: tree)
      let reader = try Child(
        Programs.product("audispatch-kernel"), output: scratch("log"), error: scratch("err"))
      try audit.register(reader.pid)
      try await eventually("the kernel's records come", detail: { scratch.text("err") }) {
        try await audit.auditctl("-m", "first")
        return scratch.text("log").contains("first")
      }
      let made = try await run(program, ["--config", scratch("integrity.conf"), "init"])
      try #require(made.end == .exited(0), "\(made.error)")
      try await shell("after")
      try await audit.auditctl("-m", "last")
      try await eventually("all records have come") { scratch.text("log").contains("last") }
      reader.signal(SIGTERM)
      _ = try await reader.end()
    }
    let check = try await run(
      program,
      [
        "--config", scratch("integrity.conf"), "--format", "json", "--audit-log", scratch("log"),
        "check",
      ])
    try #require(check.end == .exited(1), "\(check.error)")
    var found: [String: String] = [:]
    var reasons: [String: [String]] = [:]
    for line in split(check.output) {
      let change = try JSONDecoder().decode(ToldChange.self, from: Data(line.utf8))
      if change.file.path != tree {
        let name = String(change.file.path.dropFirst(tree.count + 1))
        found[name] = change.summary
        reasons[name] = change.integrity.attribution_reasons
      }
    }
    for (name, summary) in Self.expected {
      #expect(
        found[name] == summary,
        "\(name): \(reasons[name] ?? []) \(scratch.text("log").suffix(1500))")
    }
    #expect(found.count == Self.expected.count, "\(found.keys.sorted())")
  }
}
