import Foundation
import Glibc
import Linux
import Testing

/// Documents of what happens on this host's kernel: rules, the kernel's reader, the daemon and
/// audispatch-json.
@Suite("Documents of the live kernel", .inTurn, .enabled(if: KernelAudit.isHere, KernelAudit.why))
struct DocumentTests {
  private static let json = Programs.product("audispatch-json")
  /// Runs a program as a user that no account has.
  private static let asUser = [
    "--reuid", "\(KernelAudit.user)", "--regid", "\(KernelAudit.user)", "--clear-groups",
    "--bounding-set", "-all",
  ]

  private typealias Document = [String: Any]

  private func documents(_ file: String, _ scratch: Scratch) -> [Document] {
    scratch.lines(file).compactMap {
      (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? Document
    }
  }

  /// What stands at a path of names in a document.
  private func at(_ path: String, _ document: Document) -> String {
    var value: Any? = document
    for name in path.split(separator: ".") { value = (value as? Document)?[String(name)] }
    switch value {
    case let list as [Any]: return list.map { "\($0)" }.joined(separator: ",")
    case .some(let one): return "\(one)"
    case nil: return ""
    }
  }

  private func expect(
    _ document: Document?, _ expected: [(String, String)],
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let document = try #require(document, sourceLocation: location)
    for (path, value) in expected {
      #expect(at(path, document) == value, "\(path)", sourceLocation: location)
    }
  }

  /// The rules of the article "Monitoring Audit Logs With auditd and Auditbeat"; the clock is not
  /// moved: who is to set it may not.
  @Test func `have what the article shows, in both forms`() async throws {
    try await KernelAudit.hold { audit in
      let scratch = try Scratch()
      try await audit.auditctl("-e", "1")
      try await audit.auditctl("-b", "8192")
      let daemon = try await Audispatchd(
        ["ecs", "auditbeat6"].map { form in
          PluginFile(
            form, Self.json,
            ["--form=\(form)", "--file=\(scratch(form)).json"])
        }, source: "kernel", scratch: scratch)
      try audit.register(daemon.child.pid)
      try await eventually("it reads", within: .seconds(60)) {
        try await audit.auditctl("-m", "first")
        return scratch.text("ecs.json").contains("first")
      }
      try await audit.auditctl("-w", "/etc/passwd", "-p", "wra", "-k", KernelAudit.key)
      try await audit.auditctl(
        "-a", "always,exit", "-F", "arch=b64", "-S", "clock_settime", "-F",
        "uid=\(KernelAudit.user)", "-k", KernelAudit.key)
      _ = try await run("/usr/bin/setpriv", Self.asUser + ["/bin/cat", "/etc/passwd"])
      _ = try await run("/usr/bin/setpriv", Self.asUser + ["/bin/date", "-s", "now"])
      func find(_ form: String, _ name: String, _ action: String) -> Document? {
        documents("\(form).json", scratch).last {
          at("process.name", $0) == name && at("event.action", $0) == action
        }
      }
      try await eventually("the documents", within: .seconds(60), detail: { daemon.messages }) {
        ["ecs", "auditbeat6"].allSatisfy {
          find($0, "cat", "opened-file") != nil && find($0, "date", "changed-system-time") != nil
        }
      }
      let user = "\(KernelAudit.user)"
      try expect(
        find("ecs", "cat", "opened-file"),
        [
          ("tags", KernelAudit.key), ("event.category", "file"), ("event.outcome", "success"),
          ("file.path", "/etc/passwd"), ("user.id", user), ("auditd.data.syscall", "openat"),
          ("auditd.summary.object.type", "file"), ("auditd.summary.how", "/usr/bin/cat"),
          ("process.executable", "/usr/bin/cat"),
        ])
      try expect(
        find("ecs", "date", "changed-system-time"),
        [
          ("tags", KernelAudit.key), ("event.category", "host"), ("event.outcome", "failure"),
          ("auditd.data.exit", "EPERM"), ("auditd.data.syscall", "clock_settime"),
        ])
      try expect(
        find("auditbeat6", "cat", "opened-file"),
        [
          ("tags", KernelAudit.key), ("event.category", "audit-rule"), ("event.type", "syscall"),
          ("event.module", "auditd"), ("file.path", "/etc/passwd"), ("file.owner", "root"),
          ("user.uid", user), ("user.euid", user), ("process.exe", "/usr/bin/cat"),
          ("auditd.summary.object.primary", "/etc/passwd"), ("auditd.result", "success"),
        ])
      try expect(
        find("auditbeat6", "date", "changed-system-time"),
        [("auditd.result", "fail"), ("auditd.data.exit", "EPERM"), ("process.name", "date")])
      daemon.child.signal(SIGTERM)
      try await daemon.ended()
    }
  }
}

/// The same events into Laurel and into audispatch-json, with one file of settings: all that Laurel
/// writes is the same in both.
@Suite(
  "Documents beside Laurel's", .inTurn, .enabled(if: KernelAudit.isHere, KernelAudit.why),
  .enabled(if: Host.has("/usr/sbin/laurel"), "needs laurel"))
struct BesideLaurelTests {

  /// Processes that go on until they are killed, so that both find all of them in /proc.
  private func start(_ scratch: Scratch) throws -> [Child] {
    try scratch.write("#!/bin/sh\nread -r line\n", to: "script.sh", mode: 0o755)
    let user = ["--reuid", "\(KernelAudit.user)", "--clear-groups"]
    let environment = ["PATH": "/usr/bin:/bin", "TOLD": "a b"]
    var pair: [Int32] = [-1, -1]
    _ = unsafe pipe(&pair)
    // Nothing is written there, and it is open as long as the test's process.
    let input = pair[0]
    func child(_ arguments: [String]) throws -> Child {
      try Child(
        "/usr/bin/setpriv", user + arguments, environment: environment, input: input)
    }
    let sleep = "/usr/bin/setpriv --pdeathsig KILL /bin/sleep 600"
    return [
      try child(["/bin/sleep", "600"]), try child([scratch("script.sh"), "one", "t w o"]),
      try child(["/bin/sh", scratch("script.sh")]),
      try child(["/bin/bash", "-c", "{ :; } 3<>/dev/tcp/127.0.0.1/9; read -r line"]),
      try child(["/bin/bash", "-c", "\(sleep) & wait"]),
      try child(["/bin/bash", "-c", "kill -0 $$; read -r line"]),
      try child(["/usr/bin/unshare", "-r", "-m", "/bin/sleep", "600"]),
    ]
  }

  @Test func `have all that Laurel writes`() async throws {
    try await KernelAudit.hold(seconds: 300) { audit in
      let scratch = try Scratch()
      try LaurelDocuments.configure(scratch)
      try await audit.auditctl("-e", "1")
      try await audit.auditctl("-b", "8192")
      let daemon = try await Audispatchd(
        [
          PluginFile("laurel", "/usr/sbin/laurel", ["--config", scratch("config.toml")]),
          PluginFile(
            "json", Programs.product("audispatch-json"),
            ["--laurel=\(scratch("config.toml"))", "--file=\(scratch("ours.json"))"]),
        ], source: "kernel", scratch: scratch)
      try audit.register(daemon.child.pid)
      try await eventually("both write", within: .seconds(120), detail: { daemon.messages }) {
        try await audit.auditctl("-m", "first")
        return ["laurel.json", "ours.json"].allSatisfy { scratch.text($0).contains("first") }
      }
      for call in ["execve", "connect", "kill"] {
        try await audit.auditctl(
          "-a", "always,exit", "-F", "arch=b64", "-S", call, "-F", "uid=\(KernelAudit.user)",
          "-k", KernelAudit.key)
      }
      let children = try start(scratch)
      defer { for child in children { child.signal(SIGKILL) } }
      func ours() -> [String: [String: Any]] {
        LaurelDocuments.all("ours.json", scratch).filter {
          ($0.value["SYSCALL"] as? [String: Any])?["key"] as? String == KernelAudit.key
        }
      }
      let parts = [
        "\"SCRIPT\":\"\(scratch("script.sh"))\"", "\"ENV\":{\"TOLD\":\"a b\"}", "\"OPID\":{",
        "\"sleeper\"", "\"SADDR\":{\"saddr_fam\":\"inet\"", "\"PARENT_INFO\":{\"ID\"",
      ]
      // Ten execs but for setpriv's own, which are not the user's, a connection and a signal.
      try await eventually(
        "all of them", within: .seconds(120), detail: { scratch.text("ours.json") }
      ) {
        let text = scratch.text("ours.json")
        return ours().count >= 12 && parts.allSatisfy { text.contains($0) }
      }
      let ids = Set(ours().keys)
      try await eventually("Laurel has them", within: .seconds(120)) {
        ids.isSubset(of: LaurelDocuments.all("laurel.json", scratch).keys)
      }
      let theirs = LaurelDocuments.all("laurel.json", scratch)
      var found: [String] = []
      for (id, document) in ours() {
        guard let laurel = theirs[id] else { continue }
        let call = document["SYSCALL"] as? [String: Any]
        // These execute the next program at once, and it is that one's variables that Laurel finds.
        let isBrief = ["setpriv", "unshare"].contains(call?["comm"] as? String)
        found += LaurelDocuments.differences(laurel, document, id).filter {
          !(isBrief && $0.hasPrefix("\(id).EXECVE.ENV: "))
        }
      }
      #expect(found.isEmpty)
      daemon.child.signal(SIGTERM)
      try await daemon.ended()
    }
  }
}
