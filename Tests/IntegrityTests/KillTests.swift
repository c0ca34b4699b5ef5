import AudispatchPlugin
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

/// Whenever a command is killed, the baseline opens, and is either what it was or what it was to be.
@Suite("A baseline whose command is killed", .onThreads)
struct KillTests {
  private static let names = (0..<200).map { "f\($0)" }

  private func filled() throws -> Watched {
    let watched = try Watched("watch = TREE content severity=low")
    for name in Self.names { try watched.put("old \(name)", name) }
    return watched
  }

  /// Runs a command and kills it after that many microseconds, if it has not ended.
  private func killed(_ watched: Watched, after microseconds: Int, _ words: String...) throws
    -> Bool
  {
    let run = try CommandRun(
      [
        "/usr/bin/timeout", "-s", "KILL", String(Double(microseconds) / 1e6),
        "\(PluginRun.products)/audispatch-integrity", "--config",
        "\(watched.folder)/integrity.conf",
      ] + words)
    return run.end != .exit(0)
  }

  /// How long a command takes here, in microseconds.
  private func time(_ body: () throws -> Void) rethrows -> Int {
    let begin = MonotonicTime.now
    try body()
    return Int((MonotonicTime.now - begin).inNanoseconds / 1000)
  }

  @Test(arguments: ["update", "accept"])
  func `is before or after`(command: String) throws {
    let watched = try filled()
    _ = try watched.run("init")
    let words = command == "accept" ? [watched.tree] : []
    func change(_ text: String) throws {
      for name in Self.names { try watched.put("\(text) \(name)", name) }
    }
    try change("first")
    let whole = try time {
      let run = try CommandRun(
        [
          "\(PluginRun.products)/audispatch-integrity", "--config",
          "\(watched.folder)/integrity.conf", command, "--reason", "why",
        ] + words)
      #expect(run.end == .exit(0), "\(run.error)")
    }
    var random = Seeded(14)
    var (before, after) = (0, 0)
    // It may take longer now than then.
    var longest = whole + whole / 4
    for round in 0..<24 {
      try change("round \(round)")
      let changes = try Baseline.open(watched.folder + "/db/baseline.db", readOnly: true).links()
        .count
      _ = try killed(
        watched, after: Int.random(in: 1000...longest, using: &random), command,
        "--reason", "why", words.first ?? "--workers=1")
      let verified = try watched.run("verify")
      #expect(verified.end == .exit(0), "round \(round): \(verified.output)")
      let baseline = try Baseline.open(watched.folder + "/db/baseline.db", readOnly: true)
      let differing = try watched.check().count { $0.hasPrefix("changed") }
      switch try baseline.links().count - changes {
      case 0:
        before += 1
        if after == 0 { longest += longest / 4 }
        #expect(differing == Self.names.count, "round \(round)")
      case 1:
        after += 1
        if before == 0 { longest = max(2000, longest / 2) }
        #expect(differing == 0, "round \(round)")
      case let more: Issue.record("round \(round): \(more) changes")
      }
    }
    // Moments on both sides were met.
    #expect(before > 0 && after > 0, "\(before) before, \(after) after")
  }

  @Test func `is the old one until an init has ended, and then the new one`() throws {
    let watched = try filled()
    let whole = try time {
      let run = try watched.run("init")
      #expect(run.end == .exit(0), "\(run.error)")
    }
    var random = Seeded(41)
    var (before, after) = (0, 0)
    var longest = whole + whole / 4
    for round in 0..<24 {
      for name in Self.names { try watched.put("round \(round) \(name)", name) }
      let changes = try Baseline.open(watched.folder + "/db/baseline.db", readOnly: true).links()
        .count
      _ = try killed(
        watched, after: Int.random(in: 1000...longest, using: &random), "init",
        "--restart")
      let verified = try watched.run("verify")
      #expect(verified.end == .exit(0), "round \(round): \(verified.output)")
      let differing = try watched.check().count { $0.hasPrefix("changed") }
      let links = try Baseline.open(watched.folder + "/db/baseline.db", readOnly: true).links()
        .count
      if links == changes {
        before += 1
        if after == 0 { longest += longest / 4 }
        #expect(differing == Self.names.count, "round \(round)")
      } else {
        after += 1
        if before == 0 { longest = max(2000, longest / 2) }
        #expect(differing == 0, "round \(round)")
      }
    }
    #expect(before > 0 && after > 0, "\(before) before, \(after) after")
    // What a killed one left behind does not stand in the way.
    #expect(try watched.run("init").end == .exit(0))
    #expect(try watched.check() == [])
  }

  @Test func `is untouched by the plugin's own scans`() throws {
    let watched = try filled()
    _ = try watched.run("init")
    let baseline = watched.folder + "/db/baseline.db"
    let before = try Transfer.contents(of: baseline, limit: 64 << 20)
    for name in Self.names { try watched.put("new \(name)", name) }
    var random = Seeded(7)
    for round in 0..<6 {
      let run = try PluginRun(
        "audispatch-integrity", ["--config", "\(watched.folder)/integrity.conf"])
      Pause.nanoseconds(Int64.random(in: 50_000_000...900_000_000, using: &random))
      run.signal(SIGKILL)
      #expect(run.end() == .signal(SIGKILL))
      #expect(try Transfer.contents(of: baseline, limit: 64 << 20) == before, "round \(round)")
      let verified = try watched.run("verify")
      #expect(verified.end == .exit(0), "round \(round): \(verified.output)")
    }
    // A scan at last tells what those before it have not.
    let run = try PluginRun(
      "audispatch-integrity", ["--config", "\(watched.folder)/integrity.conf"])
    #expect(run.await("a scan of everything has ended", in: "err"), "\(run.messages)")
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
  }
}
