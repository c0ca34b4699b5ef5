import Glibc
import Linux
import TestSupport
import Testing

@testable import AudispatchPlugin
@testable import audispatch_print

@Suite("audispatch-print", .onThreads)
struct PrintPluginTests {
  static let first = Array("type=USER msg=audit(1.000:1): uid=0 msg='text=one res=success'\n".utf8)
  static let second = Array("type=USER msg=audit(2.000:2): uid=0 msg='text=two res=success'\n".utf8)
  static let firstLine = "1970-01-01T00:00:01.000Z #1 root sent the message one\n"
  static let secondLine = "1970-01-01T00:00:02.000Z #2 root sent the message two\n"

  /// Binary records, version 1, as auditd writes them: compact, or padded with stale memory.
  static func binary(_ lines: [[UInt8]], fixed: Bool) -> [UInt8] {
    var bytes: [UInt8] = []
    for line in lines {
      for word in [1, 16, 1300, UInt32(line.count)] {
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) }
      }
      bytes += line
      if fixed { bytes += (line.count..<8970).map { UInt8(truncatingIfNeeded: $0 &* 31) } }
    }
    return bytes
  }

  static let forms: [(String, [UInt8])] = [
    ("text", Corpus.bytes), ("compact", binary(Corpus.lines, fixed: false)),
    ("fixed", binary(Corpus.lines, fixed: true)),
  ]

  @Test(arguments: forms.indices)
  func `prints every event, whatever form the records have`(_ form: Int) throws {
    let run = try PrintRun(["--utc"])
    try run.write(Self.forms[form].1)
    run.close()
    #expect(run.end() == .exit(0))
    #expect(
      run.contents("err")
        == "audispatch-print: records=2390 events=567 bytes=\(Self.forms[form].1.count) "
        + "handled=2390 open=0 malformed=0 stray_ends=0 missed=0\n")
    var summary = EventSummary(zone: .utc)
    let expected = assemble(Corpus.lines).map { summary.line(for: $0) + "\n" }.joined()
    #expect(run.contents("out") == expected)
  }

  @Test func `prints every record as it is`() throws {
    let run = try PrintRun(["--raw"])
    try run.write(Corpus.bytes)
    run.close()
    #expect(run.end() == .exit(0))
    #expect(Array(run.contents("out").utf8) == Corpus.bytes)
  }

  @Test func `prints an event while its input stays open`() throws {
    let run = try PrintRun(["--utc"])
    try run.write(Self.first)
    #expect(run.await(Self.firstLine, in: "out"))
  }

  @Test func `opens its file again on SIGHUP, though auditd left it ignored`() throws {
    let run = try PrintRun(["--utc", "DIR/lines"], inherited: "HUP TERM")
    try run.write(Self.first)
    #expect(run.await(Self.firstLine, in: "lines"))
    unsafe rename("\(run.folder)/lines", "\(run.folder)/lines.1")
    run.signal(SIGHUP)
    // The new file is the sign that the signal was taken.
    for _ in 0..<1000 where unsafe access("\(run.folder)/lines", F_OK) != 0 {
      Pause.nanoseconds(10_000_000)
    }
    try run.write(Self.second)
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.contents("lines.1") == Self.firstLine)
    #expect(run.contents("lines") == Self.secondLine)
  }

  @Test func `keeps its file when it cannot open it again`() throws {
    let run = try PrintRun(["--utc", "DIR/lines"])
    try run.write(Self.first)
    #expect(run.await(Self.firstLine, in: "lines"))
    unsafe rename("\(run.folder)/lines", "\(run.folder)/lines.1")
    unsafe symlink("/nowhere/lines", "\(run.folder)/lines")
    run.signal(SIGHUP)
    #expect(run.await("still writing to the file as it was", in: "err"))
    try run.write(Self.second)
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.contents("lines.1") == Self.firstLine + Self.secondLine)
  }

  @Test(arguments: ["", "HUP TERM"])
  func `prints what waits on SIGTERM, and ends`(_ inherited: String) throws {
    let run = try PrintRun(["--utc"], inherited: inherited)
    try run.write(Self.first)
    #expect(run.await(Self.firstLine, in: "out"))
    // A SYSCALL that waits for its EOE is printed too.
    let call =
      "type=SYSCALL msg=audit(3.000:3): arch=c000003e syscall=1 success=yes exit=1 uid=0\n"
    try run.write(Array(call.utf8))
    run.signal(SIGTERM)
    #expect(run.end() == .exit(0))
    #expect(run.contents("out").contains("#3 root wrote\n"))
  }

  @Test func `skips what is no record, and says so`() throws {
    let run = try PrintRun(["--utc"])
    try run.write(Array("junk \u{1b}[2J\n".utf8) + Self.first + Array("more\n".utf8) + Self.second)
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.contents("out") == Self.firstLine + Self.secondLine)
    let errors = run.contents("err")
    #expect(errors.contains("for example \"") && !errors.contains("\u{1b}"))
    #expect(errors.contains("skipped in all: 2 malformed inputs (not a record: 2)"))
  }

  @Test func `ends with status 1 when its file cannot be written`() throws {
    let run = try PrintRun(["/nowhere/lines"])
    #expect(run.end() == .exit(1))
    #expect(
      run.contents("err")
        == "audispatch-print: cannot open /nowhere/lines: No such file or directory\n")
  }

  @Test func `ends with status 2 for an option it does not know`() throws {
    let run = try PrintRun(["--rwa"])
    #expect(run.end() == .exit(2))
    #expect(
      run.contents("err")
        == "audispatch-print: argument 1: error: unknown option ('--rwa'); did you mean '--raw'?\n")
  }

  static let arguments: [([String], String?, Bool)] = [
    ([], nil, false), (["--raw"], nil, true), (["f"], "f", false), (["--raw", "f"], "f", true),
    (["--output", "f"], "f", false), (["--output=f", "--raw"], "f", true),
    (["-o", "f"], "f", false),
    (["-"], "-", false),
  ]

  /// What arguments alone make of the options; `nil` when they are refused.
  static func options(_ arguments: [String]) -> PrintOptions? {
    guard let line = try? CommandLineSettings(arguments, PrintOptions.keywords) else { return nil }
    let source = OptionSource<PrintOptions>(line, usually: "/nowhere/print.conf", user: 0)
    let (options, diagnostics) = source.load()
    return diagnostics.isEmpty ? options : nil
  }

  @Test(arguments: [
    ("DIR", "DIR is a directory, not a file"), ("/", "/ is a directory, not a file"),
    ("DIR/input", "DIR/input is a socket, not a file"), ("DIR/new/", "can only be a folder"),
    ("DIR/err/lines", "DIR/err is a file, not a folder"), ("/dev/null", "0 errors"),
    ("DIR/new", "0 errors"), ("DIR/err", "0 errors"),
  ])
  func `checks whether it can write there at all`(_ output: String, _ expected: String) throws {
    let folder = try PrintRun([]).folder
    let socket = try UnixSocket.listen("\(folder)-input", mode: 0o600)
    defer { unsafe unlink("\(folder)-input") }
    let output = output.replacing("DIR/input", with: "\(folder)-input")
    let run = try PrintRun(["--check", "-o", output])
    #expect(run.end() == .exit(expected == "0 errors" ? 0 : 2))
    let said = run.contents("out").replacing("\(folder)-input", with: "DIR/input")
      .replacing(run.folder, with: "DIR")
    #expect(said.contains(expected), "\(said)")
    #expect(expected == "0 errors" || said.hasPrefix("argument 2: error: "))
    _ = socket.number
  }

  @Test(arguments: arguments)
  func `takes its arguments`(_ arguments: [String], _ file: String?, _ raw: Bool) {
    #expect(Self.options(arguments)?.output == file)
    #expect(Self.options(arguments)?.raw == raw)
  }

  @Test(arguments: [["--output"], ["a", "b"], ["-x"], ["--output", "a", "b", "c"], [""]])
  func `refuses arguments`(_ arguments: [String]) {
    #expect(Self.options(arguments) == nil)
  }
}
