import Foundation
import Glibc
import Testing

/// A file system that stops answering under one plugin, as a network's does.
@Suite(
  "A file system that hangs", .inTurn,
  .enabled(if: HungFileSystem.isPossible, "needs root, python3 and /dev/fuse"))
struct HungFileSystemTests {
  /// What of a plugin lies on it.
  enum Place: Sendable, CaseIterable { case program, writePaths }

  /// A daemon with a plugin of which something lies in `mount`, and one that has nothing to do with it.
  private func start(_ place: Place, _ scratch: Scratch) async throws -> Audispatchd {
    let program = try await Programs.plugin()
    try scratch.folder("mount")
    try FileManager.default.copyItem(atPath: program, toPath: scratch("mount/plugin"))
    let hung =
      switch place {
      case .program: PluginFile("hung", scratch("mount/plugin"), ["copy", scratch("hung")])
      case .writePaths:
        PluginFile(
          "hung", program, ["copy", scratch("hung")],
          "write_paths = \(scratch("mount")) \(scratch.path)", "restart_delay = 0.01")
      }
    return try await Audispatchd(
      [PluginFile("good", program, ["copy", scratch("good")]), hung],
      settings: ["stop_timeout = 1"], scratch: scratch)
  }

  private func child(of worker: pid_t, _ name: String) -> pid_t? {
    let path = "/proc/\(worker)/task/\(worker)/children"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: " ").compactMap { pid_t($0) }.first {
      (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == name + "\n"
    }
  }

  /// Sends events one by one; the other plugin has each at once, and the status is answered.
  private func expectOthersGoOn(
    _ daemon: Audispatchd, _ scratch: Scratch, _ serials: Range<Int>
  ) async throws {
    for serial in serials {
      let before = scratch.lines("good").count
      try await daemon.send(TestEvent.stream(serial..<serial + 1))
      try await eventually("the other plugin has it", within: .seconds(2)) {
        scratch.lines("good").count > before
      }
      let asked = ContinuousClock.now
      _ = try daemon.state()
      #expect(ContinuousClock.now - asked < .seconds(2))
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  @Test(arguments: Place.allCases, HungFileSystem.Manner.allCases)
  func `under a plugin's start holds up that plugin alone, and no stop`(
    _ place: Place, _ manner: HungFileSystem.Manner
  ) async throws {
    let scratch = try Scratch()
    let daemon = try await start(place, scratch)
    try await daemon.send(TestEvent.stream(0..<10))
    try await eventually("both have them") {
      scratch.lines("good").count == 10 && scratch.lines("hung").count == 10
    }
    let system = try await HungFileSystem(scratch("mount"), manner, scratch)
    kill(try daemon.plugin("hung").pid, SIGKILL)
    try await expectOthersGoOn(daemon, scratch, 10..<30)
    let plugin = try daemon.plugin("hung")
    #expect(plugin.state == "starting" && plugin.pid == 0)
    #expect(plugin.starting_seconds ?? 0 >= 1)
    let stopped = ContinuousClock.now
    daemon.child.signal(SIGTERM)
    let state = try await daemon.ended(within: .seconds(20))
    // To read the rest, to drain, and to see that killing does not help: a second each.
    #expect(ContinuousClock.now - stopped < .seconds(8))
    #expect(try state.plugin("good").delivered == 30)
    #expect(try state.plugin("hung").drops == ["stop_deadline": 20])
    try await system.end()
  }

  @Test func `that answers late has only cost time`() async throws {
    let scratch = try Scratch()
    let daemon = try await start(.writePaths, scratch)
    let system = try await HungFileSystem(scratch("mount"), .mute, scratch)
    kill(try daemon.plugin("hung").pid, SIGKILL)
    try await expectOthersGoOn(daemon, scratch, 0..<10)
    system.answer()
    try await eventually("it has all", within: .seconds(5)) { scratch.lines("hung").count == 10 }
    #expect(try daemon.plugin("hung").restarts == 1)
    let state = try await daemon.finish()
    #expect(try state.plugin("hung").delivered == 10)
    #expect(!daemon.messages.contains("killed"))
    try await system.end()
  }

  @Test func `has attempts killed, which are left behind and counted, and others made`()
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await start(.writePaths, scratch)
    let system = try await HungFileSystem(scratch("mount"), .mute, scratch)
    kill(try daemon.plugin("hung").pid, SIGKILL)
    try await daemon.send(TestEvent.stream(0..<10))
    try await eventually("one is left behind", within: .seconds(30)) {
      try daemon.plugin("hung").left_behind == 1
    }
    #expect(
      daemon.messages.contains(
        "audispatchd: plugin hung: starting: has not answered for 10 s: killed\n"))
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains("does not end, though it was killed at its start")
    }
    try await expectOthersGoOn(daemon, scratch, 10..<15)
    system.answer()
    try await eventually("it has all", within: .seconds(10)) { scratch.lines("hung").count == 15 }
    try await eventually("nothing is left behind") {
      try daemon.plugin("hung").left_behind == nil
    }
    #expect(!scratch.text("hung.log").contains("OVERLAP"))
    let state = try await daemon.finish()
    #expect(try state.plugin("hung").delivered == 15)
    try await system.end()
  }

  @Test func `is given up by a reload that names another path`() async throws {
    let scratch = try Scratch()
    let daemon = try await start(.writePaths, scratch)
    let system = try await HungFileSystem(scratch("mount"), .mute, scratch)
    kill(try daemon.plugin("hung").pid, SIGKILL)
    try await expectOthersGoOn(daemon, scratch, 0..<10)
    let program = try await Programs.plugin()
    let file = PluginFile("hung", program, ["copy", scratch("hung")])
    try scratch.write(file.text, to: "plugins.d/" + file.file)
    daemon.reload()
    try await eventually("it has all", within: .seconds(8)) { scratch.lines("hung").count == 10 }
    let state = try await daemon.finish()
    #expect(try state.plugin("hung").delivered == 10)
    try await system.end()
  }

  @Test(arguments: HungFileSystem.Manner.allCases)
  func `under the command of a full queue holds up neither delivery nor a stop`(
    _ manner: HungFileSystem.Manner
  ) async throws {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    try scratch.folder("mount")
    try FileManager.default.copyItem(atPath: program, toPath: scratch("mount/command"))
    let daemon = try await Audispatchd(
      [
        PluginFile("good", program, ["copy", scratch("good")]),
        PluginFile(
          "full", program, ["never", scratch("full")], "overflow_action = single", "q_depth = 10"),
      ],
      settings: ["stop_timeout = 1", "single_exe = \(scratch("mount/command")) x"],
      scratch: scratch)
    let system = try await HungFileSystem(scratch("mount"), manner, scratch)
    try await expectOthersGoOn(daemon, scratch, 0..<30)
    #expect(daemon.messages.contains("queue full: single-user mode"))
    let stopped = ContinuousClock.now
    daemon.child.signal(SIGTERM)
    #expect(try await daemon.ended(within: .seconds(20)).plugin("good").delivered == 30)
    #expect(ContinuousClock.now - stopped < .seconds(8))
    try await system.end()
  }

  /// No plugin needs the spool; whether something is left in it is looked at all the same.
  @Test(arguments: HungFileSystem.Manner.allCases)
  func `under the spool's folder holds up no start and no delivery`(
    _ manner: HungFileSystem.Manner
  ) async throws {
    let scratch = try Scratch()
    try scratch.folder("mount/spool")
    let system = try await HungFileSystem(scratch("mount"), manner, scratch)
    let daemon = try await Audispatchd(
      [PluginFile("good", try await Programs.plugin(), ["copy", scratch("good")])],
      settings: ["spool_dir = \(scratch("mount/spool"))"], scratch: scratch)
    try await expectOthersGoOn(daemon, scratch, 0..<10)
    // A thread that hangs in the kernel keeps its process from ending.
    try await system.end()
    #expect(try await daemon.finish().plugin("good").delivered == 10)
  }

  @Test(arguments: HungFileSystem.Manner.allCases)
  func `under what a reload reads holds up neither delivery nor a stop`(
    _ manner: HungFileSystem.Manner
  ) async throws {
    let scratch = try Scratch()
    let daemon = try await start(.program, scratch)
    let system = try await HungFileSystem(scratch("mount"), manner, scratch)
    daemon.reload()
    try await expectOthersGoOn(daemon, scratch, 0..<10)
    let stopped = ContinuousClock.now
    daemon.child.signal(SIGTERM)
    let state = try await daemon.ended(within: .seconds(20))
    #expect(ContinuousClock.now - stopped < .seconds(8))
    #expect(try state.plugin("good").delivered == 10)
    try await system.end()
  }

  @Test func `under what a reload reads of one plugin keeps that as it was, and the rest applies`()
    async throws
  {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    let daemon = try await start(.program, scratch)
    let system = try await HungFileSystem(scratch("mount"), .mute, scratch)
    let pid = try daemon.plugin("hung").pid
    // One that comes, one that changes, one that cannot come; and what the hung one's file says now
    // is not known to be right.
    for file in [
      PluginFile("late", program, ["copy", scratch("late")]),
      PluginFile("good", program, ["copy", scratch("good")], "q_depth = 77"),
      PluginFile("new", scratch("mount/other"), ["copy", scratch("new")]),
      PluginFile("hung", scratch("mount/plugin"), ["lines", scratch("hung")]),
    ] { try scratch.write(file.text, to: "plugins.d/" + file.file) }
    daemon.reload()
    try await expectOthersGoOn(daemon, scratch, 0..<10)
    try await eventually("it was read", within: .seconds(25), detail: { daemon.messages }) {
      daemon.messages.contains(
        "configuration read again, but for what is refused: 3 active plugins; new: late\n")
    }
    for name in ["hung", "new"] {
      #expect(
        daemon.messages.contains(
          "\(name).conf: error: not read: the file, or what it names, does not answer"))
    }
    #expect(try daemon.plugin("hung").pid == pid)
    try await eventually("the new one runs") { try daemon.plugin("late").state == "running" }
    system.answer()
    daemon.reload()
    // It has nothing on it.
    try await eventually("all was read", within: .seconds(20), detail: { daemon.messages }) {
      daemon.messages.components(separatedBy: "configuration read again").count == 3
    }
    #expect(daemon.messages.contains("hung.conf:3:8: error: there is no plugin in"))
    #expect(try daemon.plugin("hung").pid == pid)
    try await daemon.finish()
    try await system.end()
  }

  @Test func `while the worker dies holds up its plugin alone, and leaves no second one`()
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await start(.writePaths, scratch)
    let system = try await HungFileSystem(scratch("mount"), .mute, scratch)
    let worker = try #require(daemon.worker)
    kill(try daemon.plugin("hung").pid, SIGKILL)
    try await expectOthersGoOn(daemon, scratch, 0..<10)
    kill(worker, SIGKILL)
    try await eventually("another one works", detail: { daemon.messages }) {
      daemon.worker.map { $0 != worker } ?? false && (try? daemon.state()) != nil
    }
    try await daemon.send(TestEvent.stream(10..<20))
    try await eventually("the other plugin goes on", within: .seconds(10)) {
      scratch.lines("good").suffix(10) == TestEvent.stream(10..<20).records[...]
    }
    #expect(try daemon.plugin("hung").state == "starting")
    system.answer()
    try await eventually("it goes on, too", within: .seconds(15)) {
      scratch.lines("hung").suffix(10) == TestEvent.stream(10..<20).records[...]
    }
    #expect(!scratch.text("hung.log").contains("OVERLAP"))
    let state = try await daemon.finish()
    #expect(try state.plugin("hung").drops == ["dispatcher_died": 10])
    try await system.end()
  }

  @Test(arguments: [SIGKILL, SIGSTOP])
  func `or not: plugins start also after the death, or the standstill, of what starts them`(
    _ signal: Int32
  ) async throws {
    let scratch = try Scratch()
    let daemon = try await start(.writePaths, scratch)
    var pauses: [Double] = []
    for round in 1...2 {
      let worker = try #require(daemon.worker)
      let starter = try #require(child(of: worker, "audisp-starter"))
      let pid = try daemon.plugin("hung").pid
      let killed = Date().timeIntervalSince1970
      kill(starter, signal)
      kill(pid, SIGKILL)
      try await expectOthersGoOn(daemon, scratch, round * 10..<round * 10 + 10)
      try await eventually("it has all", within: .seconds(20), detail: { daemon.messages }) {
        scratch.lines("hung").count == round * 10
      }
      try await eventually("the other one is gone") { kill(starter, 0) != 0 }
      let start = try #require(scratch.lines("hung.log").last { $0.contains(" start") })
      let time = try #require(start.split(separator: " ").first.flatMap { Double($0) })
      pauses.append(time - killed)
    }
    let state = try await daemon.finish()
    #expect(try state.plugin("hung").restarts == 2)
    #expect(daemon.messages.contains("another one is started"))
    // After a death it is asked for again in a fraction of this; a standstill is waited out.
    #expect(signal != SIGKILL || pauses.contains { $0 < 1 }, "\(pauses)")
  }
}
