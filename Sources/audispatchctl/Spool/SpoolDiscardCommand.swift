import ArgumentParser
import AudispatchPlugin

struct SpoolDiscardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard",
    abstract: "Gives up what the spool keeps for a plugin that is not active.",
    discussion: """
      The running daemon does it, and counts the records as given up. It refuses that for a plugin \
      that is active. Without it they are kept for spool_keep.
      """)

  @OptionGroup var runtime: RuntimeOptions
  @Argument(help: "The plugin, as audispatchctl status and spool list name it.")
  var plugin: String

  func validate() throws {
    guard !plugin.isEmpty, plugin.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw ValidationError("A plugin's name has no control characters and is not empty.")
    }
  }

  func run() throws {
    try reporting { () throws(ControlFailure) in
      Output.write(Lines.safe(try runtime.client.answer(to: "discard \(plugin)")))
    }
  }
}
