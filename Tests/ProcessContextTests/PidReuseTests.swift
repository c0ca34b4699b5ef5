import ProcessContext
import Testing

/// What was seen to have ended, and what has its pid later: told apart by when each began.
@Suite("A pid that is used again")
struct PidReuseTests {
  /// A worker that executes nothing, of a parent that makes many.
  private static func worker(_ tracked: inout Tracked, started: UInt64) -> EventContext {
    tracked.processes.add(7, parent: 1, "httpd", "/usr/sbin/httpd", started: started)
    return tracked.call(257, 7, parent: 1, "httpd", "/usr/sbin/httpd")
  }

  @Test func `is another process without an exec`() {
    var tracked = Tracked()
    let first = Self.worker(&tracked, started: 500)
    tracked.second += 60
    let second = Self.worker(&tracked, started: 12_000)
    #expect(text(first.process?.identity) == "0123abcd-7-1f4")
    #expect(text(second.process?.identity) == "0123abcd-7-2ee0")
    #expect(second.process?.ending == KnownProcess.Ending.none)
  }

  @Test func `is another process where the first was seen to have ended`() {
    var tracked = Tracked()
    let first = Self.worker(&tracked, started: 500)
    tracked.processes.made[7] = nil
    tracked.second += 10
    _ = tracked.call(257, 1, parent: 0, "systemd", "/usr/lib/systemd/systemd")
    tracked.second += 1
    let second = Self.worker(&tracked, started: 11_050)
    #expect(first.process?.identity != second.process?.identity)
    #expect(second.process?.started == 11_050)
  }

  @Test func `is another process though that is gone too`() {
    var tracked = Tracked()
    let first = Self.worker(&tracked, started: 500)
    tracked.processes.made[7] = nil
    tracked.second += 10
    _ = tracked.call(257, 1, parent: 0, "systemd", "/usr/lib/systemd/systemd")
    tracked.second += 1
    let second = tracked.call(257, 7, parent: 1, "httpd", "/usr/sbin/httpd")
    #expect(first.process?.identity != second.process?.identity)
    #expect(second.process?.ending == .gone)
  }

  @Test func `is the same process where that was thought to have ended`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "sh", "/usr/bin/dash", session: 5, started: 500)
    let first = tracked.exec(7, parent: 1, "/usr/bin/dash", ["sh", "-l"])
    let hidden = tracked.processes.made[7]
    tracked.processes.made[7] = nil
    tracked.second += 10
    _ = tracked.call(257, 1, parent: 0, "systemd", "/usr/lib/systemd/systemd")
    tracked.processes.made[7] = hidden
    tracked.second += 1
    let second = tracked.call(257, 7, parent: 1, "dash", "/usr/bin/dash")
    #expect(second.process?.identity == first.process?.identity)
    #expect(second.process?.exec == first.process?.exec)
    #expect(second.process?.ending == KnownProcess.Ending.none)
  }

  @Test func `is not asked about for events from before it was seen to have ended`() {
    var tracked = Tracked()
    tracked.lag = 30
    let first = tracked.call(257, 7, parent: 1, "true", "/usr/bin/true")
    #expect(first.process?.ending == .gone)
    let before = tracked.processes.questions
    for _ in 0..<10 {
      tracked.second += 1
      tracked.lag -= 1
      let next = tracked.call(257, 7, parent: 1, "true", "/usr/bin/true")
      #expect(next.process?.identity == first.process?.identity)
    }
    #expect(tracked.processes.questions == before)
  }

  @Test func `has no children of the one before`() {
    var tracked = Tracked()
    tracked.processes.add(6, parent: 1, "sh", "/usr/bin/dash", started: 500)
    _ = tracked.exec(6, parent: 1, "/usr/bin/dash", ["sh", "old"])
    tracked.processes.made[6] = nil
    tracked.second += 10
    _ = tracked.call(257, 1, parent: 0, "systemd", "/usr/lib/systemd/systemd")
    tracked.second += 50
    let orphan = tracked.exec(8, parent: 6, "/usr/bin/id")
    #expect(orphan.ancestors.isEmpty)
    #expect(orphan.missing.contains { "\($0)" == "process.parent" })
    tracked.processes.add(6, parent: 1, "cron", "/usr/sbin/cron", started: 15_000)
    tracked.processes.add(9, parent: 6, "id", "/usr/bin/id", started: 15_500)
    let child = tracked.exec(9, parent: 6, "/usr/bin/id")
    #expect(text(child.parent?.executable) == "/usr/sbin/cron")
    #expect(child.parent?.exec == nil)
  }

  @Test func `is the parent of what was begun before it exited`() {
    var tracked = Tracked()
    tracked.processes.add(6, parent: 1, "sh", "/usr/bin/dash", started: 500)
    _ = tracked.exec(6, parent: 1, "/usr/bin/dash", ["sh", "-c", "id &"])
    _ = tracked.call(231, 6, parent: 1, "dash", "/usr/bin/dash")
    tracked.processes.made[6] = nil
    let child = tracked.exec(8, parent: 6, "/usr/bin/id")
    #expect(text(child.parent?.arguments) == "sh\0-c\0id &")
  }

  @Test func `is running where a fork says so`() {
    var tracked = Tracked()
    tracked.processes.add(6, parent: 1, "sh", "/usr/bin/dash", started: 500)
    _ = tracked.exec(6, parent: 1, "/usr/bin/dash")
    tracked.processes.add(8, parent: 6, "sh", "/usr/bin/dash", session: 6, started: 9000)
    _ = tracked.call(257, 8, parent: 6, "dash", "/usr/bin/dash")
    let hidden = tracked.processes.made[8]
    tracked.processes.made[8] = nil
    tracked.second += 10
    _ = tracked.call(257, 6, parent: 1, "dash", "/usr/bin/dash")
    tracked.processes.made[8] = hidden
    _ = tracked.call(57, 6, parent: 1, "dash", "/usr/bin/dash", exit: 8)
    let signal = tracked.call(
      62, 6, parent: 1, "dash", "/usr/bin/dash", more: ["OBJ_PID opid=8 ocomm=\"sh\""])
    #expect(signal.objects.map(\.ending) == [KnownProcess.Ending.none])
  }

  @Test func `is the right one after a restart`() throws {
    var before = Tracked()
    let first = Self.worker(&before, started: 500)
    var after = Tracked()
    after.second += 60
    after.processes.add(7, parent: 1, "httpd", "/usr/sbin/httpd", started: 12_000)
    try after.tracker.restore(before.tracker.state())
    after.second += 1
    let second = after.call(257, 7, parent: 1, "httpd", "/usr/sbin/httpd")
    #expect(first.process?.identity != second.process?.identity)
    #expect(text(second.process?.identity) == "0123abcd-7-2ee0")
  }
}
