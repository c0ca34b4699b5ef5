public import Configuration
public import Linux

/// Why a command could not do its work: one line, of bounded length, whatever a server says in it.
public struct CommandFailure: Error, CustomStringConvertible, Sendable {
  public let description: String

  /// - Parameter advice: our own words for whoever reads it, as they are; they begin on a line of
  ///   their own.
  public init(description: String, advice: String = "") {
    self.description =
      printable(description, limit: Spoken.longest) + (advice.isEmpty ? "" : "\n\(advice)")
  }
}

/// What a command says.
public enum Spoken {
  /// Characters of a line, beyond which an ellipsis stands.
  static let longest = 2000

  /// A line. What a server says may be a part of it: nothing that a terminal would obey comes through.
  public static func line(_ text: String) throws(Errno) {
    try write(printable(text, limit: longest) + "\n")
  }

  /// Text of our own, as it is.
  public static func write(_ text: String) throws(Errno) {
    try Transfer.writeAll(1, Array(text.utf8))
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
