import ArgumentParser

/// The operator's tool.
@main
struct AudispatchControl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audispatchctl",
    abstract: "Looks at a running audispatchd and asks things of it.",
    version: "0.1.0",
    subcommands: [
      StatusCommand.self, ReloadCommand.self, ResumeCommand.self, CheckCommand.self,
      TailCommand.self,
    ],
    defaultSubcommand: StatusCommand.self)
}

/// Where the daemon is found; the same for every command.
struct RuntimeOptions: ParsableArguments {
  @Option(name: .customLong("runtime-dir"), help: "The daemon's runtime folder.")
  var folder = "/run/audispatch"

  var client: ControlClient { ControlClient(folder: folder) }
}
