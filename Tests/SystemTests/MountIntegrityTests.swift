import Foundation
import Testing

/// What is watched is covered by another file system, unmounted, and mounted anew, while the plugin runs.
@Suite(
  "A plugin whose folders are mounted over", .inTurn,
  .enabled(if: KernelAudit.isHere, KernelAudit.why))
struct MountIntegrityTests {
  @Test func `says so, and goes on with what is there`() async throws {
    let scratch = try Scratch()
    let tree = try scratch.folder("tree")
    let other = try scratch.folder("other")
    try scratch.folder("db")
    try scratch.write(
      """
      database = \(scratch("db/baseline.db"))
      watch = \(tree) full
      load_rules = yes
      events = \(scratch("events"))
      format = json

      """, to: "integrity.conf", mode: 0o644)
    func shell(_ script: String) async throws {
      let outcome = try await run("/bin/sh", ["-ec", script])
      try #require(outcome.end == .exited(0), "\(outcome.error)")
    }
    // Whatever happens, nothing stays mounted.
    defer {
      for _ in 0..<3 { unsafe _ = umount2(tree, Int32(MNT_DETACH)) }
    }
    try await shell(
      "mount -t tmpfs none '\(tree)'; echo old > '\(tree)/f'; echo old > '\(other)/f'")
    let program = Programs.product("audispatch-integrity")
    let made = try await run(program, ["--config", scratch("integrity.conf"), "init"])
    try #require(made.end == .exited(0), "\(made.error)")
    try await KernelAudit.hold(seconds: 300) { audit in
      try await audit.auditctl("-e", "1")
      try await audit.auditctl("-b", "8192")
      try await IntegrityRules.unloaded(
        after: {
          let daemon = try await audit.dispatcher(
            with: PluginFile("integrity", program, ["--config \(scratch("integrity.conf"))"]),
            scratch)
          let steps = [
            ("mount --bind '\(other)' '\(tree)'", "something was mounted at \(tree): "),
            ("umount '\(tree)'", "all is mounted as it was at the start"),
            ("umount '\(tree)'", "\(tree) was unmounted: "),
            ("mount -t tmpfs none '\(tree)'", "\(tree) was mounted anew: "),
          ]
          for (number, (script, said)) in steps.enumerated() {
            let login = 54001 + number
            try await shell(script)
            try await eventually(said, within: .seconds(30), detail: { daemon.messages }) {
              // The dispatcher does not show all that a plugin says in a few seconds.
              daemon.messages.contains(said) || scratch.text("events").contains(said)
            }
            // Who changes what is there now is told, and is certain as soon as all was scanned.
            var isCertain = false
            for attempt in 0..<20 where !isCertain {
              let name = "f\(number)-\(attempt)"
              try await shell(
                "echo \(login) > /proc/self/loginuid; echo \(attempt) > '\(tree)/\(name)'")
              try await eventually(
                "\(name) is told", within: .seconds(30),
                detail: { "\(scratch.text("events"))\n\(daemon.messages)" }
              ) { ToldChange.all(scratch, tree)[name] != nil }
              isCertain =
                ToldChange.all(scratch, tree)[name]?.map(\.summary) == ["\(login) exact"]
            }
            #expect(isCertain, "\(script)\n\(scratch.text("events"))\n\(daemon.messages)")
          }
          // What was so since the start is not forgotten with a configuration.
          let plugin = try #require(IntegrityRules.process(with: scratch("integrity.conf")))
          kill(plugin, SIGHUP)
          let last = "\(tree) was mounted anew: "
          try await eventually(last, within: .seconds(30), detail: { daemon.messages }) {
            scratch.text("events").components(separatedBy: last).count > 2
          }
          daemon.child.signal(SIGTERM)
          try await daemon.ended()
        }, program: program, configuration: scratch("integrity.conf"))
    }
  }

  /// A file system below the root whose server does not answer: what else there is goes on.
  @Test(.enabled(if: HungFileSystem.isPossible, "needs FUSE"))
  func `says which does not answer, and waits for none`() async throws {
    let scratch = try Scratch()
    let tree = try scratch.folder("tree")
    let mount = try scratch.folder("tree/mount")
    try scratch.folder("db")
    try scratch.write(
      """
      database = \(scratch("db/baseline.db"))
      watch = \(tree) full
      events = \(scratch("events"))
      format = json

      """, to: "integrity.conf", mode: 0o644)
    let program = Programs.product("audispatch-integrity")
    let made = try await run(program, ["--config", scratch("integrity.conf"), "init"])
    try #require(made.end == .exited(0), "\(made.error)")
    let plugin = PluginFile("integrity", program, ["--config \(scratch("integrity.conf"))"])
    let daemon = try await Audispatchd([plugin], scratch: scratch)
    try await eventually("it watches", detail: { daemon.messages }) {
      daemon.messages.contains("a scan of everything has ended")
    }
    let system = try await HungFileSystem(mount, .mute, scratch)
    let said = "\(mount) does not answer: what is in it is not seen"
    try await eventually(said, within: .seconds(30), detail: { daemon.messages }) {
      daemon.messages.contains(said)
    }
    try scratch.write("new\n", to: "tree/file")
    try await eventually("a change is told", within: .seconds(30), detail: { daemon.messages }) {
      ToldChange.all(scratch, tree)["file"] != nil
    }
    // Everything is scanned but for that.
    let process = try #require(IntegrityRules.process(with: scratch("integrity.conf")))
    kill(process, SIGHUP)
    let silent = "not covered: what is mounted here does not answer"
    try await eventually("all else is scanned", within: .seconds(60), detail: { daemon.messages }) {
      daemon.messages.contains("\(mount): \(silent)")
        && daemon.messages.components(separatedBy: "a scan of everything has ended").count > 2
    }
    system.answer()
    try await eventually("it is looked into", within: .seconds(30), detail: { daemon.messages }) {
      scratch.lines("events").last { $0.contains("mounts") }?.contains("does not answer") == false
    }
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
    try await system.end()
  }
}
