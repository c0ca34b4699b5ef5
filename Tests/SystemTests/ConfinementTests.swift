import Foundation
import Linux
import Testing

/// What a plugin may do: told by a plugin that tries it, started by the daemon.
@Suite("A confined plugin", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ConfinementTests {
  /// A daemon with one plugin that reports into `reports/p`, which everybody may write to.
  private struct Run {
    let scratch: Scratch
    let program: String

    init() async throws {
      scratch = try Scratch()
      try scratch.folder("reports")
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o777], ofItemAtPath: scratch("reports"))
      program = try await Programs.confined()
    }

    func plugin(_ settings: String, trying paths: [String] = []) -> PluginFile {
      PluginFile("p", program, [scratch("reports/p")] + paths, "restart_delay = 0.050", settings)
    }

    func daemon(
      _ plugin: PluginFile, settings: [String] = [], prefix: [String] = []
    ) async throws -> Audispatchd {
      try await Audispatchd([plugin], settings: settings, scratch: scratch, prefix: prefix)
    }

    /// The last report's lines, with spaces for tabs, once there are so many reports.
    func report(_ number: Int = 1) async throws -> [String] {
      var lines: [String] = []
      try await eventually("report \(number)") {
        lines = scratch.lines("reports/p")
        return lines.count { $0 == "done" } == number && lines.last == "done"
      }
      let last = lines.dropLast().lastIndex(of: "done").map { $0 + 1 } ?? 0
      return lines[last...].map {
        $0.replacingOccurrences(of: "\t", with: " ").trimmingCharacters(in: .whitespaces)
      }
    }
  }

  /// What a daemon's plugin has without a word about confinement: the daemon's own.
  private static func own(_ keyword: String) -> String {
    split(String(decoding: contents("/proc/self/status"), as: UTF8.self))
      .first { $0.hasPrefix(keyword) }?.replacingOccurrences(of: "\t", with: " ")
      .trimmingCharacters(in: .whitespaces) ?? ""
  }

  private static let none = "0000000000000000"
  private static let nobody = ["Uid: 65534 65534 65534 65534", "Gid: 65534 65534 65534 65534"]

  static let cases: [(settings: String, expected: [String])] = [
    (
      "user = nobody",
      nobody + [
        "Groups:", "CapInh: \(none)", "CapPrm: \(none)", "CapEff: \(none)", own("CapBnd"),
        "CapAmb: \(none)", "NoNewPrivs: 0",
      ]
    ),
    (
      "user = 12345\ngroup = 23456",
      ["Uid: 12345 12345 12345 12345", "Gid: 23456 23456 23456 23456"]
    ),
    ("user = nobody\nsupplementary_groups = adm 4321", nobody + ["Groups: 4 4321"]),
    ("group = adm", ["Uid: 0 0 0 0", "Gid: 4 4 4 4", "Groups:", own("CapEff")]),
    (
      "user = nobody\ncapabilities = CAP_NET_BIND_SERVICE audit_read",
      nobody
        + ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map { "\($0): 0000002000000400" }
    ),
    (
      "user = nobody\ncapabilities = none",
      nobody + ["CapPrm", "CapEff", "CapBnd", "CapAmb"].map { "\($0): \(none)" }
    ),
    (
      "capabilities = CAP_KILL",
      ["Uid: 0 0 0 0", "CapPrm: 0000000000000020", "CapBnd: 0000000000000020"]
    ),
    ("capabilities = none", ["Uid: 0 0 0 0", "CapEff: \(none)", "CapBnd: \(none)"]),
    ("no_new_privs = yes", ["NoNewPrivs: 1", own("CapEff"), own("CapBnd")]),
    (
      "read_paths = none\nwrite_paths = /tmp",
      ["NoNewPrivs: 1"]
        + (Landlock.version >= 6 ? ["signal parent: Operation not permitted"] : [])
    ),
    ("capabilities = none", ["signal parent: yes"]),
    (
      "limit_files = 64\nlimit_processes = 99\nlimit_memory = 1G\nlimit_core = 0",
      [
        "limit files 64 64", "limit processes 99 99", "limit memory 1073741824 1073741824",
        "limit core 0 0",
      ]
    ),
    ("gap_record = no", ["Uid: 0 0 0 0", own("CapEff"), own("CapBnd"), "NoNewPrivs: 0"]),
  ]

  @Test(arguments: cases.indices)
  func `is what its file says, and nothing else`(_ index: Int) async throws {
    let (settings, expected) = Self.cases[index]
    let run = try await Run()
    let daemon = try await run.daemon(run.plugin(settings))
    let report = try await run.report()
    for line in expected { #expect(report.contains(line), "\(line) in \(report)") }
    try await daemon.finish()
  }

  @Test func `reaches the paths that it was given, and no others`() async throws {
    let run = try await Run()
    for name in ["read", "write", "other"] {
      try run.scratch.folder(name)
      try run.scratch.write("x", to: name + "/file")
    }
    let read = run.scratch("read")
    let write = run.scratch("write")
    let other = run.scratch("other")
    let paths = [read, read + "/file", write, write + "/file", other, other + "/file", "/etc"]
    let daemon = try await run.daemon(
      run.plugin(
        "read_paths = \(read)\nwrite_paths = \(write) \(run.scratch("reports"))",
        trying: paths))
    let report = try await run.report()
    #expect(
      report.filter { $0.hasPrefix("read ") || $0.hasPrefix("write ") } == [
        "read \(read): yes", "write \(read): Permission denied", "read \(read)/file: yes",
        "write \(read)/file: Permission denied", "read \(write): yes", "write \(write): yes",
        "read \(write)/file: yes", "write \(write)/file: yes", "read \(other): Permission denied",
        "write \(other): Permission denied", "read \(other)/file: Permission denied",
        "write \(other)/file: Permission denied", "read /etc: Permission denied",
        "write /etc: Permission denied",
      ])
    try await daemon.finish()
  }

  @Test func `is started again when its confinement has changed`() async throws {
    let run = try await Run()
    let daemon = try await run.daemon(run.plugin("user = nobody"))
    #expect(try await run.report().contains(Self.nobody[0]))
    try daemon.files.write(run.plugin("user = daemon"))
    daemon.reload()
    #expect(try await run.report(2).contains("Uid: 1 1 1 1"))
    try await daemon.finish()
  }

  @Test func `keeps running when its confinement is what it was`() async throws {
    let run = try await Run()
    let daemon = try await run.daemon(run.plugin("user = nobody\nlimit_core = 0"))
    _ = try await run.report()
    let before = try daemon.plugin("p").pid
    try daemon.files.write(run.plugin("user = 65534\nlimit_core = 0"))
    _ = try daemon.files.request("reload")
    #expect(try daemon.plugin("p").pid == before)
    try await daemon.finish()
  }

  /// A set of capabilities of a process, as /proc has it.
  private func set(_ name: String, of pid: Int32) -> UInt64? {
    split(String(decoding: contents("/proc/\(pid)/status"), as: UTF8.self))
      .first { $0.hasPrefix(name) }.flatMap { UInt64($0.split(separator: "\t")[1], radix: 16) }
  }

  @Test func `that is not has what the daemon gave away for itself`() async throws {
    let run = try await Run()
    let daemon = try await run.daemon(run.plugin("gap_record = no"))
    #expect(try await run.report().contains(Self.own("CapEff")))
    let effective = try #require(set("CapEff", of: try daemon.state().daemon.pid))
    let sysAdmin: UInt64 = 1 << 21
    #expect(effective & sysAdmin == 0)
    #expect(effective != 0)
    try await daemon.finish()
  }

  static let bounds: [(settings: String, expected: [String])] = [
    (
      "gap_record = no",
      ["CapPrm: 00000000000001e0", "CapEff: 00000000000001e0", "CapBnd: 00000000000001e0"]
    ),
    ("user = nobody", nobody + ["CapEff: \(none)", "CapBnd: 00000000000001e0"]),
    ("user = nobody\ncapabilities = kill", nobody + ["CapEff: 0000000000000020"]),
  ]

  @Test(arguments: bounds.indices)
  func `is within the daemon's bound`(_ index: Int) async throws {
    let (settings, expected) = Self.bounds[index]
    let run = try await Run()
    let daemon = try await run.daemon(
      run.plugin(settings),
      settings: ["capability_bound = setuid setgid setpcap kill", "control_group = 4321"])
    let report = try await run.report()
    for line in expected { #expect(report.contains(line), "\(line) in \(report)") }
    let pid = try daemon.state().daemon.pid
    for name in ["CapPrm", "CapBnd"] { #expect(set(name, of: pid) == 0x1e0) }
    // Without CAP_CHOWN the control socket is its group's all the same.
    let socket = try FileManager.default.attributesOfItem(
      atPath: run.scratch("run/control.sock"))
    #expect(socket[.groupOwnerAccountID] as? Int == 4321)
    try await daemon.finish()
  }

  @Test(.enabled(if: KernelAudit.isHere, KernelAudit.why))
  func `is what the kernel's reader becomes by itself`() async throws {
    let run = try await Run()
    try await KernelAudit.hold { _ in
      let daemon = try await Audispatchd(
        [run.plugin("gap_record = no")], source: "kernel", scratch: run.scratch)
      let pid = try daemon.state().daemon.pid
      try await eventually("a reader without capabilities", detail: { daemon.messages }) {
        let children = String(
          decoding: contents("/proc/\(pid)/task/\(pid)/children"), as: UTF8.self
        ).split(separator: " ").compactMap { Int32($0) }
        let readers = children.filter {
          contents("/proc/\($0)/comm") == Data("audispatch-kern\n".utf8)
        }
        // Only to ask the kernel for its state.
        return readers.count == 1
          && ["CapEff", "CapPrm", "CapBnd"].allSatisfy { set($0, of: readers[0]) == 1 << 30 }
      }
      daemon.child.signal(SIGTERM)
      try await daemon.ended()
    }
  }

  static let failures: [(step: String, call: String)] = [
    ("set its limits", "prlimit64"), ("bound its capabilities", "prctl"),
    ("set its supplementary groups", "setgroups"), ("set its group", "setresgid"),
    ("set its user", "setresuid"), ("set its capabilities", "capset"),
    ("restrict its paths", "landlock_restrict_self"),
  ]

  @Test(
    .enabled(if: Host.has("/usr/bin/strace"), "needs strace"), arguments: failures.indices)
  func `that cannot be confined is not started, and the step is said`(_ index: Int) async throws {
    let (step, call) = Self.failures[index]
    let run = try await Run()
    // The second PR_CAPBSET_DROP is the fifth prctl of the child: the first sets its timer slack.
    let daemon = try await run.daemon(
      run.plugin(
        "user = nobody\ncapabilities = none\nlimit_core = 0\nread_paths = none\n"
          + "write_paths = \(run.scratch("reports"))"),
      prefix: [
        "/usr/bin/strace", "-f", "-o", "/dev/null", "-e", "trace=\(call)", "-e",
        "inject=\(call):error=EDQUOT" + (call == "prctl" ? ":when=5+" : ""),
      ])
    try await eventually("the message", detail: { daemon.messages }) {
      daemon.messages.contains(
        "plugin p: cannot start \(run.program): \(step): Disk quota exceeded")
    }
    #expect(!run.scratch.exists("reports/p"))
    daemon.child.signal(SIGTERM)
  }

  @Test(.enabled(if: Host.has("/usr/bin/strace"), "needs strace"))
  func `that its new user stops on its way does not hold up the daemon`() async throws {
    let run = try await Run()
    let daemon = try await run.daemon(
      run.plugin("user = nobody"),
      prefix: [
        "/usr/bin/strace", "-f", "-o", "/dev/null", "-e", "trace=setresuid", "-e",
        "inject=setresuid:signal=STOP:when=1",
      ])
    try await eventually("the message", detail: { daemon.messages }) {
      daemon.messages.contains(
        "plugin p: starting: has not answered for 10 s: killed\n")
    }
    daemon.child.signal(SIGTERM)
  }

  @Test(.enabled(if: Host.has("/usr/bin/strace"), "needs strace"))
  func `runs without its paths where the kernel has no landlock, and that is said`() async throws {
    let run = try await Run()
    let daemon = try await run.daemon(
      run.plugin("read_paths = none\nwrite_paths = \(run.scratch("reports"))", trying: ["/etc"]),
      prefix: [
        "/usr/bin/strace", "-f", "-o", "/dev/null", "-e", "trace=landlock_create_ruleset", "-e",
        "inject=landlock_create_ruleset:error=EOPNOTSUPP",
      ])
    #expect(try await run.report().contains("read /etc: yes"))
    #expect(daemon.messages.contains("this kernel has no landlock, or it is off: not applied"))
    daemon.child.signal(SIGTERM)
  }
}
