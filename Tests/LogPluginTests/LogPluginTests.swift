import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@Suite("audispatch-log", .onThreads)
struct LogPluginTests {
  /// Real records: recorded behind auditd 3.0.9 on Linux 6.18.
  static let corpus: [UInt8] = {
    let tests = #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" }
    let path = "\(tests)/EnrichmentTests/Corpus/auditd-3.0.9-enriched.log"
    return (try? Transfer.contents(of: path, limit: 8 << 20)) ?? []
  }()
  /// As auditd logs it.
  static let logged = String(decoding: corpus, as: UTF8.self).split(separator: "\n")
    .filter { !$0.contains("type=EOE ") }.map(String.init)

  static let modes = ["none", "incremental", "incremental_async", "data", "sync"]

  static func record(_ serial: Int, fill: Int = 0) -> String {
    "type=USER msg=audit(1700000000.000:\(serial)): x=\(String(repeating: "y", count: fill))"
  }

  static func run(
    _ arguments: String..., prefix: [String] = [], first: Int? = nil, folder: String? = nil
  ) throws -> PluginRun {
    try PluginRun(
      "audispatch-log", ["--log-file", "DIR/log/audit.log"] + arguments, prefix: prefix,
      first: first, folder: folder)
  }

  /// All files of a log, the oldest first.
  static func all(_ run: PluginRun) -> [String] {
    var lines = run.lines("log/audit.log")
    var number = 1
    while case let more = run.lines("log/audit.log.\(number)"), !more.isEmpty {
      lines = more + lines
      number += 1
    }
    return lines
  }

  @Test func `has records to be tested with`() {
    #expect(Self.corpus.count > 400_000)
    #expect(
      Self.logged.count < String(decoding: Self.corpus, as: UTF8.self).split(separator: "\n").count)
  }

  @Test(arguments: modes)
  func `writes every record but EOE, as it is`(_ mode: String) throws {
    let run = try Self.run("--flush", mode)
    try run.write(Self.corpus)
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
    #expect(run.lines("log/audit.log") == Self.logged)
  }

  @Test(arguments: modes)
  func `confirms all that it has written, and EOE with it`(_ mode: String) throws {
    let run = try Self.run("--flush", mode, first: 1)
    try run.send([Self.record(1), "type=EOE msg=audit(1700000000.000:1):", Self.record(2)])
    #expect(run.eventually { run.confirmed == 3 })
    try run.send(["type=EOE msg=audit(1700000000.000:2):"])
    #expect(run.eventually { run.confirmed == 4 }, "nothing is written for an EOE alone")
    run.endInput()
    #expect(run.end() == .exit(0))
  }

  @Test func `writes a record while its input stays open`() throws {
    let run = try Self.run()
    try run.send([Self.record(1)])
    #expect(run.await(":1): x=", in: "log/audit.log"))
  }

  @Test(arguments: [("root", 0o600, 0o700, 0o400), ("adm", 0o640, 0o750, 0o440)])
  func `gives files and folder the modes that auditd gives them`(
    _ group: String, _ file: Int, _ folder: Int, _ rotated: Int
  ) throws {
    let run = try Self.run("--log-group", group, "--max-log-file", "4K")
    try run.send((1...100).map { Self.record($0) })
    run.close()
    #expect(run.end() == .exit(0))
    let modes = try ["log/audit.log", "log", "log/audit.log.1"].map {
      try Int(Files.status(of: "\(run.folder)/\($0)").mode)
    }
    #expect(modes == [file, folder, rotated])
  }

  @Test(arguments: [("", ""), ("type=USER msg=aud", "type=USER msg=aud\n")])
  func `begins a line of its own behind what a crash has left`(
    _ before: String, _ expected: String
  ) throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    unsafe mkdir("\(folder)/log", 0o700)
    let file = try Descriptor.open("\(folder)/log/audit.log", O_WRONLY | O_CREAT)
    try Transfer.writeAll(file.number, Array(before.utf8))
    let run = try Self.run(folder: folder)
    try run.send([Self.record(1)])
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.contents("log/audit.log") == expected + Self.record(1) + "\n")
  }

  @Test(arguments: modes)
  func `moves the log away with the record that reaches its size`(_ mode: String) throws {
    let run = try Self.run(
      "--flush", mode, "--max-log-file", "64K", "--max-log-file-action", "keep_logs")
    try run.write(Self.corpus)
    run.close()
    #expect(run.end() == .exit(0))
    #expect(Self.all(run) == Self.logged)
    for number in 1...6 {
      let text = run.contents("log/audit.log.\(number)")
      #expect(text.utf8.count >= 64 << 10)
      let last = text.split(separator: "\n").last?.utf8.count ?? 0
      #expect(text.utf8.count - last - 1 < 64 << 10)
      #expect(text.hasSuffix("\n"))
    }
  }

  @Test func `keeps as many files as it shall`() throws {
    let run = try Self.run("--max-log-file", "64K", "--num-logs", "3")
    try run.write(Self.corpus)
    run.close()
    #expect(run.end() == .exit(0))
    #expect(
      try Files.names(in: "\(run.folder)/log").sorted()
        == ["audit.log", "audit.log.1", "audit.log.2"])
    let all = Self.all(run)
    #expect(all == Array(Self.logged.suffix(all.count)))
  }

  @Test func `rotates a log that is too old`() throws {
    let run = try Self.run("--max-log-age", "1")
    try run.send([Self.record(1)])
    #expect(run.eventually { run.lines("log/audit.log.1") == [Self.record(1)] })
    #expect(run.contents("log/audit.log") == "")
  }

  @Test func `knows how old a log is that it finds`() throws {
    let first = try Self.run("--max-log-age", "2")
    try first.send([Self.record(1)])
    first.close()
    #expect(first.end() == .exit(0))
    Pause.nanoseconds(2_100_000_000)
    let second = try Self.run("--max-log-age", "2", folder: first.folder)
    try second.send([Self.record(2)])
    second.close()
    #expect(second.end() == .exit(0))
    #expect(second.lines("log/audit.log.1") == [Self.record(1)])
    #expect(second.lines("log/audit.log") == [Self.record(2)])
  }

  @Test func `does not take a log for old because its records are`() throws {
    let run = try Self.run("--max-log-age", "1d", first: 1)
    for serial in 1...20 {
      try run.send([Self.record(serial)])
      #expect(run.await(":\(serial)): ", in: "log/audit.log"))
    }
    run.endInput()
    #expect(run.end() == .exit(0))
    let again = try Self.run("--max-log-age", "1d", folder: run.folder)
    try again.send([Self.record(21)])
    again.close()
    #expect(again.end() == .exit(0))
    #expect(try Files.names(in: "\(run.folder)/log") == ["audit.log"])
    #expect(run.lines("log/audit.log") == (1...21).map { Self.record($0) })
  }

  @Test func `compresses what it has rotated, and leaves the youngest`() throws {
    let run = try Self.run(
      "--max-log-file", "64K", "--max-log-file-action", "keep_logs", "--compress", "gzip")
    try run.write(Self.corpus)
    let folder = "\(run.folder)/log"
    #expect(
      run.eventually {
        let names = (try? Files.names(in: folder).sorted()) ?? []
        return names.filter { $0.hasSuffix(".gz") }.count >= 5
          && names.count { !$0.hasSuffix(".gz") } == 2
      }, "\((try? Files.names(in: folder)) ?? [])")
    run.close()
    #expect(run.end() == .exit(0))
    let names = try Files.names(in: folder).filter { $0.hasSuffix(".gz") }
      .sorted { Int($0.split(separator: ".")[2])! > Int($1.split(separator: ".")[2])! }
    let old = try CommandRun(["/usr/bin/zcat"] + names.map { "\(folder)/\($0)" })
    let lines = old.output.split(separator: "\n").map(String.init)
    #expect(
      lines + run.lines("log/audit.log.1") + run.lines("log/audit.log") == Self.logged)
    #expect(try Files.status(of: "\(folder)/\(names[0])").mode == 0o400)
  }

  @Test func `makes the log again when somebody has moved it`() throws {
    let run = try Self.run()
    try run.send([Self.record(1)])
    #expect(run.await(":1): ", in: "log/audit.log"))
    unsafe rename("\(run.folder)/log/audit.log", "\(run.folder)/moved")
    run.signal(SIGHUP)
    #expect(run.eventually { (try? Files.status(of: "\(run.folder)/log/audit.log")) != nil })
    try run.send([Self.record(2)])
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.lines("moved") == [Self.record(1)])
    #expect(run.lines("log/audit.log") == [Self.record(2)])
  }

  @Test func `makes the log's folder again when it has vanished`() throws {
    let run = try Self.run()
    try run.send([Self.record(1)])
    #expect(run.await(":1): ", in: "log/audit.log"))
    unsafe rename("\(run.folder)/log", "\(run.folder)/gone")
    var serial = 1
    #expect(
      run.eventually {
        serial += 1
        return (try? run.send([Self.record(serial)])) != nil
          && run.contents("log/audit.log").contains(":\(serial)): ")
      })
    #expect(run.messages.contains("was moved or removed; it is made again"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(
      run.lines("gone/audit.log") + run.lines("log/audit.log")
        == (1...serial).map { Self.record($0) })
  }

  @Test func `waits for a log that another writes`() throws {
    let first = try Self.run()
    #expect(first.eventually { (try? Files.status(of: "\(first.folder)/log/audit.log")) != nil })
    let second = try Self.run(folder: first.folder)
    try second.send([Self.record(1)])
    #expect(first.await("is being written by another audispatch-log", in: "err"))
    first.close()
    #expect(first.end() == .exit(0))
    #expect(second.await(":1): ", in: "log/audit.log"))
    second.close()
    #expect(second.end() == .exit(0))
  }

  @Test func `waits, and says so, while the log may not grow`() throws {
    let run = try Self.run("--max-log-file", "4K", "--max-log-file-action", "suspend", first: 1)
    try run.send((1...100).map { Self.record($0, fill: 100) })
    #expect(run.await("has reached max_log_file; tried again each second", in: "err"))
    #expect(run.confirmed == 0)
    var parts: [String] = []
    let isOver = run.eventually {
      let part = "part\(parts.count)"
      if run.contents("log/audit.log").utf8.count >= 4096,
        unsafe rename("\(run.folder)/log/audit.log", "\(run.folder)/\(part)") == 0
      {
        parts.append(part)
      }
      return run.confirmed == 100
    }
    #expect(isOver, "\(parts) \(run.messages)")
    let all = parts.flatMap { run.lines($0) } + run.lines("log/audit.log")
    #expect(all == (1...100).map { Self.record($0, fill: 100) })
    #expect(run.messages.contains("again, after"))
  }
}
