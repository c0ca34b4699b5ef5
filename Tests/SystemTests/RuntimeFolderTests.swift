import Foundation
import Glibc
import Linux
import Testing

/// The folder whose list of children is acted on as root, and to which root writes.
@Suite("The runtime folder", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct RuntimeFolderTests {
  static let cases: [(owner: Int, group: Int, mode: Int, reason: String)] = [
    (65534, 0, 0o755, "belongs to uid 65534"), (0, 0, 0o1777, "everybody may write to it"),
    (0, 65534, 0o775, "the group with gid 65534 may write to it"),
  ]

  private func set(_ folder: String, _ owner: Int, _ group: Int, _ mode: Int) throws {
    try FileManager.default.setAttributes(
      [.ownerAccountID: owner, .groupOwnerAccountID: group, .posixPermissions: mode],
      ofItemAtPath: folder)
  }

  @Test(arguments: cases.indices)
  func `is not used while others may write to it`(_ index: Int) async throws {
    let (owner, group, mode, reason) = Self.cases[index]
    let scratch = try Scratch()
    let folder = try scratch.folder("run")
    try set(folder, owner, group, mode)
    let victim = try Child("/bin/sleep", ["600"])
    defer { victim.signal(SIGKILL) }
    let stat = String(decoding: contents("/proc/\(victim.pid)/stat"), as: UTF8.self)
    let start = try #require(stat.split(separator: " ").dropFirst(21).first)
    try scratch.write("\(victim.pid) \(start) p\n", to: "run/children")
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch,
      awaitsControl: false)
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains("\(folder) is not used (\(reason))")
    }
    try await daemon.send(TestEvent.stream(0..<10))
    // Longer than a predecessor's children have.
    try await Task.sleep(for: .milliseconds(2_500))
    #expect(victim.ended == nil && starts(scratch) == 0)
    try scratch.remove("run/children")
    try set(folder, 0, 0, 0o755)
    try await eventually("it is used now", detail: { daemon.messages }) { starts(scratch) == 1 }
    let state = try await daemon.finish()
    #expect(try state.plugin("p").delivered == 10)
  }

  @Test(arguments: ["lock", "state.json.new", "children.new"])
  func `has no link followed that was left in it`(_ name: String) async throws {
    let scratch = try Scratch()
    try scratch.folder("run")
    try scratch.write("precious", to: "victim")
    try FileManager.default.createSymbolicLink(
      atPath: scratch("run/" + name), withDestinationPath: scratch("victim"))
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch,
      awaitsControl: name != "lock")
    if name == "lock" {
      try await eventually("it is said", detail: { daemon.messages }) {
        daemon.messages.contains("run/lock")
      }
      try scratch.remove("run/lock")
    }
    try await eventually("it runs") { starts(scratch) == 1 }
    try await daemon.finish()
    #expect(scratch.text("victim") == "precious")
  }

  /// Two would wait for each other, the one with the folder and the other with the spool, until both
  /// gave up what they had.
  @Test func `is had before the spool`() async throws {
    let scratch = try Scratch()
    try scratch.folder("run")
    try scratch.folder("spool")
    let folder = try Descriptor.open(scratch("run/lock"), O_RDWR | O_CREAT, mode: 0o640)
    let hasFolder = folder.tryLock()
    #expect(hasFolder)
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["copy", scratch("out")], "overflow_action = lossless")
      ], settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch,
      awaitsControl: false)
    try await eventually("it waits", detail: { daemon.messages }) {
      daemon.messages.contains("waiting for it to end")
    }
    try await daemon.send(TestEvent.stream(0..<10))
    try await Task.sleep(for: .milliseconds(300))
    let spool = try Descriptor.open(scratch("spool/lock"), O_RDWR | O_CREAT, mode: 0o600)
    let hasSpool = spool.tryLock()
    #expect(hasSpool)
    folder.unlock()
    try await eventually("it has the folder", detail: { daemon.messages }) {
      (try? daemon.state()) != nil
    }
    spool.unlock()
    try await eventually("all is delivered", detail: { daemon.messages }) {
      try daemon.plugin("p").delivered == 10
    }
    try await daemon.finish()
  }
}
