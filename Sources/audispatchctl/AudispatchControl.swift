import ArgumentParser
import Linux

/// The operator's tool.
@main
struct AudispatchControl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audispatchctl",
    abstract: "Looks at a running audispatchd and asks things of it.",
    usage: "audispatchctl [--runtime-dir <runtime-dir>] [<command>]",
    version: "audispatchctl \(Release.version)",
    subcommands: [
      StatusCommand.self, ReloadCommand.self, ResumeCommand.self, CheckCommand.self,
      TailCommand.self, SpoolCommand.self,
    ],
    defaultSubcommand: StatusCommand.self)

  static func main() {
    let arguments = Self.reordered(Array(ProgramArguments.all.dropFirst()))
    if let unknown = UnknownCommand(arguments) { exit(withError: unknown.failure) }
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch  where HelpText.isAsked(exitCode(for: error), fullMessage(for: error)) {
      Output.write(HelpText.restyled(fullMessage(for: error)))
      exit(withError: nil)
    } catch {
      exit(withError: error)
    }
  }

  /// Puts `--runtime-dir` in front of the command behind it, where its parser looks for it.
  static func reordered(_ arguments: [String]) -> [String] {
    guard let first = arguments.first else { return arguments }
    if first == "-V" { return ["--version"] }
    if first.hasPrefix("--runtime-dir=") {
      return reordered(Array(arguments.dropFirst())) + [first]
    }
    guard first == "--runtime-dir", arguments.count > 1 else { return arguments }
    return reordered(Array(arguments.dropFirst(2))) + arguments.prefix(2)
  }
}

/// Where the daemon is found; the same for every command.
struct RuntimeOptions: ParsableArguments {
  @Option(name: .customLong("runtime-dir"), help: "The daemon's runtime folder.")
  var folder = "/run/audispatch"

  var client: ControlClient { ControlClient(folder: folder) }
}
