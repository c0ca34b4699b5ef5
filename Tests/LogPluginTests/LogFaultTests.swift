import Foundation
import Glibc
import Linux
import PluginHarness
import Testing

/// Whether every case is tried, which takes minutes: `AUDISPATCH_FULL=1`.
enum Extent {
  static let isFull = ProcessInfo.processInfo.environment["AUDISPATCH_FULL"] != nil
}

/// What makes single calls fail, or take long.
enum Strace {
  static let isHere =
    FileManager.default.isExecutableFile(atPath: "/usr/bin/strace") && geteuid() == 0
}

/// A small file system of its own in a folder; gone with its owner.
final class SmallDisk {
  let folder: String

  /// Whether this host lets a test mount one.
  static let isHere: Bool = {
    guard geteuid() == 0, let folder = try? PluginRun.makeFolder() else { return false }
    defer { PluginRun.remove(folder) }
    guard let disk = try? SmallDisk(folder, size: "64k") else { return false }
    return disk.isMounted
  }()
  static let why: Comment = "needs root and the right to mount"

  private(set) var isMounted: Bool

  init(_ parent: String, size: String) throws {
    folder = "\(parent)/log"
    unsafe mkdir(folder, 0o700)
    let mount = try CommandRun(
      "/bin/mount", "-t", "tmpfs", "-o", "size=\(size),mode=0700", "none", folder)
    isMounted = mount.end == .exit(0)
  }

  deinit { if isMounted { _ = try? CommandRun("/bin/umount", "-l", folder) } }

  /// Takes so many bytes of it.
  func fill(_ bytes: Int) throws {
    let file = try Descriptor.open("\(folder)/filling", O_WRONLY | O_CREAT)
    try Transfer.writeAll(file.number, [UInt8](repeating: 0, count: bytes))
  }

  func empty() { unsafe unlink("\(folder)/filling") }
}

@Suite("audispatch-log on a disk that is full", .enabled(if: SmallDisk.isHere, SmallDisk.why))
struct FullDiskTests {
  let folder: String
  let disk: SmallDisk

  init() throws {
    folder = try PluginRun.makeFolder()
    disk = try SmallDisk(folder, size: "512k")
  }

  /// The disk must go before the folder does.
  private func tidy() {
    _ = try? CommandRun("/bin/umount", "-l", disk.folder)
    PluginRun.remove(folder)
  }

  static let records = (1...2000).map { LogPluginTests.record($0, fill: 100) }

  /// No limit but the disk's own.
  private func run(_ arguments: String..., first: Int? = nil, ours: Bool = true) throws -> PluginRun
  {
    try PluginRun(
      "audispatch-log",
      [
        "--log-file", "DIR/log/audit.log", "--space-left=2", "--admin-space-left=1",
        "--admin-space-left-action=ignore", "--space-left-action=ignore",
      ] + arguments,
      first: first, environment: ours ? ["AUDISPATCH_PLUGIN=test"] : [], folder: folder)
  }

  @Test(
    arguments: Extent.isFull ? LogPluginTests.modes : ["incremental", "sync"],
    Extent.isFull ? ["suspend", "syslog", "ignore"] : ["suspend"])
  func `waits for room, loses nothing, and says so`(_ mode: String, _ action: String) throws {
    defer { tidy() }
    try disk.fill(350 << 10)
    let run = try run("--flush", mode, "--disk-full-action", action, first: 1)
    try run.send(Self.records)
    #expect(run.await("No space left on device; tried again each second", in: "err"))
    #expect(run.contents("log/audit.log").hasSuffix("\n"), "only whole lines are in it")
    #expect(run.confirmed < Self.records.count)
    disk.empty()
    #expect(run.eventually { run.confirmed == Self.records.count }, "\(run.messages)")
    run.endInput()
    #expect(run.end() == .exit(0))
    #expect(run.lines("log/audit.log") == Self.records)
    #expect(run.messages.contains("log again, after"))
  }

  @Test func `removes the oldest rotated files, if it shall`() throws {
    defer { tidy() }
    let run = try run(
      "--max-log-file", "64K", "--max-log-file-action", "keep_logs", "--disk-full-action",
      "rotate", first: 1)
    let records = (1...6000).map { LogPluginTests.record($0, fill: 100) }
    try run.send(records)
    #expect(run.eventually { run.confirmed == records.count }, "\(run.messages)")
    run.endInput()
    #expect(run.end() == .exit(0))
    #expect(run.messages.contains(" to make room"))
    let all = LogPluginTests.all(run)
    #expect(all.count > 1000 && all == Array(records.suffix(all.count)))
  }

  @Test func `runs a program, if it shall`() throws {
    defer { tidy() }
    try disk.fill(500 << 10)
    let script = "\(folder)/script"
    do {
      let file = try Descriptor.open(script, O_WRONLY | O_CREAT, mode: 0o700)
      // The only way to make room is this one.
      try Transfer.writeAll(file.number, Array("#!/bin/sh\nrm \(disk.folder)/filling\n".utf8))
    }
    let run = try run("--disk-full-action", "exec \(script)", first: 1)
    try run.send(Array(Self.records.prefix(1000)))
    #expect(run.eventually { run.confirmed == 1000 }, "\(run.messages)")
  }

  @Test func `holds up nobody under auditd: drops, counts, and announces it in the log`() throws {
    defer { tidy() }
    try disk.fill(500 << 10)
    let run = try run(
      "--max-log-file", "64K", "--num-logs", "2", "--disk-full-action", "ignore", ours: false)
    // More than it holds: none of it waits.
    let records = (1...30_000).map { LogPluginTests.record($0, fill: 100) }
    try run.send(records)
    run.signal(SIGUSR1)
    #expect(run.await(" handled=", in: "err"), "\(run.messages)")
    disk.empty()
    #expect(run.eventually { run.messages.contains("log again, after") }, "\(run.messages)")
    try run.send([LogPluginTests.record(30_001)])
    run.close()
    #expect(run.end() == .exit(74))
    let told = try #require(
      LogPluginTests.all(run).first { $0.contains("type=DAEMON_ERR") && $0.contains("op=log-drop") }
    )
    let dropped = try #require(
      told.split(separator: " ").first { $0.hasPrefix("dropped=") }.flatMap {
        Int($0.dropFirst(8))
      })
    #expect(dropped > 5000)
    #expect(run.messages.contains("; \(dropped) records dropped"))
    #expect(told.contains("reason=disk_full"))
    #expect(LogPluginTests.all(run).last == LogPluginTests.record(30_001))
  }

  @Test func `leaves the administrator's space, until there is more`() throws {
    defer { tidy() }
    try disk.fill(300 << 10)
    let run = try PluginRun(
      "audispatch-log",
      ["--log-file", "DIR/log/audit.log", "--space-left=90%", "--admin-space-left=50%"], first: 1,
      folder: folder)
    try run.send([LogPluginTests.record(1)])
    #expect(run.await("MiB left; tried again each second", in: "err"))
    #expect(run.contents("log/audit.log") == "")
    disk.empty()
    #expect(run.eventually { run.confirmed == 1 }, "\(run.messages)")
    #expect(run.lines("log/audit.log") == [LogPluginTests.record(1)])
  }
}

/// Each of the system calls on the log's files fails once, by strace.
@Suite(
  "audispatch-log with a disk that fails",
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
