import Foundation
import Testing

/// Records are lost on their way to the plugin: what differs is found all the same, nobody is named as
/// certain whose companions may be missing, and that is over when everything was scanned.
@Suite(
  "A plugin whose records are lost", .inTurn,
  .enabled(if: KernelAudit.isHere, KernelAudit.why))
struct LossyIntegrityTests {
  private struct Place {
    let scratch: Scratch
    let tree: String
    let program = Programs.product("audispatch-integrity")
    var configuration: String { scratch("integrity.conf") }

    init(_ further: String = "") async throws {
      scratch = try Scratch()
      tree = try scratch.folder("tree")
      try scratch.folder("db")
      try scratch.write(
        """
        database = \(scratch("db/baseline.db"))
        watch = \(tree) full
        audit_key = \(KernelAudit.key)
        events = \(scratch("events"))
        format = json
        \(further)

        """, to: "integrity.conf", mode: 0o644)
      for name in ["lost", "after"] + (0..<100).map({ "f\($0)" }) {
        try scratch.write("old\n", to: "tree/\(name)", mode: 0o666)
      }
      let made = try await run(program, ["--config", configuration, "init"])
      try #require(made.end == .exited(0), "\(made.error)")
    }

    func plugin(_ further: String = "") -> PluginFile {
      PluginFile("integrity", program, ["--config \(configuration)"], further)
    }

    func change(_ script: String, login: Int) async throws {
      let outcome = try await run(
        "/bin/sh", ["-ec", "echo \(login) > /proc/self/loginuid; cd '\(tree)'; " + script])
      try #require(outcome.end == .exited(0), "\(outcome.error)")
    }

    var told: [String: [ToldChange]] { ToldChange.all(scratch, tree) }

    func summaries(_ name: String) -> [String] { (told[name] ?? []).map(\.summary) }

    /// Waits until it was said so many times that the stream is whole, or is not.
    func said(_ word: String, _ daemon: Audispatchd, times: Int = 1) async throws {
      try await eventually(
        "stream: \(word)", within: .seconds(60), detail: { daemon.messages }
      ) { daemon.messages.components(separatedBy: "stream: \(word)").count > times }
    }
  }

  @Test func `by the kernel, names nobody as certain meanwhile`() async throws {
    let place = try await Place()
    try await KernelAudit.hold(seconds: 300) { audit in
      try await audit.auditChanges(below: place.tree)
      try await audit.auditExecs()
      let daemon = try await audit.dispatcher(with: place.plugin(), place.scratch)
      try await audit.auditctl("--backlog_wait_time", "0")
      try await audit.auditctl("-b", "1")
      // Whoever is named may not have been the only one: a record of another one can be lost.
      try await place.change("echo new > lost", login: 54001)
      _ = try await audit.execs(300)
      try await audit.auditctl("-b", "8192")
      try await eventually("it is told", within: .seconds(60), detail: { daemon.messages }) {
        place.told["lost"] != nil
      }
      // That ends by itself: soon one is certain again.
      var number = 0
      while number < 20, !place.summaries("f\(number)").contains("54002 exact") {
        number += 1
        let name = "f\(number)"
        try await place.change("echo new > \(name)", login: 54002)
        try await eventually("\(name) is told", within: .seconds(60), detail: { daemon.messages }) {
          place.told[name] != nil
        }
      }
      #expect(number < 20, "\(daemon.messages)")
      daemon.child.signal(SIGTERM)
      try await daemon.ended()
    }
    // It may have been told before that was known, and then once more.
    #expect(["none", "54001 candidate"].contains(place.summaries("lost").last ?? ""))
  }

  @Test func `by a full queue while it is stopped for ten seconds, finds all that differs`()
    async throws
  {
    let place = try await Place()
    try await KernelAudit.hold(seconds: 300) { audit in
      try await audit.auditChanges(below: place.tree)
      let daemon = try await audit.dispatcher(with: place.plugin("q_depth = 50"), place.scratch)
      let running = try #require(IntegrityRules.process(with: place.configuration))
      kill(running, SIGSTOP)
      for login in [54001, 54002] {
        try await place.change(
          "for i in $(seq 0 99); do echo \(login) >> f$i; done; rm -f gone; echo x > gone; rm gone",
          login: login)
      }
      try await Task.sleep(for: .seconds(10))
      kill(running, SIGCONT)
      try await eventually(
        "every change is told", within: .seconds(90),
        detail: { "\(place.told.count)\n\(daemon.messages)" }
      ) { place.told.keys.count { $0.hasPrefix("f") } == 100 }
      try await place.said("it is whole", daemon, times: 2)
      try await place.change("echo new > after", login: 54002)
      try await eventually("what comes then is told", within: .seconds(60)) {
        place.told["after"] != nil
      }
      daemon.child.signal(SIGTERM)
      try await daemon.ended()
      let said = ["are missing: nobody", "dropped records: nobody"]
      #expect(said.contains { daemon.messages.contains($0) }, "\(daemon.messages)")
    }
    for (name, changes) in place.told where name.hasPrefix("f") {
      #expect(!changes.contains { $0.integrity.attribution == "exact" }, "\(name)")
    }
    // What came and went in between nobody can know.
    #expect(place.told["gone"] == nil)
    // A queue of 50 may overflow anew on a busy machine: then nobody is certain.
    #expect([["54002 exact"], ["54002 candidate"]].contains(place.summaries("after")))
  }

  @Test func `by a queue that is suspended, says by its canary that nothing comes`() async throws {
    let place = try await Place("load_rules = yes\ncanary = yes\ncanary_every = 15")
    try await KernelAudit.hold(seconds: 300) { audit in
      try await audit.auditctl("-e", "1")
      try await audit.auditctl("-b", "8192")
      try await IntegrityRules.unloaded(
        after: {
          let daemon = try await audit.dispatcher(
            with: place.plugin("q_depth = 300\noverflow_action = suspend"), place.scratch)
          try await eventually("the canary comes back", detail: { daemon.messages }) {
            daemon.messages.contains("everything that is done there comes back")
          }
          let running = try #require(IntegrityRules.process(with: place.configuration))
          kill(running, SIGSTOP)
          try await place.change(
            "for i in $(seq 0 99) $(seq 0 99) $(seq 0 99); do echo x >> f$i; done", login: 54001)
          try await Task.sleep(for: .seconds(1))
          kill(running, SIGCONT)
          try await eventually(
            "that it is blind is said", within: .seconds(60), detail: { daemon.messages }
          ) { daemon.messages.contains("no audit record of it has come") }
          daemon.child.signal(SIGTERM)
          try await daemon.ended()
        }, program: place.program, configuration: place.configuration)
    }
  }
}
