import AudispatchPlugin
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

/// The plugin divides the rights that it has; what each process has then the kernel says.
@Suite(
  "The plugin's rights", .onThreads,
  .enabled(
    if: Capabilities.permitted.isSuperset(of: [.administer, .setUser, .setGroup, .setBound]),
    "needs CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID and CAP_SETPCAP"))
struct RightsTests {
  /// What `/proc/PID/status` has of a name.
  private func status(_ pid: Int32, _ name: String) -> String? {
    let bytes = (try? Transfer.contents(of: "/proc/\(pid)/status", limit: 1 << 16)) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix(name + ":\t") }.map { String($0.dropFirst(name.count + 2)) }
  }

  private func sets(_ pid: Int32) -> Set<Capabilities> {
    Set(
      ["CapPrm", "CapEff", "CapBnd"].compactMap { status(pid, $0) }.map {
        Capabilities(rawValue: UInt64($0, radix: 16) ?? .max)
      })
  }

  private func child(of pid: Int32) -> Int32? {
    let bytes = (try? Transfer.contents(of: "/proc/\(pid)/task/\(pid)/children", limit: 4096)) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: " ").first.flatMap { Int32($0) }
  }

  @Test func `are divided between it and its helper, for good`() throws {
    let watched = try Watched("watch = TREE content severity=low")
    _ = try watched.run("init")
    let run = try start(watched)
    #expect(sets(run.pid) == [Rights.analyser])
    let first = try #require(child(of: run.pid))
    let second = try #require(child(of: first))
    for pid in [first, second] {
      #expect(sets(pid) == [Rights.helper])
      #expect(status(pid, "Uid")?.split(separator: "\t") == ["64997", "64997", "64997", "64997"])
    }
    for pid in [run.pid, first, second] {
      #expect(status(pid, "NoNewPrivs") == "1")
      #expect(status(pid, "CapAmb") == "0000000000000000")
    }
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
    #expect(run.eventually { [first, second].allSatisfy { kill($0, 0) != 0 } })
  }

  @Test func `a helper that ends is said, and another one takes its place`() throws {
    let watched = try Watched("watch = TREE content severity=low")
    _ = try watched.run("init")
    let run = try start(watched)
    let helper = try #require(child(of: run.pid).flatMap(child))
    let begin = MonotonicTime.now
    kill(helper, SIGKILL)
    #expect(
      run.await("blind    helper: it has ended (signal 9)", in: "out"), "\(run.messages)")
    #expect(run.await("sees     helper: it is there again", in: "out"), "\(run.messages)")
    // Nothing else happens for 15 seconds.
    #expect(MonotonicTime.now - begin < .seconds(10))
    #expect(child(of: run.pid).flatMap(child) != helper)
    try watched.shell("mkdir d; echo new > d/later")
    #expect(run.await("added    low      \(watched.tree)/d/later", in: "out"), "\(run.messages)")
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
  }

  @Test func `it does not go on where nothing can start a helper any more`() throws {
    let watched = try Watched("watch = TREE content severity=low")
    _ = try watched.run("init")
    let run = try start(watched)
    let watcher = try #require(child(of: run.pid))
    let helper = try #require(child(of: watcher))
    let begin = MonotonicTime.now
    kill(watcher, SIGKILL)
    #expect(run.eventually { kill(helper, 0) != 0 })
    #expect(run.end() == .exit(1))
    #expect(MonotonicTime.now - begin < .seconds(10))
    #expect(run.messages.contains("cannot go on without the helper"))
  }

  @Test(.enabled(if: Landlock.version > 0, "this kernel has no landlock"))
  func `it writes nowhere but into its folders`() throws {
    let watched = try Watched("watch = TREE content severity=low")
    unsafe _ = mkdir(watched.folder + "/other", 0o700)
    _ = try watched.run("init")
    let run = try start(watched)
    let file = watched.folder + "/integrity.conf"
    let bytes = try Transfer.contents(of: file, limit: 1 << 16)
    try watched.write(
      String(decoding: bytes, as: UTF8.self) + "events = \(watched.folder)/other/events\n",
      to: file)
    run.signal(SIGHUP)
    #expect(
      run.await("other may not be written to before this is started anew", in: "err"),
      "\(run.messages)")
    try watched.put("x", "f")
    #expect(run.await("other/events: Permission denied", in: "err"), "\(run.messages)")
    run.signal(SIGKILL)
  }

  @Test func `the canary's folder is given to its user, and never what a link leads to`() throws {
    let watched = try Watched("watch = TREE")
    let root = FilePath(watched.tree)
    try CanarySteps.makeFolder(in: root, for: 0)
    try CanarySteps.makeFolder(in: root, for: 64_997)
    let folder = root.appending(CanarySteps.folder).text
    let made = try Files.status(of: folder)
    #expect(made.owner == 64_997 && made.group == 64_997 && made.mode == 0o700)
    try watched.shell("rmdir .audispatch-canary; mkdir other; ln -s other .audispatch-canary")
    try CanarySteps.makeFolder(in: root, for: 64_997)
    #expect(try Files.status(of: watched.tree + "/other").owner == 0)
  }
}
