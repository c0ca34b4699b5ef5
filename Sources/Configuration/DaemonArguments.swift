/// The daemon's command line.
public struct DaemonArguments: Equatable, Sendable {
  public private(set) var action = ProgramAction.run
  public private(set) var request = ConfigurationRequest()

  /// Reads the arguments after the program's name.
  public init(_ arguments: [String]) throws(UsageError) {
    let known =
      Self.options.map { CommandLineWords.Option($0) } + ProgramAction.options + [Self.foreground]
    let words: CommandLineWords
    do throws(CommandLineWords.Fault) {
      words = try CommandLineWords(arguments, known)
    } catch { throw UsageError(error) }
    for setting in words.settings where !action.take(setting) {
      guard let option = Self.options.first(where: { $0.name == setting.keyword.text }) else {
        continue
      }
      do throws(Diagnostic) {
        try option.apply(&request, setting)
      } catch { throw UsageError(error) }
    }
    if let operand = words.operands.first { throw UsageError(unexpected: operand) }
  }

  /// Accepted for those who start an auditd with it; it never goes anywhere else.
  private static let foreground = CommandLineWords.Option("foreground", letter: "f")

  /// Those that stand over a keyword of audispatchd.conf, or say where that is.
  static let options: [Keyword<ConfigurationRequest>] = [
    .value("source", "SOURCE", sources, repeats: true) {
      (request: inout ConfigurationRequest, word: Word) throws(Diagnostic) in
      request.sources.append(try SourceConfiguration(word, beside: request.sources))
    },
    .value("config", "FILE", "read FILE, not \(ConfigurationRequest.standardDaemonFile)") {
      $0.daemonFile = .named($1.text)
    },
    .value(
      "config_dir", "DIR", "read audispd.conf or audispatchd.conf in DIR", letter: "c"
    ) { $0.daemonFile = .folder(withoutSlash($1.text)) },
    .value("plugin_dir", "DIR", "read the plugins' files in DIR") {
      $0.pluginDirectory = withoutSlash($1.text)
    },
    .value("runtime_dir", "DIR", "put the control socket and state.json into DIR") {
      $0.runtimeDirectory = withoutSlash($1.text)
    },
    .value("input_framing", "KIND", "of binary records on the input: auto, compact, fixed") {
      (request: inout ConfigurationRequest, word: Word) throws(Diagnostic) in
      request.inputFraming = try word.choice(InputFraming.self, for: "--input-framing")
    },
  ]

  private static let sources = """
    where events come from: stdin, unix:PATH, kernel or
    file:PATH (file: may be repeated), and other hosts:
    tcp:ADDRESS:PORT, tls:ADDRESS:PORT. Without: standard
    input if it is a socket, a pipe or a file, else
    auditd's socket if there is one, else the kernel
    """

  /// What `--help` prints.
  public static let help = {
    var options = OptionHelp()
    options.add(Self.options, in: ConfigurationRequest())
    options.add("--check", "report every problem of the configuration; exit 0 or 6")
    options.add("-f, --foreground", "accepted; it always stays in the foreground")
    options.add("-h, --help", "print this")
    options.add("-V, --version", "print the version")
    return """
      Usage: audispatchd [OPTION]...
      Give Linux audit events to every plugin, none able to hold up another.

      \(options.text)
      An option stands over the keyword of the same meaning in audispatchd.conf(5).
      Exit status: 0 done, 1 it could not start or go on, 2 usage, 3 a replay could
      not deliver everything, 6 configuration.

      """
  }()
}
