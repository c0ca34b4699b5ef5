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
    "audispatch-syslog", "audispatch-socket",
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
