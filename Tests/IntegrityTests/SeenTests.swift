import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

/// What the plugin has told already, over its own death and in spite of others.
@Suite("What was told", .onThreads)
struct SeenTests {
  @Test func `is told once more where it was killed before it was written`() throws {
    let rules = "watch = TREE content severity=low"
    let watched = try Watched(rules + "\nevents = /dev/full")
    try watched.shell("echo old > f; echo old > g")
    _ = try watched.run("init")
    let first = try start(watched)
    try watched.shell("echo new > ../n; mv ../n f; rm g")
    #expect(first.await("cannot write to /dev/full", in: "err"), "\(first.messages)")
    // Both have settled, and what is known of them goes on to count.
    Pause.nanoseconds(1_500_000_000)
    first.signal(SIGKILL)
    #expect(first.end() == .signal(SIGKILL))
    try watched.write(
      "database = \(watched.folder)/db/baseline.db\n" + rules.replacing("TREE", with: watched.tree)
        + "\n", to: watched.folder + "/integrity.conf")
    let second = try start(watched)
    let expected = ["changed  low      TREE/f", "removed  low      TREE/g (file)"]
    #expect(second.eventually { told(watched, second).sorted() == expected }, "\(second.messages)")
    end(second)
    // It is written now, and told no more.
    let third = try start(watched)
    end(third)
    #expect(told(watched, third) == [])
  }

  @Test func `lacks nothing after kills at many moments`() throws {
    let watched = try Watched("watch = TREE content severity=low\nformat = json")
    try watched.write(
      "\nevents = \(watched.folder)/events\n", appendingTo: watched.folder + "/integrity.conf")
    let names = (0..<30).map { "f\($0)" }
    for name in names { try watched.put("old \(name)", name) }
    _ = try watched.run("init")
    var random = Seeded(20_261_128)
    var repeats = 0
    for round in 0..<8 {
      let run = try PluginRun(
        "audispatch-integrity", ["--config", "\(watched.folder)/integrity.conf"])
      #expect(run.await("folders by", in: "err"), "\(run.messages)")
      for name in names { try watched.put("\(round) \(name)", name) }
      Pause.nanoseconds(Int64.random(in: 300_000_000...1_200_000_000, using: &random))
      run.signal(SIGKILL)
      #expect(run.end() == .signal(SIGKILL))
      let verified = try watched.run("verify")
      #expect(verified.end == .exit(0), "round \(round): \(verified.output)")
    }
    let last = try start(watched)
    func lines() -> [String] {
      let bytes = try? Transfer.contents(of: watched.folder + "/events", limit: 64 << 20)
      return String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
    }
    for name in names {
      let path = "\"path\":\"\(watched.tree)/\(name)\""
      let hash = "\"hash\":{\"sha256\":\"\(sha256("7 \(name)"))\"}"
      #expect(
        last.eventually { lines().contains { $0.contains(path) && $0.contains(hash) } }, "\(name)")
      repeats += lines().count { $0.contains(path) && $0.contains(hash) } - 1
    }
    end(last)
    // Nothing is told once more but what was in the hands of one that was killed.
    #expect(repeats <= names.count, "\(repeats)")
    #expect(try watched.run("verify").end == .exit(0))
  }

  private func sha256(_ text: String) -> String {
    var hashing = Hashing(.sha256)
    hashing.take(Array(text.utf8), count: text.utf8.count)
    return FileState.hex(hashing.digest())
  }

  @Test(arguments: [
    "UPDATE seen SET at = at + 1", "UPDATE seen SET state = NULL", "DELETE FROM told",
    "DELETE FROM seen", "DELETE FROM told WHERE number = 1",
    "UPDATE meta SET value = '0' WHERE name = 'head'",
  ])
  func `is told once more where another program altered it`(_ alteration: String) throws {
    let watched = try Watched("watch = TREE content severity=low")
    try watched.shell("echo old > f")
    _ = try watched.run("init")
    let first = try start(watched)
    try watched.shell("echo new > ../n; mv ../n f")
    #expect(first.eventually { told(watched, first) == ["changed  low      TREE/f"] })
    end(first)
    #expect(try watched.run("verify").end == .exit(0))
    try Database(watched.folder + "/db/baseline.db.seen", creating: false).execute(alteration)
    let verified = try watched.run("verify")
    #expect(verified.end == .exit(1), "\(verified.output)")
    #expect(verified.output.contains("what was told"), "\(verified.output)")
    let second = try start(watched)
    #expect(
      second.eventually { told(watched, second).contains { $0.hasPrefix("blind    seen: ") } })
    if !alteration.contains("meta") {
      #expect(
        second.eventually { told(watched, second).contains("changed  low      TREE/f") },
        "\(second.contents("out")) \(second.messages)")
    }
    end(second)
    #expect(try watched.run("verify").end == .exit(0))
  }

  @Test func `is watched while the plugin runs`() throws {
    let watched = try Watched("watch = TREE content severity=low")
    try watched.shell("echo old > f")
    _ = try watched.run("init")
    let run = try start(watched)
    try watched.shell("echo new > ../n; mv ../n f")
    #expect(run.eventually { told(watched, run) == ["changed  low      TREE/f"] })
    let database = try Database(watched.folder + "/db/baseline.db.seen", creating: false)
    #expect(
      run.eventually {
        var count: Int64 = 0
        try? database.forEach("SELECT count(*) FROM seen") { count = $0.integer(0) }
        return count > 0
      })
    try database.execute("UPDATE seen SET at = at + 1")
    #expect(
      run.eventually {
        told(watched, run).contains { $0.hasPrefix("blind    seen: ") }
          && told(watched, run).count { $0 == "changed  low      TREE/f" } == 2
      }, "\(run.contents("out")) \(run.messages)")
    end(run)
  }

  @Test func `of an earlier version goes on`() throws {
    let watched = try Watched("watch = TREE content severity=low")
    try watched.shell("echo old > f")
    _ = try watched.run("init")
    let first = try start(watched)
    try watched.shell("echo new > ../n; mv ../n f")
    #expect(first.eventually { told(watched, first) == ["changed  low      TREE/f"] })
    end(first)
    try Database(watched.folder + "/db/baseline.db.seen", creating: false).execute(
      "DROP TABLE told")
    #expect(try watched.run("verify").end == .exit(0))
    let second = try start(watched)
    end(second)
    #expect(told(watched, second) == [])
    #expect(try watched.run("verify").end == .exit(0))
  }
}
