import Foundation
import Glibc
import Testing

/// Where auditd's socket should be nothing answers.
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
}
