import Foundation
import Linux
import Testing

/// The examples, each copied out of the tree and made there as its author would.
enum Example: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case shell = "sh"
  case python = "py"
  case c
  case swift

  var testDescription: String { rawValue }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Plugins/Examples").path

  func arguments(key: String, file: String) -> [String] {
    self == .swift ? ["--key=\(key)", "--file=\(file)"] : [key, file]
  }

  /// The program, made once.
  func program() async throws -> String { try await Self.made.program(self) }

  private static let made = Made()

  private actor Made {
    private let scratch = Result { try Scratch() }
    private var tasks: [Example: Task<String, any Error>] = [:]

    func program(_ example: Example) async throws -> String {
      if let task = tasks[example] { return try await task.value }
      let scratch = try scratch.get()
      let task = Task { try await example.make(in: scratch) }
      tasks[example] = task
      return try await task.value
    }
  }

  private func make(in scratch: Scratch) async throws -> String {
    switch self {
    case .shell, .python:
      let name = "watch.\(rawValue)"
      return try scratch.write(contents("\(Self.folder)/\(name)"), to: name, mode: 0o755)
    case .c:
      let program = scratch("watch")
      let flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]
      let outcome = try await run(
        "/usr/bin/cc", flags + ["-o", program, "\(Self.folder)/watch.c"])
      try #require(outcome.end == .exited(0), "\(outcome.error)")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
      return program
    case .swift: return try await makePackage(in: scratch)
    }
  }

  /// The package as it is installed, on the library as it is installed beside it.
  private func makePackage(in scratch: Scratch) async throws -> String {
    let tree = URL(fileURLWithPath: Self.folder).appendingPathComponent("../..").standardized.path
    let installed = try await run(
      "/usr/bin/make",
      ["-s", "-C", tree, "install-documentation", "PREFIX=\(scratch.path)/usr", "DESTDIR="])
    try #require(installed.end == .exited(0), "\(installed.error)")
    let copied = try await run(
      "/bin/cp", ["-r", scratch("usr/share/doc/audispatch/plugins/swift"), scratch("swift")])
    try #require(copied.end == .exited(0), "\(copied.error)")
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = environment["PATH"] ?? "/usr/bin:/bin"
    let outcome = try await run(
      "/usr/bin/env", ["swift", "build", "--package-path", scratch("swift"), "--jobs", "2"],
      environment: environment, within: .seconds(600))
    try #require(outcome.end == .exited(0), "\(outcome.output)\(outcome.error)")
    return scratch("swift/.build/debug/watch")
  }
}

@Suite("The examples for authors", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ExampleTests {
  static let records = [
    "type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=2 key=\"etc\"",
    "type=EOE msg=audit(1.000:1):",
    "type=DAEMON_ERR msg=audit(1.000:2): op=queue-drop plugin=watch dropped=3 events=1 res=failed "
      + "gap=word",
    "type=SYSCALL msg=audit(2.000:3): arch=c000003e syscall=2 key=\"other\"",
    "type=EOE msg=audit(2.000:3):",
    // Somebody else's text, which is no gap record.
    "type=USER_CMD msg=audit(2.000:4): cmd=\"type=DAEMON_ERR msg=audit(1.000:2): op=queue-drop "
      + "plugin=watch \"",
    "node=n type=DAEMON_ERR msg=audit(1.000:2): op=queue-drop plugin=watch dropped=3 res=failed "
      + "gap=word",
    "node=n type=SYSCALL msg=audit(3.000:5): arch=c000003e syscall=2 key=\"etc\"",
    "node=n type=EOE msg=audit(3.000:5):",
  ]

  @Test(arguments: Example.allCases)
  func `takes what its rule asks for, and confirms`(_ example: Example) async throws {
    let scratch = try Scratch()
    let program = try await example.program()
    let (ours, theirs) = try UnixSocket.pair().release()
    let end = Descriptor(owning: ours)
    let child = try Child(
      program, example.arguments(key: "etc", file: scratch("found")),
      environment: [
        "PATH": "/usr/bin:/bin", "AUDISPATCH_FIRST": "41", "AUDISPATCH_PLUGIN": "watch",
        "AUDISPATCH_GAP": "word",
      ], input: theirs, error: scratch("err"))
    close(theirs)
    try Transfer.writeAll(end.number, Array(Self.records.map { $0 + "\n" }.joined().utf8))
    // Seven records have a number; the gap records have none.
    var said = ""
    try await eventually("it has confirmed", detail: { said }) {
      var bytes = [UInt8](repeating: 0, count: 4096)
      while Poll.readable([end.number], within: .zero)[0] {
        let result = unsafe bytes.withUnsafeMutableBytes {
          unsafe Transfer.read(end.number, into: $0)
        }
        guard case .bytes(let count) = result else { break }
        said += String(decoding: bytes[..<count], as: UTF8.self)
      }
      return said.hasSuffix("ok 47\n")
    }
    shutdown(end.number, Int32(SHUT_WR))
    #expect(try await child.end() == .exited(0), "\(scratch.text("err"))")
    let found = scratch.lines("found").filter { $0.contains("SYSCALL") }
    #expect(found == [Self.records[0], Self.records[7]])
  }

  /// Whatever was confirmed, and only that, need not come again: here from a limit instead of a disk.
  @Test(arguments: Example.allCases)
  func `has every record as a line, though its disk was full in between`(
    _ example: Example
  ) async throws {
    let scratch = try Scratch()
    let records = (1...40).map { "type=SYSCALL msg=audit(1.000:\($0)): syscall=\($0) key=\"etc\"" }
    var confirmed = 0
    for limit in ["1000", "unlimited"] {
      let (ours, theirs) = try UnixSocket.pair().release()
      let end = Descriptor(owning: ours)
      let child = try Child(
        "/usr/bin/prlimit",
        ["--fsize=\(limit)", try await example.program()]
          + example.arguments(key: "etc", file: scratch("found")),
        environment: [
          "PATH": "/usr/bin:/bin", "AUDISPATCH_FIRST": "\(confirmed + 1)",
          "AUDISPATCH_PLUGIN": "watch", "AUDISPATCH_GAP": "word",
        ], input: theirs, error: scratch("err"))
      close(theirs)
      try Transfer.writeAll(end.number, Array(records[confirmed...].joined(separator: "\n").utf8))
      try Transfer.writeAll(end.number, [0x0a])
      shutdown(end.number, Int32(SHUT_WR))
      let outcome = try await child.end()
      #expect((outcome == .exited(0)) == (limit == "unlimited"), "\(outcome)")
      // What it said before it died.
      let said = UnixSocket.peekAll(end.number)
      let last = String(decoding: said, as: UTF8.self).split(separator: "\n").last
      confirmed = last.flatMap { Int($0.dropFirst(3)) } ?? confirmed
    }
    #expect(confirmed == records.count)
    let lines = Set(scratch.lines("found"))
    #expect(records.filter { !lines.contains($0) } == [])
  }

  @Test func `take what comes from audispatchd`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(try await Self.plugins(key: "etc", scratch))
    try await daemon.send(Self.records)
    let state = try await daemon.finish()
    for example in Example.allCases {
      let plugin = try state.plugin(example.rawValue)
      #expect(plugin.delivered == Self.records.count)
      #expect(scratch.lines(example.rawValue).count { $0.contains("SYSCALL") } == 2, "\(example)")
    }
  }

  /// No dispatcher of ours is in it.
  @Test(.enabled(if: KernelAudit.isHere, KernelAudit.why))
  func `take the kernel's events from auditd itself`() async throws {
    let scratch = try Scratch()
    let plugins = try await Self.plugins(key: KernelAudit.key, scratch)
    try await KernelAudit.hold { audit in
      let auditd = try await RealAuditd(plugins, audit: audit, quiet: true)
      try await audit.auditExecs()
      _ = try await audit.execs(20)
      for example in Example.allCases {
        try await eventually(
          "20 execs at \(example)", within: .seconds(20), detail: { auditd.messages }
        ) {
          scratch.lines(example.rawValue).count {
            $0.contains("type=SYSCALL") && $0.contains(" syscall=59 ")
          } >= 20
        }
      }
      try await auditd.stop()
    }
    #expect(scratch.lines("swift").count { $0.contains("type=EOE") } >= 20)
  }

  private static func plugins(key: String, _ scratch: Scratch) async throws -> [PluginFile] {
    var plugins: [PluginFile] = []
    for example in Example.allCases {
      let arguments = example.arguments(key: key, file: scratch(example.rawValue))
      plugins.append(PluginFile(example.rawValue, try await example.program(), arguments))
    }
    return plugins
  }
}
