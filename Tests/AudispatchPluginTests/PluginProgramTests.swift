import Configuration
import Glibc
import Linux
import TestSupport
import Testing

@testable import AudispatchPlugin
@testable import audispatch_print

/// Some of everything that a keyword can be.
private struct Options: PluginOptions, Equatable {
  var raw = false
  var size = 4096
  var servers: [String] = []
  var words: [String] = []
  var operands: [String] = []

  static let keywords: [PluginKeyword<Options>] = [
    .flag("raw", "pass on what came") { $0.raw = $1 },
    .value("max_size", "SIZE", "the longest message", letter: "s") {
      (options: inout Options, word: Word) throws(Diagnostic) in
      options.size = try word.byteCount(in: 480...65536, for: "max_size")
    },
    .value("server", "HOST", "where to", repeats: true) { $0.servers.append($1.text) },
    PluginKeyword("words", "WORD", "many") { (options: inout Options, setting: Setting) in
      options.words = setting.values.map(\.text)
    },
  ]

  mutating func take(_ operands: [Word]) throws(Diagnostic) {
    if let odd = operands.first(where: { $0.text.hasPrefix("odd") }) { throw odd.error("odd") }
    self.operands = operands.map(\.text)
  }

  mutating func settle() -> [Diagnostic] {
    if words == ["none"] {
      return [
        Diagnostic(
          .error, file: "server", "no server is named", suggestion: "set server = HOST")
      ]
    }
    return raw && !servers.isEmpty
      ? [Diagnostic(.error, file: "x", "raw records go to no server")] : []
  }
}

@Suite("A plugin's options")
struct PluginOptionsTests {
  /// What a file and a command line make of them: the options, or the first problem.
  private static func load(_ text: String?, _ arguments: [String]) -> (Options?, String) {
    let line: CommandLineSettings
    do throws(Diagnostic) {
      line = try CommandLineSettings(arguments, Options.keywords)
    } catch { return (nil, error.description) }
    var source = OptionSource<Options>(line, usually: "/etc/audispatch/x.conf", user: 0)
    source.files = FileAccess(
      status: { path in
        path == "/etc/audispatch/x.conf" && text == nil
          ? .failure(.noSuchFile) : .success(FileStatus(kind: .directory, owner: 0, mode: 0o755))
      },
      linkStatus: { _ in .success(FileStatus(kind: .directory, owner: 0, mode: 0o755)) },
      names: { _ in .success([]) }, resolved: { .success($0) },
      contents: { _, _ in
        guard let text else { return .failure(.noSuchFile) }
        return .success(FileStatus(kind: .regular, owner: 0, mode: 0o640), Array(text.utf8))
      })
    let (options, diagnostics) = source.load()
    let isUsable = !diagnostics.contains { $0.severity == .error }
    return (isUsable ? options : nil, diagnostics.map(\.description).joined(separator: "\n"))
  }

  static let right: [(String?, [String], String)] = [
    (nil, [], "raw=false size=4096 servers= words= operands="),
    ("raw = yes\nMAX_SIZE = 64K\n", [], "raw=true size=65536 servers= words= operands="),
    ("max_size = 64K", ["--max-size", "1000"], "raw=false size=1000 servers= words= operands="),
    ("raw = yes", ["--raw=no"], "raw=false size=4096 servers= words= operands="),
    (nil, ["--raw", "-s", "500"], "raw=true size=500 servers= words= operands="),
    (
      nil, ["--max_size=500", "a", "-", "--", "--raw"],
      "raw=false size=500 servers= words= operands=a - --raw"
    ),
    (
      "server = a\nserver = b\nwords = x y", [],
      "raw=false size=4096 servers=a b words=x y operands="
    ),
    // What an argument says stands over all lines of that keyword.
    (
      "server = a\nserver = b", ["--server=c", "--server", "d"],
      "raw=false size=4096 servers=c d words= operands="
    ),
  ]

  @Test(arguments: right.indices)
  func `are keywords and arguments`(_ index: Int) throws {
    let (text, arguments, expected) = Self.right[index]
    let (options, problems) = Self.load(text, arguments)
    #expect(problems == "")
    let o = try #require(options)
    let found =
      "raw=\(o.raw) size=\(o.size) servers=\(o.servers.joined(separator: " ")) "
      + "words=\(o.words.joined(separator: " ")) operands=\(o.operands.joined(separator: " "))"
    #expect(found == expected)
  }

  static let wrong: [(String?, [String], String)] = [
    (nil, ["--rwa"], "argument 1: error: unknown option ('--rwa'); did you mean '--raw'?"),
    (nil, ["--max-size"], "argument 1: error: --max-size needs a value ('--max-size')"),
    (nil, ["a", "odd1"], "argument 2: error: odd ('odd1')"),
    (nil, ["--config=/etc/x"], "/etc/x: error: cannot be read: No such file or directory"),
    (
      nil, ["-s", "1"],
      "argument 1: error: max_size is a number of bytes from 480 to 64K ('1'); write it as 4096, 64K, 16M or 1G"
    ),
    (
      "max_sizes = 1", [],
      "/etc/audispatch/x.conf:1:1: error: unknown keyword ('max_sizes'); did you mean 'max_size'?"
    ),
    // Also what an argument stands over is looked at.
    ("raw = perhaps", ["--raw"], "/etc/audispatch/x.conf:1:7: error: raw is yes or no ('perhaps')"),
    ("raw = yes\nserver = a", [], "x: error: raw records go to no server"),
    // What stands nowhere is told of the file, and of where that can be had.
    (
      "words = none", [],
      "/etc/audispatch/x.conf: error: server: no server is named; set server = HOST"
    ),
    (
      nil, ["--words", "none"],
      "/etc/audispatch/x.conf: error: server: no server is named; set server = HOST; "
        + "/etc/audispatch/x.conf is not there; "
        + "cp /usr/share/doc/audispatch/examples/x.conf /etc/audispatch/x.conf begins one"
    ),
  ]

  @Test(arguments: wrong.indices)
  func `say what is wrong with them`(_ index: Int) {
    let (text, arguments, expected) = Self.wrong[index]
    let (options, problems) = Self.load(text, arguments)
    #expect(options == nil)
    #expect(problems == expected)
  }

  @Test func `are the defaults where the file is /dev/null`() {
    let (options, problems) = Self.load("raw = yes", ["--config", "/dev/null"])
    #expect(options == Options() && problems == "")
  }

  @Test func `warn of a keyword that is given twice`() {
    let (options, problems) = Self.load("raw = yes\nraw = no", [])
    #expect(options?.raw == false)
    #expect(
      problems == "/etc/audispatch/x.conf:2:1: warning: given before, on line 1; this one counts "
        + "('raw')")
  }

  @Test(arguments: [["--version"], ["-V"], ["--raw", "--version"]])
  func `say which version they are of`(_ arguments: [String]) throws {
    let line = try CommandLineSettings(arguments, Options.keywords)
    #expect(line.action == .version)
  }

  @Test func `are listed by --help`() {
    let program = PluginProgram(
      "audispatch-x", "Does x.", operands: "[PATH]", options: Options.self)
    #expect(
      program.help == """
        Usage: audispatch-x [OPTION]... [PATH]
        Does x.

          --raw                pass on what came
          -s, --max-size SIZE  the longest message
          --server HOST        where to
          --words WORD         many
          --config FILE        read FILE, not /etc/audispatch/x.conf
          --check              report every problem of the configuration; exit 0 or 2
          -h, --help           print this
          -V, --version        print the version

        Every option is a keyword of /etc/audispatch/x.conf too: 'max_size = SIZE' for --max-size SIZE.

        """)
  }
}

@Suite(
  "A plugin as a program", .onThreads, .enabled(if: geteuid() == 0, "a file of root's is needed"))
struct PluginProgramTests {
  @Test(arguments: [("utc = yes\n", "0 errors, 0 warnings\n", 0), ("utc = si\n", "1 error", 2)])
  func `checks its configuration`(_ text: String, _ expected: String, _ status: Int32) throws {
    let run = try PrintRun(["--config=DIR/lines", "--check"], files: ["lines": text])
    #expect(run.end() == .exit(status))
    #expect(run.contents("out").contains(expected))
    #expect(run.contents("err") == "")
  }

  @Test func `keeps its configuration when the new one is wrong`() throws {
    let run = try PrintRun(["--config=DIR/lines"], files: ["lines": "utc = yes\n"])
    try run.write(PrintPluginTests.first)
    #expect(run.await(PrintPluginTests.firstLine, in: "out"))
    try run.put("utc = si\n", in: "lines")
    run.signal(SIGHUP)
    #expect(run.await("the configuration stays as it was", in: "err"))
    #expect(run.contents("err").contains("/lines:1:7: error: utc is yes or no ('si')"))
    try run.write(PrintPluginTests.second)
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.contents("out") == PrintPluginTests.firstLine + PrintPluginTests.secondLine)
  }

  @Test func `keeps its configuration while somebody writes the new one`() throws {
    let run = try PrintRun(["--config=DIR/lines"], files: ["lines": "utc = yes\n"])
    try run.write(PrintPluginTests.first)
    #expect(run.await(PrintPluginTests.firstLine, in: "out"))
    try run.put("", in: "lines")
    run.signal(SIGHUP)
    #expect(run.await("the configuration stays as it was", in: "err"))
    #expect(run.contents("err").contains("/lines: error: the file is empty, and was not before"))
    try run.put("# nothing\n", in: "lines")
    run.signal(SIGHUP)
    run.signal(SIGUSR1)
    #expect(run.await(" handled=", in: "err"))
    // Which is none that it would miss.
    try run.put("", in: "lines")
    run.signal(SIGHUP)
    try run.write(PrintPluginTests.second)
    run.close()
    #expect(run.end() == .exit(0))
    let refusals = run.contents("err").split(separator: "\n").count {
      $0.contains("stays as it was")
    }
    #expect(refusals == 1)
  }

  @Test func `says its counters when SIGUSR1 asks`() throws {
    let run = try PrintRun(["--utc"])
    try run.write(PrintPluginTests.first)
    #expect(run.await(PrintPluginTests.firstLine, in: "out"))
    run.signal(SIGUSR1)
    #expect(run.await("records=1 events=1 ", in: "err"))
  }

  @Test(arguments: ["x", "0", "-1"])
  func `runs without confirming when the first number is none`(_ number: String) throws {
    let run = try PrintRun(["--utc"], environment: ["AUDISPATCH_FIRST=\(number)"])
    try run.write(PrintPluginTests.first)
    #expect(run.await(PrintPluginTests.firstLine, in: "out"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.contents("err").contains("nothing is confirmed"))
  }
}
