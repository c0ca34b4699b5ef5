import Foundation
import Testing

/// Packages that dpkg installs and removes while the plugin looks on, with the kernel's records.
@Suite(
  "Who installs a package", .inTurn, .enabled(if: KernelAudit.isHere, KernelAudit.why))
struct UpdateAuthorTests {
  @Test func `is told once for all its files, and who alters one of them apart`() async throws {
    let scratch = try Scratch()
    let tree = try scratch.folder("tree")
    try scratch.folder("db")
    try scratch.write(
      """
      database = \(scratch("db/baseline.db"))
      watch = \(tree) full
      ignore = \(tree)/var
      package_root = \(tree)
      audit_key = \(KernelAudit.key)
      events = \(scratch("events"))
      format = json

      """, to: "integrity.conf", mode: 0o644)
    let program = Programs.product("audispatch-integrity")
    let packages = Programs.source("package.sh")
    func shell(_ command: String, _ arguments: String..., login: Int? = nil) async throws {
      let become = login.map { "echo \($0) > /proc/self/loginuid; " } ?? ""
      let outcome = try await run(
        "/bin/sh",
        ["-ec", become + "exec sh \(packages) \(command) \(tree) \"$@\"", "sh"] + arguments)
      try #require(outcome.end == .exited(0), "\(outcome.error)")
    }
    try await shell("database")
    try await shell("build", "1.0")
    let made = try await run(program, ["--config", scratch("integrity.conf"), "init"])
    try #require(made.end == .exited(0), "\(made.error)")
    try await KernelAudit.hold { audit in
      try await audit.auditChanges(below: tree)
      let daemon = try await audit.dispatcher(
        with: PluginFile("integrity", program, ["--config \(scratch("integrity.conf"))"]), scratch)
      func told(_ count: Int) async throws {
        try await eventually(
          "\(count) events", within: .seconds(60),
          detail: { "\(scratch.text("events"))\n\(daemon.messages)" }
        ) { scratch.lines("events").count >= count }
      }
      try await shell("dpkg", "-i", "../build/hello_1.0.deb", login: 54001)
      try await told(1)
      let alter = try await run(
        "/bin/sh",
        ["-ec", "echo 54002 > /proc/self/loginuid; echo evil > \(tree)/usr/share/hello/f7"])
      try #require(alter.end == .exited(0), "\(alter.error)")
      try await told(2)
      try await shell("dpkg", "-P", "hello", login: 54001)
      try await told(3)
      daemon.child.signal(SIGTERM)
      try await daemon.ended()
    }
    let events = scratch.lines("events").map { line in
      (try? JSONDecoder().decode(ToldUpdate.self, from: Data(line.utf8)))?.summary ?? line
    }
    #expect(
      events == [
        "54001 exact: 100 as packaged, 0 removed, added hello.state",
        "54002 exact: f7",
        "54001 exact: 0 as packaged, 105 removed, removed hello.state",
      ],
      "\(scratch.text("events"))\n\(scratch.text("daemon.out"))\(scratch.text("daemon.err"))")
  }
}

/// What is looked at of a document about packages, or about a file.
private struct ToldUpdate: Decodable {
  struct Script: Decodable {
    var path: String
    var action: String
  }
  struct Files: Decodable {
    var as_packaged: Int
    var removed: Int
  }
  struct Integrity: Decodable {
    var attribution: String
    var files: Files?
    var by_scripts: [Script]?
  }
  var user: ToldChange.User?
  var file: ToldChange.Path?
  var integrity: Integrity

  var summary: String {
    func leaf(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
    let who = "\(user?.audit?.id ?? "unset") \(integrity.attribution): "
    if let file { return who + leaf(file.path) }
    let files = integrity.files.map { "\($0.as_packaged) as packaged, \($0.removed) removed" } ?? ""
    let scripts = (integrity.by_scripts ?? []).map { ", \($0.action) \(leaf($0.path))" }.joined()
    return who + files + scripts
  }
}
