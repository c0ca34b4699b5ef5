import Foundation
import Testing

/// Real changes by several logins, told as they are made: the kernel's records by way of the
/// dispatcher, and the plugin's own watch of the file system.
@Suite(
  "Who changes a file, as it happens", .inTurn,
  .enabled(if: KernelAudit.isHere, KernelAudit.why))
struct LiveAuthorTests {
  private static let expected = [
    "inplace": "54001 exact", "renamed": "54002 exact", "sed": "54001 exact",
    "unlinked": "54002 exact", "moved": "54001 exact", "moved.new": "54001 exact",
    "gone": "54002 exact", "mode": "54001 exact", "both": "54001 54002 candidate",
    "folder": "54002 exact", "folder/inside": "54002 exact", "folder.new": "54002 exact",
    "folder.new/inside": "54002 exact", "created": "54001 exact", "descriptor": "54002 exact",
    "deep": "54002 exact", "nobody": "unset exact",
  ]

  @Test func `is told for every way of changing one`() async throws {
    let scratch = try Scratch()
    let tree = try scratch.folder("tree")
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: tree)
    try scratch.folder("db")
    try scratch.write(
      """
      database = \(scratch("db/baseline.db"))
      watch = \(tree) full
      audit_key = \(KernelAudit.key)
      events = \(scratch("events"))
      format = json

      """, to: "integrity.conf", mode: 0o644)
    let program = Programs.product("audispatch-integrity")
    let changes = Programs.source("changes.sh")
    func shell(_ stage: String) async throws {
      let outcome = try await run("/bin/sh", [changes, stage, tree])
      try #require(outcome.end == .exited(0), "\(outcome.error)")
    }
    try await shell("before")
    let made = try await run(program, ["--config", scratch("integrity.conf"), "init"])
    try #require(made.end == .exited(0), "\(made.error)")
    try await KernelAudit.hold { audit in
      try await audit.auditChanges(below: tree)
      let daemon = try await audit.dispatcher(
        with: PluginFile(
          "integrity", text: Self.readyMade(program, scratch("integrity.conf"))), scratch)
      try await shell("after")
      try await eventually(
        "every change is told", detail: { "\(summaries(scratch, tree))\n\(daemon.messages)" }
      ) {
        let found = summaries(scratch, tree)
        return Self.expected.keys.allSatisfy { found[$0] != nil }
      }
      daemon.child.signal(SIGTERM)
      try await daemon.ended()
    }
    let found = told(scratch, tree)
    let messages = scratch.text("daemon.out") + scratch.text("daemon.err")
    for (name, summary) in Self.expected {
      // Where the machine was slow, the steps of one change are told one by one.
      let changes = found[name] ?? []
      let steps = Set(changes.map(\.summary))
      let isTold = steps == [summary] || name == "both" && steps == ["54001 exact", "54002 exact"]
      let reasons = Set(changes.flatMap { $0.integrity.attribution_reasons ?? [] })
      #expect(isTold, "\(name): \(steps) since \(reasons.sorted())\n\(messages)")
    }
  }

  /// The file that comes with the plugin: the rights in it are enough.
  static func readyMade(_ program: String, _ configuration: String) -> String {
    let tree = URL(fileURLWithPath: "\(#filePath)").deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().path
    return String(decoding: contents("\(tree)/plugins.d/integrity.conf"), as: UTF8.self)
      .replacing("active = no", with: "active = yes")
      .replacing(
        "path = /usr/sbin/audispatch-integrity",
        with: "path = \(program)\nargs = --config \(configuration)")
  }

  private func summaries(_ scratch: Scratch, _ tree: String) -> [String: [String]] {
    told(scratch, tree).mapValues { $0.map(\.summary) }
  }

  private func told(_ scratch: Scratch, _ tree: String) -> [String: [ToldChange]] {
    ToldChange.all(scratch, tree)
  }
}

extension ToldChange {
  /// The changes that were told so far, by the names in the tree.
  static func all(_ scratch: Scratch, _ tree: String) -> [String: [ToldChange]] {
    var found: [String: [ToldChange]] = [:]
    for line in scratch.lines("events") {
      // The last line may be in the midst of being written.
      guard let change = try? JSONDecoder().decode(ToldChange.self, from: Data(line.utf8)) else {
        continue
      }
      if change.file.path == tree { continue }
      found[String(change.file.path.dropFirst(tree.count + 1)), default: []].append(change)
    }
    return found
  }
}

/// What is looked at of a document of audispatch-integrity.
struct ToldChange: Decodable {
  struct User: Decodable {
    struct Login: Decodable { var id: String }
    var audit: Login?
  }
  struct Candidate: Decodable { var user: User }
  struct Integrity: Decodable {
    var attribution: String
    var candidates: [Candidate]?
    var attribution_reasons: [String]?
  }
  struct Path: Decodable { var path: String }
  var file: Path
  var user: User?
  var integrity: Integrity

  /// `54001 exact`.
  var summary: String {
    let users = integrity.candidates?.map(\.user) ?? user.map { [$0] } ?? []
    return (users.map { $0.audit?.id ?? "unset" } + [integrity.attribution])
      .joined(separator: " ")
  }
}
