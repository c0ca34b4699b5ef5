import Foundation
import Glibc
import Testing

/// Where auditd's socket should be, or a helper of ours is, nothing answers.
@Suite(
  "A source on a file system that hangs", .inTurn,
  .enabled(if: HungFileSystem.isPossible, "needs root, python3 and /dev/fuse"))
struct HungSourceTests {
  @Test(arguments: HungFileSystem.Manner.allCases)
  func `under the path of auditd's socket holds up neither status nor stop`(
    _ manner: HungFileSystem.Manner
  ) async throws {
    let scratch = try Scratch()
    try scratch.folder("mount")
    let system = try await HungFileSystem(scratch("mount"), manner, scratch)
    let daemon = try await Audispatchd(
      [PluginFile("good", try await Programs.plugin(), ["copy", scratch("good")])],
      source: "unix:" + scratch("mount/events"), scratch: scratch)
    for _ in 0..<5 {
      let asked = ContinuousClock.now
      _ = try daemon.state()
      #expect(ContinuousClock.now - asked < .seconds(1))
      try await Task.sleep(for: .milliseconds(100))
    }
    daemon.child.signal(SIGTERM)
    try await eventually("its plugin was ended", within: .seconds(8)) {
      scratch.text("good.log").contains(" end")
    }
    // A thread that hangs in the kernel keeps its process from ending.
    try await system.end()
    _ = try await daemon.child.end()
  }

  // MARK: Helpers

  /// What executes a copy of our daemon, beside which that helper lies in `mount`.
  private func prefix(_ helper: String, _ scratch: Scratch) throws -> [String] {
    try scratch.folder("mount")
    try scratch.folder("bin")
    let files = FileManager.default
    try files.copyItem(atPath: Programs.product(helper), toPath: scratch("mount/" + helper))
    try files.copyItem(
      atPath: Programs.product("audispatchd"), toPath: scratch("bin/audispatchd"))
    try files.createSymbolicLink(
      atPath: scratch("bin/" + helper), withDestinationPath: scratch("mount/" + helper))
    return ["/bin/sh", "-c", "shift; exec \(scratch("bin/audispatchd")) \"$@\"", "sh"]
  }

  private func child(of worker: pid_t?, _ name: String) -> pid_t? {
    guard let worker else { return nil }
    return String(decoding: contents("/proc/\(worker)/task/\(worker)/children"), as: UTF8.self)
      .split(separator: " ").compactMap { pid_t($0) }.first {
        String(decoding: contents("/proc/\($0)/comm"), as: UTF8.self) == name + "\n"
      }
  }

  private func expectStatus(_ daemon: Audispatchd, _ scratch: Scratch) throws {
    let asked = ContinuousClock.now
    _ = try daemon.state()
    #expect(ContinuousClock.now - asked < .seconds(1))
  }

  @Test(arguments: HungFileSystem.Manner.allCases)
  func `under what serves other hosts holds up neither this host's records nor a stop`(
    _ manner: HungFileSystem.Manner
  ) async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("good", try await Programs.plugin(), ["copy", scratch("good")])],
      arguments: ["--source", "tcp:127.0.0.1:\(freePort())"], scratch: scratch,
      prefix: prefix("audispatch-receive", scratch))
    try await eventually("it serves", detail: { daemon.messages }) {
      child(of: daemon.worker, "audispatch-rece") != nil
    }
    let receiver = try #require(child(of: daemon.worker, "audispatch-rece"))
    let system = try await HungFileSystem(scratch("mount"), manner, scratch)
    kill(receiver, SIGKILL)
    var serial = 0
    func expectLocalGoesOn() async throws {
      let wanted = scratch.lines("good").count + 1
      try await daemon.send(TestEvent.stream(serial..<serial + 1))
      serial += 1
      try await eventually("the plugin has it", within: .seconds(1)) {
        scratch.lines("good").count >= wanted
      }
      try expectStatus(daemon, scratch)
    }
    for _ in 0..<10 {
      try await expectLocalGoesOn()
      try await Task.sleep(for: .milliseconds(100))
    }
    try await eventually("it is given up", within: .seconds(30), detail: { daemon.messages }) {
      daemon.messages.contains("audispatch-receive has not started within 10 s")
    }
    for _ in 0..<10 { try await expectLocalGoesOn() }
    let stopped = ContinuousClock.now
    daemon.child.signal(SIGTERM)
    let state = try await daemon.ended(within: .seconds(20))
    #expect(ContinuousClock.now - stopped < .seconds(8))
    #expect(try state.plugin("good").delivered == 20)
    try await system.end()
  }

  @Test(
    .enabled(if: KernelAudit.isHere, KernelAudit.why), arguments: HungFileSystem.Manner.allCases)
  func `under the kernel's reader holds up neither status nor stop, and it is tried again`(
    _ manner: HungFileSystem.Manner
  ) async throws {
    try await KernelAudit.hold { audit in
      let scratch = try Scratch()
      let daemon = try await Audispatchd(
        [PluginFile("good", try await Programs.plugin(), ["copy", scratch("good")])],
        source: "kernel", scratch: scratch, prefix: prefix("audispatch-kernel", scratch))
      try audit.register(daemon.child.pid)
      let name = "audispatch-kern"
      try await eventually("it reads") { child(of: daemon.child.pid, name) != nil }
      let reader = try #require(child(of: daemon.child.pid, name))
      let system = try await HungFileSystem(scratch("mount"), manner, scratch)
      kill(reader, SIGKILL)
      for _ in 0..<10 {
        try expectStatus(daemon, scratch)
        try await Task.sleep(for: .milliseconds(100))
      }
      try await eventually("it is given up", within: .seconds(30), detail: { daemon.messages }) {
        daemon.messages.contains("audispatch-kernel: Timer expired; trying again")
      }
      try expectStatus(daemon, scratch)
      try await system.end()
      try await eventually("it reads again", within: .seconds(30), detail: { daemon.messages }) {
        child(of: daemon.child.pid, name).map { $0 != reader } ?? false
      }
      daemon.child.signal(SIGTERM)
      try await daemon.ended()
    }
  }
}
