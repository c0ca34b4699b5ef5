import Glibc
import Linux
import TestSupport
import Testing

@testable import Journal

/// A spool of two files, with a plugin that is behind and one that is gone.
private final class SpoolFixture {
  let folder: String
  var spool: String { folder + "/spool" }
  static let first = "0000000000000000-00000001-00000007.spool"
  static let second = "0000000000000007-00000002-00000007.spool"

  init(records: UInt64 = 10) throws {
    folder = try TestFolder.make()
    var log = try SpoolLog(FolderDisk(folder + "/spool", reserve: 0), salt: 7, fileSize: 900)
    for number in 0..<records {
      var batch = SpoolBatch()
      batch.first = LogRecordNumber(number)
      batch.nextSequence = LogRecordNumber(number + 1)
      batch.nextEvent = LogEventNumber(number + 1)
      let text = Array(
        "type=SYSCALL msg=audit(1700000000.001:\(number)): n=\u{1b}[\(number)\n".utf8)
      unsafe text.withUnsafeBytes {
        unsafe SpoolRecord.append(
          to: &batch.bytes, salt: 7, kind: .data, flags: 1, sequence: batch.first,
          event: LogEventNumber(number), type: 1300, text: $0)
      }
      if number == 0 { note(&batch, .cursor, SpoolNote(0, 1, 1_700_000_000, "q\u{1b}")) }
      if number == 3 { note(&batch, .hole, SpoolNote(4, .max, 0, "q\u{1b}")) }
      if number == 4 { note(&batch, .cursor, SpoolNote(3, 4, 1_700_000_060, "p")) }
      if number == 5 { note(&batch, .hole, SpoolNote(5, 6, 0, "p")) }
      try log.append(batch)
    }
    try log.sync()
  }

  private func note(_ batch: inout SpoolBatch, _ kind: SpoolRecord.Kind, _ note: SpoolNote) {
    note.append(
      to: &batch.bytes, salt: 7, kind: kind, sequence: batch.nextSequence, event: batch.nextEvent)
    batch.notes.append((kind, note))
  }

  func bytes(_ name: String) throws -> [UInt8] {
    try Transfer.contents(of: "\(spool)/\(name)", limit: 1 << 20)
  }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    let file = try Descriptor.open("\(spool)/\(name)", O_WRONLY | O_CREAT | O_TRUNC)
    try Transfer.writeAll(file.number, bytes)
  }

  func run(_ arguments: String...) throws -> ControlRun {
    var run = try FakeDaemon.run(["spool"] + arguments + ["--spool-dir", spool], answer: nil)
    run.output = run.output.replacing(folder, with: "DIR")
    run.errors = run.errors.replacing(folder, with: "DIR")
    return run
  }

  deinit {
    for name in (try? Files.names(in: spool)) ?? [] { unsafe unlink("\(spool)/\(name)") }
    unsafe rmdir(spool)
    unsafe rmdir(folder)
  }
}

@Suite("audispatchctl spool")
struct SpoolCommandTests {
  private func line(_ number: Int) -> String {
    "type=SYSCALL msg=audit(1700000000.001:\(number)): n=\u{1b}[\(number)\n"
  }

  @Test func `lists files, and where the plugins stand`() throws {
    let fixture = try SpoolFixture()
    #expect(try fixture.run("list").output == ControlToolTests.golden("spool-list.txt"))
    #expect(try fixture.run().output == ControlToolTests.golden("spool-list.txt"))
    #expect(try fixture.run("list", "--json").output == ControlToolTests.golden("spool-list.json"))
  }

  @Test func `has the daemon give up what is kept for a plugin`() throws {
    let run = try FakeDaemon.run(
      ["spool", "discard", "elastic"], answer: Array("ok\n800 records for elastic\n".utf8))
    #expect(run.request == "discard elastic\n" || run.request == "discard elastic")
    #expect(run.output == "800 records for elastic\n" && run.status == 0)
    let refused = try FakeDaemon.run(
      ["spool", "discard", "log"], answer: Array("error the plugin 'log' is active\n".utf8))
    #expect(refused.errors.contains("the plugin 'log' is active") && refused.status != 0)
    #expect(try FakeDaemon.run(["spool", "discard", "x"], answer: nil).status != 0)
  }

  @Test func `says that a daemon uses it`() throws {
    let fixture = try SpoolFixture()
    let lock = try Descriptor.open(fixture.spool + "/lock", O_RDWR | O_CREAT)
    let isLocked = lock.tryLock()
    #expect(isLocked)
    #expect(try fixture.run("list").output.contains("1.3 KiB, in use\n"))
    _ = consume lock
  }

  @Test func `shows what stands in the files`() throws {
    let fixture = try SpoolFixture()
    #expect(try fixture.run("inspect").output == ControlToolTests.golden("spool-inspect.txt"))
    let one = try fixture.run("inspect", SpoolFixture.second, "--from", "8", "--to", "8").output
    #expect(
      one.split(separator: "\n").map { $0.prefix { $0 != "," } } == [
        SpoolFixture.second[...], "392: 8: record of event 8",
      ])
  }

  @Test func `finds a sound spool sound`() throws {
    let run = try SpoolFixture().run("verify")
    #expect(run == ControlRun(output: "10 records in 2 files: sound\n", status: 0))
  }

  @Test func `names what is damaged, whatever byte it is`() throws {
    let fixture = try SpoolFixture()
    let whole = try fixture.bytes(SpoolFixture.first)
    for place in stride(from: 0, to: whole.count, by: 41) {
      var bytes = whole
      bytes[place] ^= 0x10
      try fixture.write(SpoolFixture.first, bytes)
      let run = try fixture.run("verify")
      // Padding is nobody's.
      let isPadding = whole[place] == 0 && run.output == "10 records in 2 files: sound\n"
      #expect(
        isPadding || run.status == 1 && run.output.hasPrefix("\(SpoolFixture.first): "),
        "byte \(place): \(run.output)")
    }
  }

  @Test func `takes what a crash cut off for no damage`() throws {
    let fixture = try SpoolFixture()
    try fixture.write(SpoolFixture.second, try fixture.bytes(SpoolFixture.second).dropLast(9))
    let run = try fixture.run("verify")
    #expect(
      run.output == """
        \(SpoolFixture.second): 472: 71 bytes of a record that was never whole
        9 records in 2 files: sound

        """)
    #expect(run.status == 0)
  }

  @Test(arguments: [("p", [3, 4, 6, 7, 8, 9]), ("q\u{1b}", [0, 1, 2, 3])])
  func `prints a plugin's backlog`(plugin: String, numbers: [Int]) throws {
    let run = try SpoolFixture().run("export", plugin)
    #expect(run == ControlRun(output: numbers.map(line).joined(), status: 0))
  }

  @Test func `prints all that is not damaged, and says that it is not all`() throws {
    let fixture = try SpoolFixture()
    #expect(try fixture.run("export").output == (0..<10).map(line).joined())
    var bytes = try fixture.bytes(SpoolFixture.second)
    bytes[400] ^= 1
    try fixture.write(SpoolFixture.second, bytes)
    let run = try fixture.run("export", "p")
    #expect(run.output == [3, 4, 6, 7, 9].map(line).joined())
    #expect(run.status == 1)
    #expect(run.errors.contains("1 damaged places: what was there is not among the records"))
  }

  @Test func `says what it knows when asked for what it does not know`() throws {
    let fixture = try SpoolFixture()
    let plugin = try fixture.run("export", "x\u{1b}")
    #expect(
      plugin.errors == """
        audispatchctl: the spool knows no plugin x\\x1b
        audispatchctl: It knows p, q\\x1b.

        """)
    #expect(plugin.status == 1)
    let file = try fixture.run("inspect", "x")
    #expect(file.errors.hasPrefix("audispatchctl: the spool has no file x\n"))
    #expect(file.status == 1)
  }

  @Test(arguments: ["list", "inspect", "verify", "export"])
  func `says that there is no spool`(command: String) throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    let run = try FakeDaemon.run(
      ["spool", command, "--spool-dir", folder + "/none"], answer: nil)
    #expect(run.errors.hasPrefix("audispatchctl: cannot read the spool \(folder)/none: No such"))
    #expect(run.status == 1)
    let empty = try FakeDaemon.run(["spool", command, "--spool-dir", folder], answer: nil)
    #expect(empty.status == 0)
  }

  @Test func `reads files of nonsense without harm`() throws {
    var random = Seeded(of: "reads files of nonsense")
    let fixture = try SpoolFixture()
    try fixture.write("x", [1])
    unsafe mkfifo(fixture.spool + "/pipe.spool", 0o600)
    for length in [0, 1, 31, 32, 33, 5000, 60_000] {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0xa0...0xa4, using: &random) }
      try fixture.write(SpoolFixture.second, bytes)
      for command in ["list", "inspect", "verify", "export"] {
        let run = try fixture.run(command)
        #expect(run.status == 0 || run.status == 1, "\(command) of \(length) bytes: \(run.errors)")
        #expect(!run.errors.contains("rror: "), "\(run.errors)")
      }
    }
  }
}
