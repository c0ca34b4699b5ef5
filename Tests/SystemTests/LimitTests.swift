import Foundation
import Glibc
import Testing

/// What the system does not give the daemon.
@Suite("Limits of the system", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct LimitTests {
  @Test func `under a limit on file sizes that is too low it names the limit and ends with 1`()
    async throws
  {
    let usual = try await Audispatchd([])
    let needed = try sizeOfMemory(of: try #require(usual.worker))
    try await usual.finish()
    let daemon = try await Audispatchd(
      [], prefix: ["/usr/bin/prlimit", "--fsize=102400"], awaitsControl: false)
    #expect(try await daemon.child.end(within: .seconds(10)) == .exited(1))
    #expect(
      daemon.messages.contains(
        " of \((needed + (1 << 20) - 1) >> 20) MiB beyond the limit on file sizes, which is "
          + "102400 bytes (ulimit -f"), "\(daemon.messages)")
    #expect(!daemon.messages.contains("died by signal"))
  }

  /// How large the file is that a worker has its input's memory in.
  private func sizeOfMemory(of worker: pid_t) throws -> Int {
    let maps = try String(contentsOfFile: "/proc/\(worker)/maps", encoding: .utf8)
    let ends = maps.split(separator: "\n").filter { $0.hasSuffix("/memfd:audispatch (deleted)") }
      .compactMap { line -> Int? in
        let words = line.split(separator: " ")
        let range = words[0].split(separator: "-").compactMap { Int($0, radix: 16) }
        guard range.count == 2, let offset = Int(words[2], radix: 16) else { return nil }
        return offset + range[1] - range[0]
      }
    return try #require(ends.max())
  }

  @Test func `a limit on file sizes is a standstill of the spool, and nothing is lost`()
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("out")],
          "overflow_action = lossless")
      ], settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 1M"], scratch: scratch)
    try await daemon.send(TestEvent.stream(0..<100))
    try await eventually("they are stored") { try daemon.state().spool?.safe_records == 100 }
    let worker = try #require(daemon.worker)
    _ = try await run("/usr/bin/prlimit", ["--pid", "\(worker)", "--fsize=8192:unlimited"])
    try await daemon.send(TestEvent.stream(100..<200, fill: 200))
    try await eventually("it stands still", detail: { daemon.messages }) {
      daemon.messages.contains("the spool takes no records")
        && daemon.messages.contains("File too large")
    }
    #expect(daemon.worker == worker)
    _ = try await run("/usr/bin/prlimit", ["--pid", "\(worker)", "--fsize=unlimited"])
    try await eventually("it goes on") { daemon.messages.contains("the spool takes records again") }
    try await daemon.send(TestEvent.stream(200..<300))
    try scratch.write("", to: "open")
    let state = try await daemon.finish()
    #expect(try state.plugin("p").delivered == 300)
  }

  @Test func `the spool's reserve is kept at each write`() async throws {
    let scratch = try Scratch()
    let spool = try scratch.folder("spool")
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["never", scratch("out")], "overflow_action = lossless",
          "stop_timeout = 0.100")
      ], settings: ["spool_dir = \(spool)", "spool_reserve = 8M"], scratch: scratch,
      prefix: [
        "/usr/bin/unshare", "-m", "/bin/sh", "-c",
        "mount -t tmpfs -o size=16m,mode=700 none \(spool) && exec \"$@\"", "sh",
      ])
    let worker = try #require(daemon.worker)
    for start in stride(from: 0, to: 6000, by: 500) {
      try await daemon.send(TestEvent.stream(start..<start + 500, fill: 2000))
      try await daemon.takenIn()
    }
    try await eventually("it stops", detail: { daemon.messages }) {
      daemon.messages.contains("the spool takes no records")
    }
    let folder = try #require(
      try? FileManager.default.attributesOfFileSystem(forPath: "/proc/\(worker)/root\(spool)"))
    let free = try #require(folder[.systemFreeSize] as? NSNumber)
    #expect(free.int64Value >= 8 << 20)
    #expect(free.int64Value < 9 << 20)
    try await daemon.finish()
  }

  @Test func `a control socket that could not be made is tried again`() async throws {
    let scratch = try Scratch()
    try scratch.folder("run/control.sock/in the way")
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch,
      awaitsControl: false)
    try await eventually("it says so") { daemon.messages.contains("no control socket") }
    try await daemon.send(TestEvent.stream(0..<10))
    try await eventually("plugins are fed all the same") { scratch.lines("out").count == 10 }
    try scratch.remove("run/control.sock")
    try await eventually("it is there", within: .seconds(20)) { (try? daemon.state()) != nil }
    #expect(daemon.messages.contains("the control socket is there now"))
    try await daemon.finish()
  }
}
