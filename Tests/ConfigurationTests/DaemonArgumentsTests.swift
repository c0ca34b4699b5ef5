import Configuration
import Testing

@Suite("The daemon's arguments")
struct DaemonArgumentsTests {
  static let requests: [([String], @Sendable (inout ConfigurationRequest) -> Void)] = [
    ([], { _ in }), (["--foreground"], { _ in }), (["-f"], { _ in }),
    (["--source", "stdin"], { $0.sources = [.standardInput] }),
    (["--source=unix:/run/s"], { $0.sources = [.unixSocket("/run/s")] }),
    (
      ["--source", "file:a", "--source=file:b=c"], { $0.sources = [.file("a"), .file("b=c")] }
    ),
    (["--config", "/x"], { $0.daemonFile = .named("/x") }),
    (["--config=/x"], { $0.daemonFile = .named("/x") }),
    (["-c", "/etc/audisp/"], { $0.daemonFile = .folder("/etc/audisp") }),
    (["--config_dir", "/etc/audisp"], { $0.daemonFile = .folder("/etc/audisp") }),
    (["--config-dir=/etc/audisp"], { $0.daemonFile = .folder("/etc/audisp") }),
    (["--plugin-dir", "p/"], { $0.pluginDirectory = "p" }),
    (["--plugin_dir=p"], { $0.pluginDirectory = "p" }),
    (["--runtime-dir=/run/x"], { $0.runtimeDirectory = "/run/x" }),
    (["--input-framing", "FIXED"], { $0.inputFraming = .fixed }),
  ]

  @Test(arguments: requests.indices)
  func `ask for what they say`(_ index: Int) throws {
    let (arguments, change) = Self.requests[index]
    var expected = ConfigurationRequest()
    change(&expected)
    let read = try DaemonArguments(arguments)
    #expect(read.request == expected)
    #expect(read.action == .run)
  }

  @Test(arguments: [
    (["--check"], ProgramAction.check), (["--help"], .help), (["-h"], .help),
    (["--version"], .version), (["--check", "--version"], .version),
    (["--version", "--help", "--check"], .help),
  ])
  func `may ask for something else than to run`(
    _ arguments: [String], _ action: ProgramAction
  ) throws {
    #expect(try DaemonArguments(arguments).action == action)
  }

  @Test(arguments: [
    (["--sorce", "x"], "unknown option '--sorce'; did you mean '--source'?"),
    (["--plugn-dir=x"], "unknown option '--plugn-dir'; did you mean '--plugin-dir'?"),
    (["-x"], "unknown option '-x'; see --help"),
    (["--", "--check"], "unexpected argument '--check'; see --help"),
    (["x"], "unexpected argument 'x'; see --help"),
    (["--config"], "--config needs a value"), (["--config="], "--config needs a value"),
    (["--check=yes"], "--check takes no value"),
    (
      ["--source", "kernell"],
      "a source is stdin, unix:PATH, kernel, file:PATH, tcp:ADDRESS:PORT or tls:ADDRESS:PORT "
        + "('kernell'); did you mean 'kernel'?"
    ),
    (["--source", "kernel", "--source", "kernel"], "the same source twice ('kernel')"),
    (
      ["--input-framing", "fix"],
      "--input-framing is one of auto, compact, fixed ('fix'); did you mean 'fixed'?"
    ),
  ])
  func `that cannot be followed are refused with a reason`(
    _ arguments: [String], _ reason: String
  ) {
    #expect {
      try DaemonArguments(arguments)
    } throws: { error in
      "\(error)" == reason
    }
  }

  @Test func `are at most two when auditd 3.0.9 starts it with a file of its own`() throws {
    #expect(
      try DaemonArguments(["--config", "/etc/audispatch/audispatchd.conf"]).request.daemonFile
        == .named("/etc/audispatch/audispatchd.conf"))
  }
}
