public import Configuration
public import Linux

/// Why a command could not do its work.
public struct CommandFailure: Error, CustomStringConvertible, Sendable {
  public let description: String

  public init(description: String) { self.description = description }
}

/// What a command says.
public enum Spoken {
  public static func line(_ text: String) throws(Errno) {
    try Transfer.writeAll(1, Array("\(text)\n".utf8))
  }
}

/// A command is the one argument that is no option.
public enum CommandWord {
  /// Which of the commands that is.
  public static func choice<Command>(
    _ operands: [Word], among commands: [String: Command]
  ) throws(Diagnostic) -> Command {
    guard let command = commands[operands[0].text] else {
      throw operands[0].error(
        "unexpected argument",
        suggestion: Suggestion.near(operands[0].text, among: commands.keys.sorted())
          ?? "see --help")
    }
    guard operands.count == 1 else { throw operands[1].error("unexpected argument") }
    return command
  }
}
