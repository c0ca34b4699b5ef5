import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

/// The kernel's queue of events holds eight of them when the plugin begins, and is back at its size right
/// behind: each watch keeps the bound that was there when it was made.
@Suite(
  "The plugin, by a queue of files' events that is tiny", .onThreads,
  .enabled(if: unsafe access(TinyQueue.inotify.path, W_OK) == 0, "needs root"))
struct WatchOverflowTests {
  @Test(arguments: TinyQueue.allCases)
  func `finds all that differs when events were lost`(queue: TinyQueue) throws {
    let watched = try Watched("watch = TREE content severity=low")
    try watched.shell("for i in $(seq 1 200); do echo old > f$i; done")
    _ = try watched.run("init")
    let run = try queue.whileSmall {
      let run = try PluginRun(
        "audispatch-integrity", ["--config", "\(watched.folder)/integrity.conf"],
        prefix: queue == .inotify ? ["/usr/bin/setpriv", "--bounding-set", "-sys_admin"] : [])
      #expect(run.await("folders by \(queue.rawValue)", in: "err"), "\(run.messages)")
      return run
    }
    #expect(run.await("a scan of everything has ended", in: "err"), "\(run.messages)")
    run.signal(SIGSTOP)
    try watched.shell("for i in $(seq 1 200); do echo new > f$i; done; echo x > gone; rm gone")
    run.signal(SIGCONT)
    #expect(
      run.await("events of files were lost: everything is looked at anew", in: "err"),
      "\(run.messages)")
    let told = {
      Set(run.lines("out").filter { $0.hasPrefix("changed ") }).count
    }
    #expect(run.eventually { told() == 200 }, "\(told()) \(run.messages)")
    // What came and went in between nobody can know.
    #expect(!run.contents("out").contains("/gone"))
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
    #expect(!run.messages.contains(" overflows=0 "), "\(run.messages)")
  }
}

/// A bound of the host's, which the test sets for a moment.
enum TinyQueue: String, CaseIterable, Sendable {
  case fanotify, inotify

  var path: String { "/proc/sys/fs/\(rawValue)/max_queued_events" }

  func whileSmall<Result>(_ body: () throws -> Result) throws -> Result {
    let before = try Transfer.contents(of: path, limit: 64)
    try set(Array("8\n".utf8))
    defer { try? set(before) }
    return try body()
  }

  private func set(_ text: [UInt8]) throws {
    let file = try Descriptor.open(path, O_WRONLY)
    try Transfer.writeAll(file.number, text)
  }
}
