import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@Suite(
  "audispatch-log on a disk that is full", .onThreads, .enabled(if: SmallDisk.isHere, SmallDisk.why)
)
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

  /// A file, or a pipe, waits: nobody would send again what is dropped.
  @Test func `drops nothing of a file that is read by hand`() throws {
    defer { tidy() }
    // More than waits here, with what is read and not handled.
    let count = 60_000
    let lines = (1...count).map { LogPluginTests.record($0, fill: 100) }
    try TestFolder.write(lines.map { $0 + "\n" }.joined(), to: "\(folder)/old.log")
    let settings =
      "--config /dev/null --max-log-file 100 --max-log-file-action ignore --space-left=2 "
      + "--admin-space-left=1 --admin-space-left-action=ignore --space-left-action=ignore"
    let run = try CommandRun(
      "/bin/bash", "-c",
      """
      '\(PluginRun.products)/audispatch-log' \(settings) '\(disk.folder)/audit.log' \
        <'\(folder)/old.log' & plugin=$!
      sleep 2
      mount -o remount,size=32m '\(disk.folder)'
      wait $plugin
      """)
    #expect(run.end == .exit(0), "\(run.error)")
    let log = try Transfer.contents(of: "\(disk.folder)/audit.log", limit: 64 << 20)
    #expect(String(decoding: log, as: UTF8.self) == lines.map { $0 + "\n" }.joined())
    #expect(run.error.contains("No space left on device"))
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
