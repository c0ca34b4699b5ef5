import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_log

/// Others write to the log too: what they have appended stays, what they have cut stays cut.
@Suite("A log that others write", .onThreads)
struct SharedLogTests {
  private static func bytes(_ serials: ClosedRange<Int>, fill: Int = 100) -> [UInt8] {
    serials.flatMap { Array((LogPluginTests.record($0, fill: fill) + "\n").utf8) }
  }

  private static func contents(_ path: String) throws -> String {
    String(decoding: try Transfer.contents(of: path, limit: 1 << 20), as: UTF8.self)
  }

  private static func appendAsAnother(_ text: String, to path: String) throws {
    let file = try Descriptor.open(path, O_WRONLY | O_APPEND)
    try Transfer.writeAll(file.number, Array(text.utf8))
  }

  @Test func `has the size that a write finds`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let path = "\(folder)/audit.log"
    let log = try LogFile(path, group: 0)
    let lines = Self.bytes(1...10)
    #expect(log.append(lines, from: 0, to: lines.count) == (lines.count, nil))
    try Self.appendAsAnother("note\n", to: path)
    #expect(log.append(lines, from: 0, to: lines.count) == (lines.count, nil))
    #expect(log.size == 2 * lines.count + 5)
    #expect(log.tail.count == lines.count, "the note is between the two")
    #expect(unsafe truncate(path, 0) == 0)
    #expect(log.append(lines, from: 0, to: lines.count) == (lines.count, nil))
    #expect(log.size == lines.count)
    #expect(unsafe truncate(path, 0) == 0)
    log.measure()
    #expect(log.size == 0 && log.begun == nil)
  }

  @Test func `stands still where it may not grow, says why, and goes on when it may`() throws {
    let run = try PluginRun(
      "audispatch-log", ["--log-file", "DIR/log/audit.log", "--max-log-file", "8"],
      prefix: ["/usr/bin/prlimit", "--fsize=100000:"], first: 1)
    let records = (1...2000).map { LogPluginTests.record($0, fill: 100) }
    try run.send(records)
    #expect(run.await("File too large; tried again each second", in: "err"), "\(run.messages)")
    #expect(run.contents("log/audit.log").hasSuffix("\n"), "only whole lines are in it")
    _ = try CommandRun("/usr/bin/prlimit", "--pid", "\(run.pid)", "--fsize=unlimited:")
    #expect(run.eventually { run.confirmed == records.count }, "\(run.messages)")
    run.endInput()
    #expect(run.end() == .exit(0))
    #expect(run.lines("log/audit.log") == records)
    #expect(!run.messages.contains("dropped here"), "\(run.messages)")
  }

  /// Whoever may write to the folder could have another file written to, and read by a group.
  @Test func `is refused where it is a second name of another file`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    do {
      let other = try Descriptor.open("\(folder)/other", O_WRONLY | O_CREAT, mode: 0o600)
      try Transfer.writeAll(other.number, Array("secret\n".utf8))
    }
    #expect(unsafe link("\(folder)/other", "\(folder)/audit.log") == 0)
    #expect(throws: Obstacle.self) { try LogFile("\(folder)/audit.log", group: 1) }
    let status = try Files.status(of: "\(folder)/other")
    #expect(status.mode == 0o600 && status.group == 0)
    #expect(try Self.contents("\(folder)/other") == "secret\n")
  }

  @Test func `is written on beside a folder in the place of a compressed copy`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    try Files.makeFolder("\(folder)/log", mode: 0o755)
    try Files.makeFolder("\(folder)/log/.audit.log.gz", mode: 0o755)
    let run = try PluginRun(
      "audispatch-log",
      [
        "--log-file", "DIR/log/audit.log", "--compress", "gzip", "--uncompressed", "0",
        "--max-log-file", "64K", "--num-logs", "3",
      ], first: 1, folder: folder)
    try run.send((1...1000).map { LogPluginTests.record($0, fill: 100) })
    #expect(run.eventually { run.confirmed == 1000 }, "\(run.messages)")
    run.endInput()
    #expect(run.end() == .exit(0))
    #expect(run.messages.contains(".audit.log.gz: Is a directory"), "\(run.messages)")
    #expect(!run.messages.contains("tried again each second"))
  }

  @Test func `is not compressed where a rotated file is another file's second name`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    try Files.makeFolder("\(folder)/log", mode: 0o755)
    do {
      let other = try Descriptor.open("\(folder)/other", O_WRONLY | O_CREAT, mode: 0o600)
      try Transfer.writeAll(other.number, Array("secret\n".utf8))
    }
    #expect(unsafe link("\(folder)/other", "\(folder)/log/audit.log.1") == 0)
    let run = try PluginRun(
      "audispatch-log",
      ["--log-file", "DIR/log/audit.log", "--compress", "gzip", "--uncompressed", "0"],
      first: 1, folder: folder)
    try run.send([LogPluginTests.record(1)])
    #expect(run.eventually { run.confirmed == 1 }, "\(run.messages)")
    run.endInput()
    #expect(run.end() == .exit(0))
    #expect(run.messages.contains("cannot compress"), "\(run.messages)")
    let names = try Files.names(in: "\(folder)/log")
    #expect(!names.contains { $0.hasSuffix(".gz") }, "\(names)")
  }

  @Test func `is not moved away for a size that it has no more`() throws {
    let run = try LogPluginTests.run("--max-log-file", "64K")
    let many = (1...400).map { LogPluginTests.record($0, fill: 100) }
    try run.send(many)
    #expect(run.eventually { run.lines("log/audit.log").count == many.count })
    #expect(unsafe truncate("\(run.folder)/log/audit.log", 0) == 0)
    try run.send([LogPluginTests.record(401)])
    #expect(run.eventually { run.lines("log/audit.log") == [LogPluginTests.record(401)] })
    try run.send(many)
    run.close()
    #expect(run.end() == .exit(0))
    #expect(try Files.names(in: "\(run.folder)/log") == ["audit.log"])
    #expect(run.lines("log/audit.log").count == many.count + 1)
  }

  /// What was there before the disk got full, by turns of ours and others'.
  enum Before: CaseIterable, Sendable {
    case nothing, note, cut
  }

  @Test(.enabled(if: SmallDisk.isHere, SmallDisk.why), arguments: Before.allCases)
  func `loses nothing, and grows by nothing, when the disk is full`(_ before: Before) throws {
    let folder = try PluginRun.makeFolder()
    let disk = try SmallDisk(folder, size: "256k")
    defer {
      _ = try? CommandRun("/bin/umount", "-l", disk.folder)
      PluginRun.remove(folder)
    }
    let path = "\(disk.folder)/audit.log"
    let log = try LogFile(path, group: 0)
    let first = Self.bytes(1...200)
    #expect(log.append(first, from: 0, to: first.count) == (first.count, nil))
    var expected = String(decoding: first, as: UTF8.self)
    let note = "# a note" + String(repeating: ".", count: 3000) + "\n"
    switch before {
    case .nothing: break
    case .note:
      try Self.appendAsAnother(note, to: path)
      expected += note
    case .cut:
      #expect(unsafe truncate(path, 0) == 0)
      expected = ""
    }
    let more = Self.bytes(201...3000)
    let (written, failure) = log.append(more, from: 0, to: more.count)
    #expect(failure == Errno(ENOSPC))
    #expect(written > 0 && written < more.count && more[written - 1] == 0x0a)
    expected += String(decoding: more[..<written], as: UTF8.self)
    #expect(try Self.contents(path) == expected)
    #expect(log.size == expected.utf8.count)
  }
}
