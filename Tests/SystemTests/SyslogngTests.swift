import Foundation
import Testing

/// audispatch-syslog into a real syslog-ng.
@Suite("audispatch-syslog and syslog-ng", .inTurn, .enabled(if: Syslogng.isHere, Syslogng.why))
struct SyslogngTests {
  @Test(arguments: Syslogng.Input.allCases)
  func `stores every record once and in order`(input: Syslogng.Input) async throws {
    let scratch = try Scratch()
    let server = try await Syslogng(input, scratch)
    let file = try SyslogPluginTests.configuration(scratch, server.settings)
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "syslog", SyslogPluginTests.program, ["--config", file], "q_depth = 100000",
          "confirm = yes")
      ], scratch: scratch)
    let lines = SyslogPluginTests.corpus
    try await daemon.send(lines)
    try await eventually(
      "all is there", within: .seconds(120),
      detail: { "\(scratch.lines("log").count) \(daemon.messages)" }
    ) { scratch.lines("log").count >= lines.count }
    let expected = lines.map { $0.replacing("\u{1d}", with: " ") }
    #expect(difference(scratch.lines("log"), expected) == nil)
    try await eventually("all is confirmed") {
      try daemon.plugin("syslog").delivered == lines.count
    }
    try await daemon.finish()
  }
}
