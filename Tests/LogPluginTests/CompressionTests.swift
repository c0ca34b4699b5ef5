import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@Suite(
  "audispatch-log that compresses with little room", .onThreads,
  .enabled(if: SmallDisk.isHere && Strace.isHere, "needs root, strace and to mount"))
struct CompressionRoomTests {
  let folder: String
  let disk: SmallDisk

  init() throws {
    folder = try PluginRun.makeFolder()
    disk = try SmallDisk(folder, size: "4m")
    let file = try Descriptor.open("\(disk.folder)/audit.log.2", O_WRONLY | O_CREAT)
    var noise = Seeded(of: "compressed noise")
    try Transfer.writeAll(
      file.number, (0..<1 << 20).map { _ in UInt8.random(in: 0...255, using: &noise) })
  }

  private func tidy() {
    _ = try? CommandRun("/bin/umount", "-l", disk.folder)
    PluginRun.remove(folder)
  }

  /// gzip writes with this delay, in microseconds.
  private func run(_ arguments: String..., delay: Int) throws -> PluginRun {
    try PluginRun(
      "audispatch-log",
      [
        "--log-file", "DIR/log/audit.log", "--compress", "gzip", "--space-left=1",
        "--admin-space-left=0", "--space-left-action=ignore", "--admin-space-left-action=ignore",
      ] + arguments,
      prefix: FailingDiskTests.prefix("write:delay_enter=\(delay)", [".audit.log.gz"]), first: 1,
      folder: folder)
  }

  private var copy: Int? {
    (try? Files.contents(of: "\(disk.folder)/.audit.log.gz", limit: 4 << 20))?.bytes?.count
  }

  @Test func `gives its room back before the disk is full`() throws {
    defer { tidy() }
    let ran = "\(folder)/ran"
    do {
      let script = try Descriptor.open("\(folder)/script", O_WRONLY | O_CREAT, mode: 0o700)
      try Transfer.writeAll(script.number, Array("#!/bin/sh\ntouch \(ran)\n".utf8))
    }
    let run = try run("--disk-full-action", "exec \(folder)/script", delay: 200_000)
    try run.send([LogPluginTests.record(1)])
    #expect(run.eventually { copy ?? 0 >= 256 << 10 })
    // All there is; it goes on writing for a while.
    let full = try Descriptor.open("\(disk.folder)/filling", O_WRONLY | O_CREAT)
    #expect(throws: Errno(ENOSPC)) {
      try Transfer.writeAll(full.number, [UInt8](repeating: 0, count: 4 << 20))
    }
    try run.send((2...1000).map { LogPluginTests.record($0, fill: 100) })
    #expect(run.eventually { run.confirmed == 1000 }, "\(run.messages)")
    #expect(copy == nil)
    run.endInput()
    #expect(run.end() == .exit(0))
    #expect(run.messages.contains("stopped compressing a rotated file"))
    #expect((try? Files.status(of: ran)) == nil, "\(run.messages)")
  }

  @Test func `does not begin where the copy might not fit`() throws {
    defer { tidy() }
    try disk.fill(1100 << 10)
    let run = try run(delay: 0)
    for serial in 1...3 {
      try run.send([LogPluginTests.record(serial)])
      #expect(run.eventually { run.confirmed == serial })
      Pause.nanoseconds(500_000_000)
    }
    #expect((try Files.names(in: disk.folder)).sorted() == ["audit.log", "audit.log.2", "filling"])
    disk.empty()
    var serial = 3
    #expect(
      run.eventually {
        serial += 1
        return (try? run.send([LogPluginTests.record(serial)])) != nil
          && (try? Files.status(of: "\(disk.folder)/audit.log.2.gz")) != nil
      })
  }
}

@Suite(
  "audispatch-log that compresses", .onThreads, .enabled(if: Strace.isHere, "needs root and strace")
)
struct CompressionTests {
  private static func rotated(in folder: String) throws {
    unsafe mkdir("\(folder)/log", 0o700)
    let file = try Descriptor.open("\(folder)/log/audit.log.2", O_WRONLY | O_CREAT)
    try Transfer.writeAll(file.number, Array("type=USER msg=audit(1.0:1): x=1\n".utf8))
  }

  @Test func `takes away a copy that could not be compressed, and does not try at once`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    try Self.rotated(in: folder)
    let run = try LogPluginTests.run(
      "--compress", "gzip",
      prefix: FailingDiskTests.prefix("write:error=ENOSPC", [".audit.log.gz"]), first: 1,
      folder: folder)
    #expect(run.await("cannot compress a rotated file", in: "err"))
    for serial in 1...20 {
      try run.send([LogPluginTests.record(serial)])
      #expect(run.eventually { run.confirmed == serial })
      Pause.nanoseconds(100_000_000)
    }
    run.endInput()
    #expect(run.end() == .exit(0))
    #expect(run.lines("err").count { $0.contains("cannot compress") } == 1)
    #expect(try Files.names(in: "\(folder)/log").sorted() == ["audit.log", "audit.log.2"])
  }

  @Test func `goes on compressing when it is reloaded`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    try Self.rotated(in: folder)
    let run = try LogPluginTests.run(
      "--compress", "gzip", "--flush", "none",
      prefix: FailingDiskTests.prefix("write:delay_enter=3000000", [".audit.log.gz"]), first: 1,
      folder: folder)
    try run.send([LogPluginTests.record(1)])
    #expect(run.eventually { run.confirmed == 1 })
    #expect((try? Files.status(of: "\(folder)/log/.audit.log.gz")) != nil)
    // The plugin is the child of ours.
    let children = "/proc/\(run.pid)/task/\(run.pid)/children"
    let plugin = String(decoding: try Transfer.contents(of: children, limit: 99), as: UTF8.self)
    kill(try #require(Int32(plugin.split(separator: " ").first ?? "")), SIGHUP)
    #expect(
      run.eventually { (try? Files.status(of: "\(folder)/log/audit.log.2.gz")) != nil },
      "\(run.messages)")
    run.endInput()
    #expect(run.end() == .exit(0))
    #expect(!run.messages.contains("cannot"))
  }
}
