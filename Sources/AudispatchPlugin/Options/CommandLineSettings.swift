import Configuration

/// A plugin's command line: what it asks for, the settings that its options are, and the rest.
struct CommandLineSettings: Sendable {
  private(set) var action = ProgramAction.run
  /// `--config FILE`.
  private(set) var file: String?
  private(set) var settings: [Setting] = []
  private(set) var operands: [Word] = []

  init<Options>(
    _ arguments: [String], _ keywords: [PluginKeyword<Options>]
  ) throws(Diagnostic) {
    let known =
      keywords.map { CommandLineWords.Option($0) } + ProgramAction.options
      + [CommandLineWords.Option("config", value: .required)]
    let words: CommandLineWords
    do throws(CommandLineWords.Fault) {
      words = try CommandLineWords(arguments, known)
    } catch { throw error.diagnostic }
    operands = words.operands
    for setting in words.settings where !action.take(setting) {
      if setting.keyword.text == "config" {
        file = setting.values[0].text
      } else {
        settings.append(setting)
      }
    }
  }
}
