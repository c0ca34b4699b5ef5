import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

/// Each of the system calls on the log's files fails once, by strace.
@Suite(
  "audispatch-log with a disk that fails", .onThreads,
  .enabled(if: Strace.isHere, "needs root and strace"))
struct FailingDiskTests {
  static func prefix(_ injection: String, _ paths: [String]) -> [String] {
    ["/usr/bin/strace", "-f", "-qq", "-o", "DIR/trace"]
      + paths.flatMap { ["-P", "DIR/log/" + $0] } + ["-e", "inject=" + injection]
  }

  static let files = ["audit.log", "audit.log.1", "audit.log.2"]

  static let calls = [
    "openat", "write", "fdatasync", "fsync", "rename", "fchmod", "fchown", "lseek",
  ]

  @Test(arguments: calls, Extent.isFull ? [1, 2, 3, 4, 5] : [2])
  func `has every record, whichever call fails once`(_ call: String, _ which: Int) throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    unsafe mkdir("\(folder)/log", 0o700)
    let run = try LogPluginTests.run(
      "--flush", call == "fsync" ? "sync" : "incremental", "--max-log-file", "4K",
      "--max-log-file-action", "keep_logs",
      prefix: Self.prefix("\(call):error=EIO:when=\(which)", Self.files), first: 1, folder: folder)
    let records = (1...100).map { LogPluginTests.record($0, fill: 50) }
    for start in stride(from: 0, to: 100, by: 25) {
      try run.send(Array(records[start..<start + 25]))
      #expect(run.eventually { run.confirmed == start + 25 }, "\(run.messages)")
    }
    run.endInput()
    #expect(run.end() == .exit(0))
    let trace = run.contents("trace")
    #expect(trace.contains("(INJECTED)") || which > 2, "the call was made")
    // A rotation that failed half-way leaves a number out.
    let names = try Files.names(in: "\(folder)/log")
    #expect(Set(names.flatMap { run.lines("log/\($0)") }) == Set(records))
    // Where a write has ended is reckoned if it is not told.
    if trace.contains("(INJECTED)"), call != "lseek" {
      #expect(run.messages.contains("Input/output error"))
    }
  }

  @Test func `writes again what could not be synchronised`() throws {
    let run = try LogPluginTests.run(
      "--flush", "data", prefix: Self.prefix("fdatasync:error=EIO:when=1", ["audit.log"]), first: 1)
    try run.send([LogPluginTests.record(1)])
    #expect(run.await("cannot sync", in: "err"))
    #expect(run.confirmed == 0)
    #expect(run.eventually { run.confirmed == 1 })
    #expect(run.contents("trace").contains("pwrite64("))
    #expect(run.lines("log/audit.log") == [LogPluginTests.record(1)])
  }

  @Test(.enabled(if: SmallDisk.isHere, SmallDisk.why))
  func `confirms only what it has written again, in another file and with little room`() throws {
    let folder = try PluginRun.makeFolder()
    let disk = try SmallDisk(folder, size: "512k")
    defer {
      _ = try? CommandRun("/bin/umount", "-l", disk.folder)
      PluginRun.remove(folder)
    }
    let run = try LogPluginTests.run(
      "--flush", "data", "--space-left=2", "--admin-space-left=1", "--space-left-action=ignore",
      "--admin-space-left-action=ignore",
      prefix: Self.prefix("fdatasync:error=EIO:when=1", ["audit.log"]), first: 1, folder: folder)
    let records = (1...400).map { LogPluginTests.record($0, fill: 500) }
    try run.send(records)
    #expect(run.await("cannot sync", in: "err"))
    #expect(run.eventually { run.contents("log/audit.log").hasSuffix("\n") })
    unsafe rename("\(disk.folder)/audit.log", "\(disk.folder)/moved")
    let place = try Descriptor.open(disk.folder, O_RDONLY | O_DIRECTORY)
    let room = try #require(FileSystem.room(place.number))
    try disk.fill(room.free - (50 << 10))
    #expect(run.eventually { !run.lines("log/audit.log").isEmpty }, "\(run.messages)")
    // That much is written, and the rest tried again.
    Pause.nanoseconds(1_500_000_000)
    #expect(run.lines("log/audit.log").count < 100)
    #expect(run.confirmed <= run.lines("log/audit.log").count)
    disk.empty()
    #expect(run.eventually { run.confirmed == 400 }, "\(run.messages)")
    #expect(run.lines("log/audit.log") == records)
  }

  /// The synchronisation that fails is on its way when the log is moved away.
  @Test func `has what was not safe in the log from which it goes on`() throws {
    let run = try LogPluginTests.run(
      "--flush", "incremental_async", "--freq", "1", "--max-log-file", "4K",
      "--max-log-file-action", "keep_logs",
      prefix: Self.prefix("fdatasync:error=EIO:delay_exit=500000:when=1", ["audit.log"]), first: 1)
    let records = (1...200).map { LogPluginTests.record($0, fill: 50) }
    try run.send([records[0]])
    #expect(run.await(":1): ", in: "log/audit.log"))
    Pause.nanoseconds(100_000_000)
    try run.send(Array(records[1...]))
    #expect(run.eventually { run.confirmed == 200 }, "\(run.messages)")
    run.endInput()
    #expect(run.end() == .exit(0))
    #expect(run.messages.contains("Input/output error"))
    #expect(run.contents("trace").contains("pwrite64("), "the system may take it for clean")
    #expect(LogPluginTests.all(run) == records)
  }

  @Test func `waits at rest once what failed is safe`() throws {
    let run = try LogPluginTests.run(
      "--flush", "incremental", "--freq", "1",
      prefix: ["/usr/bin/strace", "-f", "-qq", "-o", "DIR/trace", "-e", "trace=poll,fdatasync"]
        + ["-e", "inject=fdatasync:error=EIO:when=1"], first: 1)
    try run.send([LogPluginTests.record(1)])
    #expect(run.eventually { run.confirmed == 1 })
    // A second in which it does nothing but wait.
    let before = run.lines("trace").count
    Pause.nanoseconds(1_000_000_000)
    #expect(run.lines("trace").count - before < 50)
  }

  @Test(arguments: ["incremental", "incremental_async", "data"])
  func `confirms nothing as long as the disk fails`(_ mode: String) throws {
    let run = try LogPluginTests.run(
      "--flush", mode, prefix: Self.prefix("fdatasync:error=EIO", ["audit.log"]), first: 1)
    try run.send([LogPluginTests.record(1)])
    #expect(run.await("cannot sync", in: "err"))
    try run.send([LogPluginTests.record(2)])
    run.endInput()
    #expect(run.end() == .exit(0))
    #expect(run.confirmed == 0)
    #expect(run.messages.contains("records were not written") || run.messages.contains("not safe"))
  }

  /// Killed at each of the renames of a rotation of four files.
  @Test(arguments: Extent.isFull ? Array(1...10) : [1, 3, 6])
  func `loses nothing when it is killed while it rotates`(_ which: Int) throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let records = (1...400).map { LogPluginTests.record($0, fill: 50) }
    let arguments = ["--max-log-file=4K", "--max-log-file-action=keep_logs"]
    unsafe mkdir("\(folder)/log", 0o700)
    let first = try PluginRun(
      "audispatch-log", ["--log-file=DIR/log/audit.log"] + arguments,
      prefix: [
        "/usr/bin/strace", "-f", "-qq", "-o", "DIR/trace", "-e",
        "inject=rename:signal=KILL:when=\(which)",
      ], first: 1, folder: folder)
    _ = first.writeWhatIsTaken(Array(records.map { $0 + "\n" }.joined().utf8))
    _ = first.end()
    let confirmed = first.confirmed
    #expect(confirmed < records.count)
    let second = try PluginRun(
      "audispatch-log", ["--log-file=DIR/log/audit.log"] + arguments, first: confirmed + 1,
      folder: folder)
    try second.send(Array(records[confirmed...]))
    #expect(second.eventually { second.confirmed == records.count })
    second.endInput()
    #expect(second.end() == .exit(0))
    let names = try Files.names(in: "\(folder)/log")
    let numbers = names.compactMap { Int($0.split(separator: ".").last ?? "") }.sorted()
    #expect(numbers == Array(1...numbers.count), "no number is missing")
    #expect(Set(LogPluginTests.all(second)) == Set(records))
  }
}
