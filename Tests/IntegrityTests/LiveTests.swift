import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

/// The plugin without any audit record: what changed is told all the same, and nobody is made up.
@Suite("The plugin", .onThreads)
struct LiveTests {
  /// What tells of files: inotify is for those who may not have all of a file system.
  enum Source: String, CaseIterable, Sendable {
    case fanotify, inotify

    var prefix: [String] {
      self == .fanotify ? [] : ["/usr/bin/setpriv", "--bounding-set", "-sys_admin"]
    }
  }

  private func start(_ watched: Watched, _ source: Source = .fanotify) throws -> PluginRun {
    let run = try PluginRun(
      "audispatch-integrity", ["--config", "\(watched.folder)/integrity.conf"],
      prefix: source.prefix)
    #expect(run.await("folders by \(source.rawValue)", in: "err"), "\(run.messages)")
    #expect(run.await("a scan of everything has ended", in: "err"), "\(run.messages)")
    return run
  }

  @Test(arguments: Source.allCases)
  func `tells what changes, once, and that nobody is known`(source: Source) throws {
    let watched = try Watched("watch = TREE content+mode severity=low")
    try watched.shell("echo old > f; echo old > g")
    _ = try watched.run("init")
    let run = try start(watched, source)
    // Each in one step: nobody sees a half of it, however slowly it goes.
    try watched.shell(
      "mkdir ../d; echo x > ../d/n; echo new > ../new; mv ../new f; rm g; mv ../d d")
    let expected = [
      "changed  low      TREE/f", "removed  low      TREE/g (file)",
      "added    low      TREE/d (dir)",
      "added    low      TREE/d/n (file)",
    ]
    #expect(run.eventually { Set(expected).isSubset(of: told(watched, run)) }, "\(run.messages)")
    // What comes later shows that no more was told of the others.
    try watched.shell("echo newer > ../new; mv ../new d/n")
    #expect(run.eventually { told(watched, run).contains("changed  low      TREE/d/n") })
    #expect(told(watched, run).sorted() == (expected + ["changed  low      TREE/d/n"]).sorted())
    #expect(run.lines("out").contains { $0.hasPrefix("  by      unknown: ") })
    #expect(!run.contents("out").contains("login uid"))
    end(run)
    // Whoever was seen contradicts nobody.
    #expect(run.messages.contains(" witness_disagrees=0 "), "\(run.messages)")
  }

  @Test func `finds what changed while it was stopped, and tells it once`() throws {
    let watched = try Watched("watch = TREE content severity=low")
    try watched.shell("echo old > f; echo old > g")
    _ = try watched.run("init")
    try watched.shell("echo new > f")
    let first = try start(watched)
    #expect(first.eventually { told(watched, first) == ["changed  low      TREE/f"] })
    end(first)
    try watched.shell("rm g; echo old > f")
    let second = try start(watched)
    let expected = ["changed  low      TREE/f", "removed  low      TREE/g (file)"]
    #expect(second.eventually { told(watched, second).sorted() == expected }, "\(second.messages)")
    end(second)
    let third = try start(watched)
    end(third)
    #expect(told(watched, third) == [])
  }

  @Test(arguments: Source.allCases)
  func `follows folders that are made, moved here and moved away`(source: Source) throws {
    let watched = try Watched("watch = TREE content severity=low")
    try watched.shell(
      "mkdir ../away; mkdir -p ../away/d/e; echo x > ../away/d/e/f; mkdir k; echo x > k/f")
    _ = try watched.run("init")
    let run = try start(watched, source)
    try watched.shell("mv ../away/d .; mv k ../away/k")
    let moved = [
      "added    low      TREE/d (dir)", "added    low      TREE/d/e (dir)",
      "added    low      TREE/d/e/f (file)", "removed  low      TREE/k (dir)",
      "removed  low      TREE/k/f (file)",
    ]
    #expect(run.eventually { told(watched, run).sorted() == moved }, "\(told(watched, run))")
    try watched.shell("echo new > d/e/f")
    #expect(run.eventually { told(watched, run).contains("changed  low      TREE/d/e/f") })
    end(run)
  }

  @Test func `looks at a file that is written all the time`() throws {
    let watched = try Watched("watch = TREE size severity=low")
    try watched.shell(": > f")
    _ = try watched.run("init")
    let run = try start(watched)
    // Longer than the settle time, in steps that are shorter.
    try watched.shell("for i in 1 2 3 4 5 6 7 8; do echo $i >> f; sleep 0.1; done")
    #expect(run.eventually { told(watched, run).contains("changed  low      TREE/f") })
    end(run)
  }

  @Test func `says that its baseline was replaced`() throws {
    let watched = try Watched("watch = TREE content")
    _ = try watched.run("init")
    end(try start(watched))
    // Made anew by us it goes on.
    _ = try watched.run("init")
    let second = try start(watched)
    end(second)
    #expect(!second.contents("out").contains("blind"))
    try watched.shell("rm ../db/baseline.db")
    _ = try watched.run("init")
    let third = try start(watched)
    #expect(third.await("blind    baseline: its chain lacks the head that it had", in: "out"))
    end(third)
  }

  @Test func `says that there is no baseline`() throws {
    let watched = try Watched("watch = TREE content")
    let run = try PluginRun(
      "audispatch-integrity", ["--config", "\(watched.folder)/integrity.conf"])
    #expect(run.end() == .exit(2))
    #expect(
      run.messages.contains(
        "there is no baseline yet, \(watched.folder)/db/baseline.db is not there"))
  }
}
