import Foundation
import Testing

/// Changes by the programs that people use and by calls that are seldom made, and by ways that lead past
/// what is watched: told by the rules that the plugin itself loads.
@Suite(
  "Who changes a file in an unusual way", .inTurn,
  .enabled(if: KernelAudit.isHere, KernelAudit.why),
  .enabled(if: Host.has("/usr/bin/vim", "/usr/bin/rsync"), "needs vim and rsync"))
struct OddAuthorTests {
  @Test func `is told for each of them`() async throws {
    let scratch = try Scratch()
    let tree = try scratch.folder("tree")
    let other = try scratch.folder("other")
    let elsewhere = "/dev/shm/" + URL(fileURLWithPath: scratch.path).lastPathComponent
    try FileManager.default.createDirectory(
      atPath: elsewhere, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: elsewhere) }
    try scratch.folder("db")
    try scratch.write(
      """
      database = \(scratch("db/baseline.db"))
      watch = \(tree) full
      load_rules = yes
      scan_every = 60
      events = \(scratch("events"))
      format = json

      """, to: "integrity.conf", mode: 0o644)
    let program = Programs.product("audispatch-integrity")
    let uring = try await Programs.uring()
    func changes(_ stage: String) async throws -> [String: String] {
      let outcome = try await run(
        "/usr/bin/env",
        ["python3", Programs.source("odd-changes.py"), stage, tree, other, elsewhere, uring])
      try #require(outcome.end == .exited(0), "\(outcome.error)")
      return Dictionary(
        uniqueKeysWithValues: split(outcome.output).map { line in
          let words = line.split(separator: " ", maxSplits: 1).map(String.init)
          return (words[0], words[1])
        })
    }
    _ = try await changes("before")
    let made = try await run(program, ["--config", scratch("integrity.conf"), "init"])
    try #require(made.end == .exited(0), "\(made.error)")
    let (expected, messages) = try await KernelAudit.hold(seconds: 300) { audit in
      try await audit.auditctl("-e", "1")
      try await audit.auditctl("-b", "8192")
      var result: ([String: String], String) = ([:], "")
      try await IntegrityRules.unloaded(
        after: {
          let daemon = try await audit.dispatcher(
            with: PluginFile("integrity", program, ["--config \(scratch("integrity.conf"))"]),
            scratch)
          // Files with names elsewhere have rules of their own, behind the first scan.
          try await eventually("there are rules on files", within: .seconds(60)) {
            try await run("/sbin/auditctl", ["-l"]).output.contains("path=\(tree)/linked ")
          }
          let expected = try await changes("after")
          try await eventually(
            "every change is told", within: .seconds(120),
            detail: {
              "\(Set(expected.keys).subtracting(ToldChange.all(scratch, tree).keys))\n"
                + daemon.messages
            }
          ) { Set(expected.keys).isSubset(of: ToldChange.all(scratch, tree).keys) }
          daemon.child.signal(SIGTERM)
          try await daemon.ended()
          result = (expected, daemon.messages)
        }, program: program, configuration: scratch("integrity.conf"))
      return result
    }
    let told = ToldChange.all(scratch, tree)
    for (name, summary) in expected {
      let steps = Set((told[name] ?? []).map(\.summary))
      let reasons = Set((told[name] ?? []).flatMap { $0.integrity.attribution_reasons ?? [] })
      #expect(
        steps == [summary] || steps.allSatisfy { isCautious($0, reasons, summary) },
        "\(name): \(steps) since \(reasons.sorted())\n\(messages)")
    }
  }

  /// The number of a file that is gone may be used again in the same moment: then what the same login
  /// did in another session may have been to this file.
  private func isCautious(_ step: String, _ reasons: Set<String>, _ summary: String) -> Bool {
    let words = step.split(separator: " ")
    let wanted = summary.split(separator: " ")
    return wanted.last == "exact" && words.last == "candidate" && reasons.count == 1
      && reasons.first?.hasPrefix("several") == true
      && words.dropLast().allSatisfy { $0 == wanted[0] }
  }
}
