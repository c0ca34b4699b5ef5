import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

/// The plugin with a stream of made records about real files. By inotify nobody is seen: the records
/// alone say who it was.
@Suite("The plugin, by a stream that is not whole", .onThreads)
struct StreamBeginningTests {
  private let watched: Watched

  init() throws {
    watched = try Watched("watch = TREE content severity=low")
    try watched.put("old", "f")
    _ = try watched.run("init")
  }

  /// - Parameters:
  ///   - marks: it writes records into the kernel's audit, of which none comes back here.
  ///   - control: it can ask the kernel what that has lost.
  private func start(
    _ arguments: String..., marks: Bool = false, control: Bool = true
  ) throws -> PluginRun {
    let run = try PluginRun(
      "audispatch-integrity", ["--config", "\(watched.folder)/integrity.conf"] + arguments,
      prefix: [
        "/usr/bin/setpriv", "--bounding-set",
        "-sys_admin" + (control ? "" : ",-audit_control") + (marks ? "" : ",-audit_write"),
      ])
    #expect(run.await("a scan of everything has ended", in: "err"), "\(run.messages)")
    return run
  }

  private func begin(_ run: PluginRun, serial: Int) throws {
    try run.send(watched.nothing(serial: serial))
    #expect(run.await("stream: it is whole since", in: "err"), "\(run.messages)")
    // A file's time may be a tick early.
    Pause.nanoseconds(20_000_000)
  }

  /// Sends a record that was made well behind the last change: silence would prove nothing.
  private func prove(_ run: PluginRun, serial: Int) throws {
    Pause.nanoseconds(100_000_000)
    try run.send(watched.nothing(serial: serial))
  }

  /// Whether the last change is told as certain. Other tests have the kernel lose records: where that
  /// was just now, nobody is certain, and nothing can be seen.
  private func isCertain(_ run: PluginRun) -> Bool {
    var isCertain = false
    let isTold = run.eventually {
      isCertain = run.lines("out").contains { $0.hasSuffix(": exact") }
      return isCertain || run.messages.contains(StreamGaps.kernelLost)
    }
    #expect(isTold, "\(run.messages)")
    return isCertain
  }

  @Test
  func `is certain of nothing that was before the first record, and soon of what is behind it`()
    throws
  {
    let run = try start()
    // Of one that has written it in between no record comes: he was too early.
    try watched.put("a", "f")
    Pause.nanoseconds(20_000_000)
    try watched.put("ab", "f")
    try run.send(watched.opening("f", auid: "1001", serial: 7))
    #expect(run.await("perhaps login uid 1001 ", in: "out"), "\(run.messages)")
    #expect(run.contents("out").contains("  not exact: the stream begins later"))
    #expect(run.await("stream: it is whole since", in: "err"), "\(run.messages)")
    try watched.put("abc", "f")
    try run.send(watched.opening("f", auid: "1002", serial: 8))
    try prove(run, serial: 9)
    guard isCertain(run) else { return }
    #expect(run.contents("out").contains("by      login uid 1002 in session 5"))
    end(run)
  }

  @Test func `scans everything when records are missing, and is certain again`() throws {
    let run = try start()
    try begin(run, serial: 7)
    try run.send(watched.nothing(serial: 9))
    #expect(
      run.await(
        "blind    stream: 1 event is missing: nobody is certain before everything was scanned",
        in: "out"), "\(run.messages)")
    #expect(run.await("sees     stream: it is whole since", in: "out"), "\(run.messages)")
    try watched.put("new", "f")
    try run.send(watched.opening("f", auid: "1000", serial: 10))
    try prove(run, serial: 11)
    guard isCertain(run) else { return }
    #expect(run.contents("out").contains("by      login uid 1000 in session 5"))
    end(run)
  }

  @Test func `is not sure any more of what it has told, where records turn out to be missing`()
    throws
  {
    let run = try start()
    try begin(run, serial: 7)
    try watched.put("new", "f")
    try run.send(watched.opening("f", auid: "1000", serial: 8))
    try prove(run, serial: 9)
    guard isCertain(run) else { return }
    // A call of the same time, that took longer: what it was about did not come.
    let late = try watched.opening("f", auid: "1001", serial: 10)
    try run.send(late.filter { !$0.hasPrefix("type=PATH ") })
    #expect(run.await("  amended it was told before as certain", in: "out"), "\(run.messages)")
    #expect(run.contents("out").contains("  not exact: \(StreamGaps.incomplete)"))
    end(run)
  }

  @Test func `has a change told once more, with another one of whom a record has come late`() throws
  {
    let run = try start()
    try begin(run, serial: 7)
    Pause.nanoseconds(20_000_000)
    try watched.put("new", "f")
    let both = try [("1000", 8), ("1001", 10)].map {
      try watched.opening("f", auid: $0.0, serial: $0.1)
    }
    try run.send(both[0])
    try prove(run, serial: 9)
    guard isCertain(run) else { return }
    try run.send(both[1])
    #expect(run.await("  amended it was told before", in: "out"), "\(run.contents("out"))")
    let lines = run.lines("out").drop { !$0.hasPrefix("  amended") }
    #expect(lines.contains { $0.hasPrefix("  perhaps login uid 1000 ") })
    #expect(lines.contains { $0.hasPrefix("  perhaps login uid 1001 ") })
    end(run)
  }

  @Test(
    .enabled(if: Capabilities.permitted.contains(.auditWrite), "needs CAP_AUDIT_WRITE"),
    arguments: [true, false])
  func `is certain of nobody by silence`(marks: Bool) throws {
    let run = try start(marks: marks)
    try begin(run, serial: 7)
    Pause.nanoseconds(20_000_000)
    try watched.put("new", "f")
    try run.send(watched.opening("f", auid: "1000", serial: 8))
    #expect(run.await("perhaps login uid 1000 ", in: "out"), "\(run.messages)")
    if run.messages.contains(StreamGaps.kernelLost) { return }
    #expect(run.contents("out").contains("  not exact: \(StreamGaps.silent)"))
    try watched.put("newer", "f")
    try run.send(watched.opening("f", auid: "1001", serial: 9))
    try prove(run, serial: 10)
    guard isCertain(run) else { return }
    #expect(run.contents("out").contains("by      login uid 1001 in session 5"))
    end(run)
  }

  @Test func `is certain of nobody where it cannot ask what the kernel has lost`() throws {
    let run = try start(control: false)
    try begin(run, serial: 7)
    try watched.put("new", "f")
    try run.send(watched.opening("f", auid: "1000", serial: 8))
    try prove(run, serial: 9)
    #expect(run.await("perhaps login uid 1000 ", in: "out"), "\(run.messages)")
    #expect(run.contents("out").contains("  not exact: \(StreamGaps.lossesUnknown)"))
    end(run)
  }

  @Test func `is certain of nobody where the file has a name that is not watched`() throws {
    try watched.put("old", "g")
    try watched.shell("ln g h; ln f ../elsewhere")
    _ = try watched.run("init")
    let run = try start()
    try begin(run, serial: 7)
    try watched.put("new", "f")
    try run.send(watched.opening("f", auid: "1000", serial: 8))
    try watched.put("new", "g")
    try run.send(watched.opening("g", auid: "1001", serial: 9))
    try prove(run, serial: 10)
    #expect(run.await("perhaps login uid 1000 ", in: "out"), "\(run.messages)")
    #expect(run.contents("out").contains("  not exact: it has names that are not watched"))
    guard isCertain(run) else { return }
    #expect(run.contents("out").contains("by      login uid 1001 in session 5"))
    end(run)
  }

  /// As a central host passes it on: the file there has the same number.
  @Test func `takes no record of another host for its own`() throws {
    let run = try start()
    try begin(run, serial: 7)
    try watched.put("new", "f")
    try run.send(
      watched.opening("f", auid: "1001", serial: 700).map { "node=somewhere.else \($0)" })
    try run.send(watched.opening("f", auid: "1000", serial: 8))
    try prove(run, serial: 9)
    guard isCertain(run) else { return }
    #expect(!run.contents("out").contains("uid 1001"), "\(run.contents("out"))")
    end(run)
    #expect(run.messages.contains(" events_of_others=1"), "\(run.messages)")
  }

  @Test func `says so where no record is its own`() throws {
    let run = try start()
    for serial in 1...100 {
      try run.send(watched.nothing(serial: serial).map { "node=somewhere.else \($0)" })
    }
    #expect(run.await("blind    node: every record has the name of another host", in: "out"))
    try run.send(watched.nothing(serial: 1))
    #expect(run.await("sees     node: ", in: "out"), "\(run.messages)")
    end(run)
  }

  /// The record that names one alone is not left to stand, whatever came of the path meanwhile.
  @Test(
    .enabled(if: Capabilities.permitted.contains(.auditWrite), "needs CAP_AUDIT_WRITE"))
  func `amends the record of a change although the path has changed again`() throws {
    let run = try start("--audit-records=yes", marks: true)
    try begin(run, serial: 7)
    Pause.nanoseconds(20_000_000)
    try watched.put("new", "f")
    let late = try watched.opening("f", auid: "1001", serial: 12)
    try run.send(watched.opening("f", auid: "1000", serial: 8))
    try prove(run, serial: 9)
    guard isCertain(run) else { return }
    // Two can have made the next change; of a path that changes again there is no record.
    try watched.put("newer", "f")
    try run.send(watched.opening("f", auid: "1002", serial: 10))
    try run.send(watched.opening("f", auid: "1003", serial: 11))
    #expect(run.await("perhaps login uid 1003 ", in: "out"), "\(run.messages)")
    try run.send(late)
    #expect(run.await("  amended it was told before", in: "out"), "\(run.messages)")
    end(run)
    #expect(run.messages.contains(" records_written=2 records_held=1 "), "\(run.messages)")
  }
}

extension Watched {
  /// A call that has opened a file for writing, as old as the file's last change.
  fileprivate func opening(_ name: String, auid: String, serial: Int) throws -> [String] {
    let status = try Files.status(of: "\(tree)/\(name)")
    let hexadecimal = { (number: UInt64) in (number < 16 ? "0" : "") + String(number, radix: 16) }
    let (major, minor) = (status.device >> 8 & 0xfff, status.device & 0xff)
    let moment = status.modified / 1_000_000
    return Recorded.call(
      2, "a0=0 a1=201", auid: auid, second: Int(moment / 1000) - 1_000_000_000, serial: serial,
      paths: [Recorded.path("\"\(tree)/\(name)\"", inode: Int(status.inode), "NORMAL")]
    ).replacing("dev=08:01", with: "dev=\(hexadecimal(major)):\(hexadecimal(minor))")
      .replacing(".000:", with: ".\(Self.thousandths(moment)):")
      .split(separator: "\n").map(String.init)
  }

  /// A record that is about no file, made now.
  fileprivate func nothing(serial: Int) -> [String] {
    let now = WallClock.milliseconds
    return [
      "type=USER_END msg=audit(\(now / 1000).\(Self.thousandths(now)):\(serial)): pid=1 uid=0 "
        + "auid=0 ses=1 msg='x'"
    ]
  }

  private static func thousandths(_ moment: Int64) -> String {
    String(String(moment % 1000 + 1000).dropFirst())
  }
}
