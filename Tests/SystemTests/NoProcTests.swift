import Foundation
import Testing

/// A host, or a container, without /proc.
@Suite("Without /proc", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct NoProcTests {
  private static let prefix = [
    "/usr/bin/unshare", "-m", "/bin/sh", "-c", "umount -l /proc && exec \"$@\"", "sh",
  ]

  @Test(arguments: [
    "audispatchd", "audispatchctl", "audispatch-kernel", "audispatch-print", "audispatch-log",
    "audispatch-syslog", "audispatch-socket", "audispatch-json", "audispatch-remote",
    "audispatch-receive", "audispatch-elastic", "audispatch-otlp", "audispatch-nats",
    "audispatch-kafka", "audispatch-integrity",
  ])
  func `every program knows its arguments`(name: String) async throws {
    let program = Self.prefix + [Programs.product(name)]
    let help = try await run(program[0], program[1...] + ["--help"])
    #expect(help.end == .exited(0), "\(help)")
    #expect((help.output + help.error).lowercased().contains("usage: \(name)"))
    let nonsense = try await run(program[0], program[1...] + ["--nonsense"])
    #expect(nonsense.end != .exited(0))
    #expect((nonsense.output + nonsense.error).contains("--nonsense"))
  }

  /// Those that are passed on, too: the standard library's are empty there.
  @Test func `no program asks the standard library for them`() throws {
    let tree = "/" + "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
    for folder in ["Sources", "Plugins"] {
      let names = try FileManager.default.subpathsOfDirectory(atPath: "\(tree)/\(folder)")
      for name in names where name.hasSuffix(".swift") {
        let text = String(decoding: contents("\(tree)/\(folder)/\(name)"), as: UTF8.self)
        #expect(!text.contains("CommandLine.arguments"), "\(name)")
      }
    }
  }

  @Test func `the daemon gives its plugins what comes`() async throws {
    let scratch = try Scratch()
    let events = TestEvent.stream(0..<100)
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch,
      prefix: Self.prefix)
    try await daemon.send(events)
    try await daemon.finish()
    #expect(difference(scratch.lines("out"), events.records) == nil)
  }
}
