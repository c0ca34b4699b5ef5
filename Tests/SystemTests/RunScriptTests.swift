import Foundation
import Testing

/// What `make run` starts when all is built: without a right to the kernel's events, so that it is
/// the recording on every host.
@Suite("make run", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct RunScriptTests {
  private static let tree =
    "/" + "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")

  @Test(
    .enabled(
      if: Host.has("\(tree)/.build/release/audispatchd", "/usr/bin/setpriv"),
      "needs root and make build"))
  func `shows events, says what was given, and leaves nothing behind`() async throws {
    let before = try Self.folders()
    let outcome = try await run(
      "/usr/bin/setpriv",
      [
        "--bounding-set", "-audit_read", "--inh-caps", "-audit_read", "/usr/bin/env",
        "RUN_SECONDS=3", "/bin/bash", Self.tree + "/Scripts/run",
      ], within: .seconds(60))
    #expect(outcome.end == .exited(0), "\(outcome.error)")
    let lines = split(outcome.output)
    #expect(lines.count > 3 && lines.allSatisfy { $0.contains(" #") }, "\(outcome.output)")
    #expect(outcome.error.contains("make run: replaying Tests/Load/recording.log"))
    for plugin in ["print", "record"] {
      let given = outcome.error.split(separator: "\n").compactMap { line in
        line.wholeMatch(of: #/make run: plugin (\w+) was given (\d+) records/#)
      }.first { $0.1 == plugin }
      #expect(given.flatMap { Int($0.2) } ?? 0 > 0, "\(outcome.error)")
    }
    #expect(try Self.folders().subtracting(before) == [])
  }

  private static func folders() throws -> Set<String> {
    Set(
      try FileManager.default.contentsOfDirectory(atPath: "/tmp")
        .filter { $0.hasPrefix("audispatch-run.") })
  }

  @Test func `says where Swift comes from when it is missing`() async throws {
    let scratch = try Scratch()
    let outcome = try await run(
      "/usr/bin/env",
      ["-i", "PATH=\(scratch.path)", "/bin/bash", Self.tree + "/Scripts/toolchain"])
    #expect(outcome.end == .exited(1))
    #expect(
      outcome.error.contains("There is no swift in PATH")
        && outcome.error.contains("https://www.swift.org/install/linux/debian/12/"))
  }
}
