/// The daemon's command line.
public struct DaemonArguments: Equatable, Sendable {
  public enum Action: Equatable, Sendable {
    case run
    /// Report on the configuration and exit with its status.
    case check
    case help
    case version
  }

  /// A command line that cannot be followed; the daemon prints it and exits 2.
  public struct UsageError: Error, Equatable, Sendable, CustomStringConvertible {
    public var message: String
    public var suggestion: String?

    public var description: String {
      let text = "audispatchd: \(message)" + (suggestion.map { "; \($0)" } ?? "")
      return Diagnostic.printable(text, limit: 4096)
    }
  }

  public private(set) var action = Action.run
  public private(set) var request = ConfigurationRequest()

  private enum Option: String, CaseIterable {
    case check = "--check"
    case config = "--config"
    case configFolder = "--config_dir"
    case foreground = "--foreground"
    case help = "--help"
    case inputFraming = "--input-framing"
    case pluginDirectory = "--plugin-dir"
    case runtimeDirectory = "--runtime-dir"
    case source = "--source"
    case version = "--version"

    init?(text: String) {
      switch text {
      case "-c", "--config-dir": self = .configFolder
      case "-f": self = .foreground
      case "-h": self = .help
      case "-V": self = .version
      default: self.init(rawValue: text)
      }
    }

    var takesValue: Bool {
      switch self {
      case .check, .foreground, .help, .version: false
      default: true
      }
    }
  }

  /// Reads the arguments after the program's name.
  public init(_ arguments: [String]) throws(UsageError) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      var name = argument
      var value: String?
      if argument.hasPrefix("--"), let equals = argument.firstIndex(of: "=") {
        name = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
      }
      guard let option = Option(text: name) else { throw Self.unknown(name) }
      if option.takesValue {
        guard let given = value ?? rest.popFirst(), !given.isEmpty else {
          throw UsageError(message: "\(name) needs a value")
        }
        try apply(option, given)
      } else if value != nil {
        throw UsageError(message: "\(name) takes no value")
      } else {
        apply(option)
      }
    }
  }

  private mutating func apply(_ option: Option) {
    switch option {
    case .help: action = .help
    case .version: if action != .help { action = .version }
    case .check: if action == .run { action = .check }
    default: break  // --foreground: it never goes anywhere else
    }
  }

  private mutating func apply(_ option: Option, _ value: String) throws(UsageError) {
    switch option {
    case .config: request.daemonFile = .named(value)
    case .configFolder: request.daemonFile = .folder(withoutSlash(value))
    case .pluginDirectory: request.pluginDirectory = withoutSlash(value)
    case .runtimeDirectory: request.runtimeDirectory = withoutSlash(value)
    case .inputFraming:
      guard let framing = InputFraming(rawValue: value.lowercased()) else {
        let known = InputFraming.allCases.map(\.rawValue)
        throw UsageError(
          message: "--input-framing is one of \(known.joined(separator: ", ")) ('\(value)')",
          suggestion: Suggestion.near(value, among: known))
      }
      request.inputFraming = framing
    case .source:
      do throws(SourceConfiguration.Refusal) {
        let source = try SourceConfiguration(text: value)
        if let conflict = source.conflict(with: request.sources) { throw conflict }
        request.sources.append(source)
      } catch {
        throw UsageError(message: "\(error.message) ('\(value)')", suggestion: error.suggestion)
      }
    default: break
    }
  }

  private static func unknown(_ name: String) -> UsageError {
    guard name.hasPrefix("-") else {
      return UsageError(message: "unexpected argument '\(name)'", suggestion: "see --help")
    }
    return UsageError(
      message: "unknown option '\(name)'",
      suggestion: Suggestion.near(name, among: Option.allCases.map(\.rawValue)) ?? "see --help")
  }

  /// What `--help` prints.
  public static let help = """
    Usage: audispatchd [OPTION]...
    Give Linux audit events to every plugin, none able to hold up another.

      --source SOURCE        where events come from: stdin, unix:PATH, kernel or
                             file:PATH (file: may be repeated). Without: standard
                             input if it is a socket or a pipe, else auditd's
                             socket if there is one, else the kernel
      --config FILE          read FILE, not \(ConfigurationRequest.standardDaemonFile)
      -c, --config_dir DIR   read audispd.conf or audispatchd.conf in DIR
      --plugin-dir DIR       read the plugins' files in DIR
      --runtime-dir DIR      put the control socket and state.json into DIR
      --input-framing KIND   of binary records on the input: auto, compact, fixed
      --check                report every problem of the configuration; exit 0 or 6
      -f, --foreground       accepted; it always stays in the foreground
      -h, --help             print this
      -V, --version          print the version

    An option stands over the keyword of the same meaning in audispatchd.conf(5).
    Exit status: 0 done, 2 usage, 3 a replay could not deliver everything,
    6 configuration.

    """
}
