import Foundation
import Testing

/// The power goes: what is left is what had reached the disk.
///
/// The spool lies on ext4 on a loop device. At some moment the daemon is stopped and the device's
/// file is copied; when the copy is the same as the file is still, it is the disk of one moment. It
/// is mounted, which replays ext4's journal, and read.
@Suite(
  "A power cut", .inTurn, .enabled(if: Host.hasLoopDevices, "needs root and loop devices"))
struct PowerCutTests {
  @Test func `loses no record that was said to be safe`() async throws {
    let cuts = Faults.isFull ? 50 : 3
    let found = try await cut(times: cuts, environment: [:])
    #expect(found.lost == 0)
    #expect(found.safe > 0)
    Faults.report("\(cuts) power cuts: \(found.safe) safe records, \(found.lost) lost")
  }

  @Test func `would lose them if the disk did not have what it says`() async throws {
    let nosync = try await Programs.nosync()
    let found = try await cut(times: 3, environment: ["LD_PRELOAD": nosync])
    #expect(found.lost > 0)
    Faults.report("3 power cuts without syncs: \(found.safe) safe records, \(found.lost) lost")
  }

  /// - Returns: records that were safe and those of them that were gone, in all cuts together.
  private func cut(times: Int, environment: [String: String]) async throws
    -> (safe: Int, lost: Int)
  {
    let scratch = try Scratch()
    let disk = try await Disk(scratch)
    defer { disk.unmount() }
    let records = TestEvent.stream(1..<200_001, fill: 60).records
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["never", scratch("out")],
          "overflow_action = lossless", "q_depth = 200")
      ],
      settings: ["spool_dir = \(disk.folder)/spool", "spool_reserve = 0", "stop_timeout = 0.100"],
      scratch: scratch,
      environment: environment.merging(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]) { a, _ in a })
    let feeding = daemon.feed(records, at: 25, every: .milliseconds(10))
    defer { feeding.cancel() }
    var random = Seeded(Faults.seed)
    var safeInAll = 0
    var lost = 0
    for number in 0..<times {
      let before = try daemon.state().spool?.safe_records ?? 0
      try await eventually("more is safe", detail: { daemon.messages }) {
        try daemon.state().spool?.safe_records ?? 0 > before
      }
      try await random.pause(0...60)
      let safe = try daemon.state().spool?.safe_records ?? 0
      for pid in dispatcherProcesses(of: daemon.child.pid) { kill(pid, SIGSTOP) }
      try await disk.copy(number)
      for pid in dispatcherProcesses(of: daemon.child.pid) { kill(pid, SIGCONT) }
      let left = try await disk.recordsOfCopy(number)
      #expect(difference(left, Array(records.prefix(left.count))) == nil)
      safeInAll += safe
      lost += max(0, safe - left.count)
      if left.count < safe {
        Faults.report("cut \(number): \(safe) were safe, \(left.count) are there")
      }
    }
    feeding.cancel()
    _ = try? await feeding.value
    try await daemon.finish()
    return (safeInAll, lost)
  }
}

/// A small ext4 in a file.
private final class Disk: Sendable {
  private let scratch: Scratch
  var folder: String { scratch("mnt") }
  private var image: String { scratch("memory/image") }

  init(_ scratch: Scratch) async throws {
    self.scratch = scratch
    for name in ["memory", "mnt", "cut"] { try scratch.folder(name) }
    try await mount(["-t", "tmpfs", "-o", "size=400m", "none", scratch("memory")])
    try await call("/usr/bin/truncate", ["-s", "96M", image])
    try await call(
      "/sbin/mkfs.ext4",
      ["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image])
    try await mount(["-o", "loop", image, folder])
  }

  func unmount() {
    for name in ["cut", "mnt", "memory"] { unsafe _ = umount2(scratch(name), Int32(MNT_DETACH)) }
  }

  /// Copies the disk as it is at one moment.
  func copy(_ number: Int) async throws {
    let copy = scratch("memory/cut\(number)")
    for _ in 0..<100 {
      try await call(
        "/bin/cp", ["--sparse=always", "--reflink=never", image, copy])
      // The system may write back pages meanwhile.
      let outcome = try await run("/usr/bin/cmp", ["-s", image, copy])
      if outcome.end == .exited(0) { return }
    }
    throw Timeout(description: "the disk does not come to rest")
  }

  /// What the spool on the copy has for the plugin.
  func recordsOfCopy(_ number: Int) async throws -> [String] {
    let copy = "memory/cut\(number)"
    try await mount(["-o", "loop", scratch(copy), scratch("cut")])
    let records = try await recordsOfMounted()
    // A file of its own for each, and no device is left: else one cut would be read as the next.
    try await call("/bin/umount", [scratch("cut")])
    try scratch.remove(copy)
    return records
  }

  private func recordsOfMounted() async throws -> [String] {
    let control = Programs.product("audispatchctl")
    let place = ["--spool-dir", scratch("cut/spool")]
    // A cut before the very first sync leaves nothing.
    guard FileManager.default.fileExists(atPath: scratch("cut/spool")) else { return [] }
    let verified = try await run(control, ["spool", "verify"] + place)
    #expect(verified.end == .exited(0), "\(verified.output)\(verified.error)")
    let exported = try await run(control, ["spool", "export"] + place)
    #expect(exported.end == .exited(0), "\(exported.error)")
    return split(exported.output)
  }

  private func mount(_ arguments: [String]) async throws {
    let outcome = try await run("/bin/mount", arguments)
    if outcome.end != .exited(0) { try skipCase("nothing can be mounted: \(outcome.error)") }
  }

  private func call(_ program: String, _ arguments: [String]) async throws {
    let outcome = try await run(program, arguments)
    try #require(outcome.end == .exited(0), "\(program): \(outcome.error)")
  }
}
