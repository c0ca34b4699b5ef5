import AudispatchPlugin
import AuditRecord
import ProcessContext
import Testing

@Suite("What is known of processes")
struct ProcessTrackerTests {
  @Test func `has an exec's parent, with the exec of that one`() {
    var tracked = Tracked()
    tracked.processes.add(10, parent: 1, "bash", "/usr/bin/bash")
    tracked.processes.add(11, parent: 10, "ls", "/usr/bin/ls", session: 10)
    _ = tracked.exec(10, parent: 1, "/usr/bin/bash", ["bash", "-l"])
    let stamp = tracked.stamp
    let context = tracked.exec(11, parent: 10, "/usr/bin/ls", ["ls", "/"])
    #expect(context.isExec)
    #expect(context.process?.exec == tracked.stamp)
    #expect(text(context.process?.arguments) == "ls\0/")
    #expect(context.parent?.exec == stamp)
    #expect(context.ancestors.map(\.pid) == [10, 1])
    #expect(text(context.parent?.executable) == "/usr/bin/bash")
    #expect(context.missing.isEmpty)
  }

  @Test func `asks /proc for those above that no event told of`() {
    var tracked = Tracked()
    tracked.processes.add(5, parent: 1, "sshd", "/usr/sbin/sshd")
    tracked.processes.add(6, parent: 5, "bash", "/usr/bin/bash")
    tracked.processes.made[6]?.arguments = ["-bash"]
    tracked.processes.add(7, parent: 6, "vi", "/usr/bin/vi", session: 6)
    let context = tracked.call(257, 7, parent: 6, "vi", "/usr/bin/vi")
    #expect(context.ancestors.map { text($0.name) } == ["bash", "sshd", "systemd"])
    #expect(text(context.ancestors[0].arguments) == "-bash")
    #expect(context.process?.exec == nil)
    #expect(context.sessionLeader?.pid == 6)
    #expect(context.entryLeader?.pid == 6)
  }

  @Test func `asks /proc only once about a process that goes on`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "vi", "/usr/bin/vi")
    _ = tracked.call(257, 7, parent: 1, "vi", "/usr/bin/vi")
    let before = tracked.processes.questions
    for _ in 0..<10 { _ = tracked.call(257, 7, parent: 1, "vi", "/usr/bin/vi") }
    #expect(tracked.processes.questions == before)
  }

  @Test func `describes one that is gone already from its events`() {
    var tracked = Tracked()
    tracked.processes.add(10, parent: 1, "bash", "/usr/bin/bash")
    _ = tracked.exec(10, parent: 1, "/usr/bin/bash")
    let context = tracked.exec(11, parent: 10, "/usr/bin/true", ["true"])
    #expect(context.process?.ending == .gone)
    #expect(text(context.process?.executable) == "/usr/bin/true")
    #expect(context.parent?.pid == 10)
    tracked.processes.made[10] = nil
    let child = tracked.exec(12, parent: 11, "/usr/bin/id")
    #expect(child.ancestors.map(\.pid) == [11, 10, 1])
  }

  @Test func `says how much of the arguments it has not kept`() throws {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "sh", "/usr/bin/dash")
    tracked.processes.add(8, parent: 7, "ls", "/usr/bin/ls")
    tracked.processes.made[7]?.arguments = ["sh", String(repeating: "x", count: 600), "end"]
    let seen = tracked.exec(
      8, parent: 7, "/usr/bin/ls", ["ls", String(repeating: "y", count: 509)])
    #expect(seen.process?.arguments.count == 512)
    #expect(seen.process?.argumentsCut == 0)
    #expect(seen.parent?.arguments.count == 512)
    #expect(seen.parent?.argumentsCut == 2 + 1 + 600 + 1 + 3 - 512)
    let cut = tracked.exec(8, parent: 7, "/usr/bin/ls", ["ls", String(repeating: "y", count: 510)])
    #expect(cut.process?.argumentsCut == 1)
    var after = Tracked()
    after.processes.made = tracked.processes.made
    try after.tracker.restore(tracked.tracker.state())
    #expect(after.call(257, 8, parent: 7, "ls", "/usr/bin/ls").process?.argumentsCut == 1)
  }

  @Test func `takes secrets out of what /proc says, and counts the rest`() throws {
    var settings = ContextSettings()
    settings.environment = [Array("*".utf8)]
    let processes = MadeProcesses()
    processes.add(7, parent: 1, "sh", "/usr/bin/dash")
    processes.add(8, parent: 7, "ls", "/usr/bin/ls")
    processes.made[7]?.arguments = ["mysql", "--password=hunter2", "-uann"]
    processes.made[8]?.environment = ["PGPASSWORD=hunter2", "HOME=/"]
    var tracker = ProcessTracker(
      settings, source: processes, redactor: try SecretFinder(RedactionRules()))
    let lines = [
      "SYSCALL arch=c000003e syscall=59 success=yes exit=0 ppid=7 pid=8 comm=\"ls\" "
        + "exe=\"/usr/bin/ls\" key=(null)", "EXECVE argc=1 a0=\"ls\"",
    ]
    let now = processes.started + 100_000
    let context = tracker.note(Tracked.event(lines, serial: 1, now, nil), now: now)
    #expect(text(context.parent?.arguments) == "mysql\0--password=[redacted]\0-uann")
    #expect(
      context.environment.map { "\(text($0.name))=\(text($0.value))" } == [
        "PGPASSWORD=[redacted]", "HOME=/",
      ])
  }

  @Test func `says what is missing`() {
    var tracked = Tracked {
      $0.environment = [Array("HOME".utf8)]
      $0.hashLimit = 1000
      $0.showsUserGroups = true
    }
    let context = tracked.exec(11, parent: 10, "/usr/bin/true")
    #expect(
      Set(context.missing.map { "\($0)" }) == [
        "process.env_vars", "process.hash", "process.supplemental_groups", "process.parent",
      ])
  }

  @Test func `does not ask this host about events of another`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "vi", "/usr/bin/vi")
    let before = tracked.processes.questions
    let context = tracked.call(257, 7, parent: 1, "cat", "/usr/bin/cat", node: "there")
    #expect(tracked.processes.questions == before)
    #expect(context.ancestors.isEmpty)
    #expect(text(context.process?.name) == "cat")
  }

  @Test func `takes no process for one of an event before its start`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 6, "new", "/usr/bin/new", started: 20_000)
    tracked.processes.add(6, parent: 1, "late", "/usr/bin/late", started: 20_000)
    let context = tracked.call(257, 7, parent: 6, "old", "/usr/bin/old")
    #expect(context.process?.started == 0)
    #expect(context.ancestors.isEmpty)
  }

  @Test func `tells two processes with one pid apart`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "one", "/usr/bin/one", started: 500)
    let first = tracked.exec(7, parent: 1, "/usr/bin/one")
    tracked.second += 60
    tracked.processes.add(7, parent: 1, "two", "/usr/bin/two", started: 12_000)
    let second = tracked.exec(7, parent: 1, "/usr/bin/two")
    #expect(first.process?.identity != second.process?.identity)
    #expect(text(second.process?.identity) == "0123abcd-7-2ee0")
  }

  @Test func `keeps what a process is called through an exec`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "sh", "/usr/bin/dash")
    let first = tracked.exec(7, parent: 1, "/usr/bin/dash")
    let second = tracked.exec(7, parent: 1, "/usr/bin/ls")
    #expect(first.process?.identity == second.process?.identity)
    #expect(text(second.process?.executable) == "/usr/bin/ls")
  }

  @Test func `takes another parent for the old one's end where the process goes on`() {
    var tracked = Tracked()
    tracked.processes.add(6, parent: 1, "sh", "/usr/bin/dash")
    tracked.processes.add(7, parent: 6, "vi", "/usr/bin/vi")
    let first = tracked.exec(7, parent: 6, "/usr/bin/vi")
    tracked.processes.made[6] = nil
    tracked.processes.made[7]?.parent = 1
    let second = tracked.call(257, 7, parent: 1, "vi", "/usr/bin/vi")
    #expect(first.process?.identity == second.process?.identity)
    #expect(second.parent?.pid == 1)
  }

  @Test func `makes another process of a pid whose process has ended`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "a", "/usr/bin/a")
    let first = tracked.exec(7, parent: 1, "/usr/bin/a")
    _ = tracked.call(231, 7, parent: 1, "a", "/usr/bin/a")
    tracked.processes.made[7] = nil
    let second = tracked.call(257, 7, parent: 1, "a", "/usr/bin/a")
    #expect(first.process?.identity != second.process?.identity)
    #expect(second.process?.exec == nil)
  }

  @Test func `has a child as its parent is until it executes something`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "sh", "/usr/bin/dash")
    _ = tracked.exec(7, parent: 1, "/usr/bin/dash", ["sh", "-c", "id"])
    tracked.processes.add(8, parent: 7, "sh", "/usr/bin/dash", session: 7, started: 101)
    _ = tracked.call(56, 7, parent: 1, exit: 8)
    tracked.processes.made[8] = nil
    let context = tracked.call(257, 8, parent: 7)
    #expect(context.process?.arguments == Array("sh\0-c\0id".utf8))
    #expect(context.parent?.pid == 7)
  }

  /// 57 is fork, which has no arguments, 435 clone3, which has a pointer, 56 clone, which has flags.
  @Test(arguments: [(57, true), (435, true), (56, false)])
  func `takes a fork for a thread by the flags of clone alone`(_ call: Int, _ isChild: Bool) {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "sh", "/usr/bin/dash")
    _ = tracked.exec(7, parent: 1, "/usr/bin/dash", ["sh", "-c", "id"])
    tracked.processes.add(8, parent: 7, "sh", "/usr/bin/dash", session: 7, started: 101)
    _ = tracked.note([
      "SYSCALL arch=c000003e syscall=\(call) success=yes exit=8 a0=10000 ppid=1 pid=7 auid=0 uid=0 "
        + "ses=4 comm=\"dash\" exe=\"/usr/bin/dash\" key=(null)"
    ])
    tracked.processes.made[8] = nil
    let context = tracked.call(257, 8, parent: 7)
    #expect(context.process?.arguments == (isChild ? Array("sh\0-c\0id".utf8) : []))
  }

  @Test func `does not take what fork returned in a container for a pid here`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "sh", "/usr/bin/dash")
    tracked.processes.add(8, parent: 1, "other", "/usr/bin/other")
    _ = tracked.exec(7, parent: 1, "/usr/bin/dash")
    _ = tracked.call(56, 7, parent: 1, exit: 8)
    let context = tracked.call(257, 8, parent: 1, "other", "/usr/bin/other")
    #expect(context.parent?.pid == 1)
    #expect(text(context.process?.executable) == "/usr/bin/other")
  }

  @Test func `knows the objects of an event`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "sh", "/usr/bin/dash")
    tracked.processes.add(9, parent: 1, "cron", "/usr/sbin/cron")
    let context = tracked.call(62, 7, parent: 1, more: ["OBJ_PID opid=9 oauid=-1 ocomm=\"cron\""])
    #expect(context.objects.map { text($0.executable) } == ["/usr/sbin/cron"])
  }

  @Test func `shows the variables that were asked for`() {
    var tracked = Tracked { $0.environment = [Array("LD_*".utf8), Array("FOO".utf8)] }
    tracked.processes.add(7, parent: 1, "sh", "/usr/bin/dash")
    tracked.processes.made[7]?.environment = ["FOO=b=c", "HOME=/", "LD_PRELOAD=", "FOOD=x", "odd"]
    let context = tracked.exec(7, parent: 1, "/usr/bin/dash")
    #expect(
      context.environment.map { "\(text($0.name)):\(text($0.value))" } == [
        "FOO:b=c", "LD_PRELOAD:",
      ])
    #expect(tracked.call(257, 7, parent: 1).environment.isEmpty)
  }

  @Test func `has hash, groups, container and unit`() {
    var tracked = Tracked {
      $0.hashLimit = 1000
      $0.showsUserGroups = true
    }
    let id = String(repeating: "0123456789abcdef", count: 4)
    tracked.processes.add(7, parent: 1, "sh", "/usr/bin/dash")
    tracked.processes.made[7]?.groups = "0::/system.slice/docker-\(id).scope\n"
    let context = tracked.exec(7, parent: 1, "/usr/bin/dash")
    #expect(context.process?.hash == [UInt8](repeating: 0xab, count: 32))
    #expect(context.groups == [4, 27])
    #expect(text(context.process?.container) == id)
    #expect(text(context.process?.unit) == "docker-\(id).scope")
    // A child that was gone at once is where its parent is.
    let child = tracked.exec(8, parent: 7, "/usr/bin/true")
    #expect(text(child.process?.container) == id)
  }

  @Test func `stays within its bound, and lets go first of what has ended`() {
    var tracked = Tracked { $0.limit = 100 }
    tracked.processes.add(7, parent: 1, "keep", "/usr/bin/keep")
    _ = tracked.exec(7, parent: 1, "/usr/bin/keep")
    for pid in Int32(1000)..<2000 {
      _ = tracked.exec(pid, parent: 7, "/usr/bin/true")
      #expect(tracked.tracker.count <= 100)
    }
    #expect(tracked.tracker.forgotten == 0)
    #expect(tracked.exec(3000, parent: 7, "/usr/bin/true").parent?.exec != nil)
  }

  @Test func `counts those that it had to forget while they ran`() {
    var tracked = Tracked { $0.limit = 100 }
    for pid in Int32(1000)..<1200 {
      tracked.processes.add(pid, parent: 1, "d", "/usr/sbin/d")
      _ = tracked.exec(pid, parent: 1, "/usr/sbin/d")
    }
    #expect(tracked.tracker.count == 100)
    #expect(tracked.tracker.forgotten > 0)
  }

  @Test func `takes no harm from parents in a ring`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 8, "a", "/usr/bin/a")
    tracked.processes.add(8, parent: 7, "b", "/usr/bin/b")
    let context = tracked.call(257, 7, parent: 8, "a", "/usr/bin/a")
    #expect(context.ancestors.count <= EventContext.mostAncestors)
    #expect(tracked.call(257, 9, parent: 9).ancestors.count <= EventContext.mostAncestors)
  }

  @Test(arguments: ["exit=9999999999999999999", "pid=-5", "pid=99999999999", "ppid=x", "pid="])
  func `takes no harm from numbers that are none`(_ field: String) {
    var tracked = Tracked()
    let line = "SYSCALL arch=c000003e syscall=56 success=yes exit=8 ppid=1 pid=7 \(field)"
    #expect(tracked.note([line]).isFiltered == false)
  }
}
