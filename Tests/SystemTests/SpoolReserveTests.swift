import Foundation
import Testing

@Suite("spool_reserve", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct SpoolReserveTests {
  /// The spool's own file is allocated when it is made; others' bytes come later.
  @Test func `is kept at each write, whoever uses the disk up`() async throws {
    let scratch = try Scratch()
    try scratch.folder("spool")
    let mount = try Child(
      "/bin/mount", ["-t", "tmpfs", "-o", "size=16m,mode=0700", "none", scratch("spool")])
    try #require(try await mount.end() == .exited(0))
    defer { unsafe _ = umount2(scratch("spool"), Int32(MNT_DETACH)) }
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["copy", scratch("out")], "overflow_action = lossless")
      ], settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 4M"], scratch: scratch)
    let events = TestEvent.stream(1..<301)
    try await daemon.send(Array(events[..<100]))
    try await eventually("the first are there") { scratch.lines("out").count >= 100 }
    #expect(!daemon.messages.contains("the spool takes no records"))
    try scratch.write(Data(repeating: 1, count: 10 << 20), to: "spool/others", mode: 0o600)
    try await daemon.send(Array(events[100..<200]))
    try await eventually("it is said, with the folder", detail: { daemon.messages }) {
      daemon.messages.contains(
        "the spool takes no records (No space left on device): nothing can be written in "
          + scratch("spool") + ", where spool_reserve keeps 4 MiB free")
    }
    try FileManager.default.removeItem(atPath: scratch("spool/others"))
    try await eventually("it goes on", within: .seconds(30), detail: { daemon.messages }) {
      daemon.messages.contains("the spool takes records again, in " + scratch("spool"))
    }
    try await daemon.send(Array(events[200...]))
    try await daemon.finish()
    #expect(difference(scratch.lines("out"), events.records) == nil)
  }
}
