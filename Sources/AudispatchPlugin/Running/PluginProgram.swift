import Configuration
import Glibc
public import Linux

/// A plugin as a program: arguments, configuration, session, exit status.
///
///     PluginProgram("audispatch-example", "Counts events.").main { session in
///       var plugin = Example()
///       try session.run(&plugin)
///     }
///
/// Beside its own options it has `--help`, `--version`, `--check` (reports every problem of the configuration)
/// and `--config FILE`. The file is otherwise `/etc/audispatch/example.conf`, for a program called
/// `audispatch-example`, if it is there, and then one that another program has, if that is.
///
/// Exit status: 0 at the end of input or after SIGTERM, 1 when it could not go on, 2 for arguments
/// or a configuration that it cannot follow, 74 when it ends without having stored what it took.
public struct PluginProgram<Options: PluginOptions>: Sendable {
  let name: String
  let about: String
  let operands: String
  let version: String
  let file: String
  let other: String?

  /// - Parameters:
  ///   - name: what messages begin with.
  ///   - about: what the help says.
  ///   - operands: how the help shows arguments that are no options.
  ///   - version: what `--version` prints behind the name; without it, that of audispatch.
  ///   - other: the file of a program with the same keywords, read where ours is missing.
  public init(
    _ name: String, _ about: String = "", operands: String = "",
    version: String = Release.version, options: Options.Type, otherwise other: String? = nil
  ) {
    self.name = name
    self.other = other
    self.about = about
    self.operands = operands
    self.version = version
    let short = name.hasPrefix("audispatch-") ? String(name.dropFirst(11)) : name
    file = "/etc/audispatch/\(short).conf"
  }

  /// Runs with the process's own arguments and exits.
  ///
  /// Closes what else is open: auditd up to 4.0.4 leaves descriptors of its own to its plugins.
  /// Keeps a SIGHUP for the session.
  public func main(_ body: (inout PluginSession<Options>) throws -> Void) -> Never {
    // Before anything is written or connected: a session ignores them only once it runs.
    Signals.ignoreFailedWrites()
    if DescriptorKind.isSocket(0) {
      DescriptorKind.closeAll(from: 3)
      PluginSignals.holdReload()
    }
    exit(run(Array(ProgramArguments.all.dropFirst()), body))
  }

  /// Runs with those arguments over standard input; returns the exit status.
  public func run(
    _ arguments: [String], _ body: (inout PluginSession<Options>) throws -> Void
  ) -> Int32 {
    var log = PluginLog(name: name)
    let line: CommandLineSettings
    do throws(Diagnostic) {
      line = try CommandLineSettings(arguments, Options.keywords)
    } catch {
      log.write(error)
      return 2
    }
    if line.action == .help { return say(help) }
    if line.action == .version { return say("\(name) \(version)\n") }
    var source = OptionSource<Options>(line, usually: file, otherwise: other, user: geteuid())
    let (options, diagnostics) = source.loadNoting()
    let isUsable = !diagnostics.contains { $0.severity == .error }
    if line.action == .check {
      let status = say(report(diagnostics))
      return isUsable ? status : 2
    }
    for diagnostic in diagnostics where diagnostic.severity != .note { log.write(diagnostic) }
    guard isUsable else { return 2 }
    var environment = PluginEnvironment()
    do throws(PluginEnvironment.Refusal) {
      environment = try PluginEnvironment(PluginEnvironment.variable, input: 0)
    } catch { log.write(.error, error.description) }
    var session: PluginSession<Options>
    do {
      session = try PluginSession(
        options, from: source, log: log, input: 0, environment: environment)
    } catch {
      log.write(.error, "\(error)")
      return 1
    }
    do {
      try body(&session)
      return session.hasLost ? Self.lostSomething : 0
    } catch {
      log.write(.error, "\(error)")
      return session.hasLost ? Self.lostSomething : 1
    }
  }

  /// EX_IOERR of sysexits.h.
  private static var lostSomething: Int32 { 74 }

  private func say(_ text: String) -> Int32 {
    do throws(Errno) {
      try Transfer.writeAll(1, Array(text.utf8))
      return 0
    } catch { return 1 }
  }

  private func report(_ diagnostics: [Diagnostic]) -> String {
    let errors = diagnostics.count { $0.severity == .error }
    let warnings = diagnostics.count { $0.severity == .warning }
    let sum =
      counted(errors, "error") + ", " + counted(warnings, "warning")
    return (diagnostics.map(\.description) + [sum]).joined(separator: "\n") + "\n"
  }

  /// What `--help` prints.
  var help: String {
    var text = "Usage: \(name) [OPTION]...\(operands.isEmpty ? "" : " " + operands)\n"
    if !about.isEmpty { text += about + "\n" }
    text += "\n"
    var options = OptionHelp()
    options.add(Options.keywords, in: Options())
    options.add("--config FILE", "read FILE, not \(file)\(other.map { " or \($0)" } ?? "")")
    options.add("--check", "report every problem of the configuration; exit 0 or 2")
    options.add("-h, --help", "print this")
    options.add("-V, --version", "print the version")
    text += options.text
    if let example = Options.keywords.first(where: { $0.value != nil }) ?? Options.keywords.first {
      let setting = "\(example.name) = \(example.value ?? "yes")"
      let option = example.option + (example.value.map { " \($0)" } ?? "")
      text += "\nEvery option is a keyword of \(file) too: '\(setting)' for \(option).\n"
    }
    return text
  }
}

extension PluginProgram where Options == NoOptions {
  public init(_ name: String, _ about: String = "") {
    self.init(name, about, options: NoOptions.self)
  }
}
