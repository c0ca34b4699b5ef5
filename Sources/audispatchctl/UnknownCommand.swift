import ArgumentParser
import Configuration

/// A first word that is no command: the parser would take it for an argument of `status`.
struct UnknownCommand: Equatable {
  let word: String
  let meant: String?

  init?(_ arguments: [String]) {
    guard let word = arguments.first, !word.hasPrefix("-") else { return nil }
    var known = ["help"]
    for command in AudispatchControl.configuration.subcommands {
      if let name = command.configuration.commandName { known.append(name) }
    }
    guard !known.contains(word) else { return nil }
    self.word = word
    meant = Suggestion.nearest(word, among: known)
  }

  var failure: ValidationError {
    ValidationError(
      "Unknown command '\(word)'; "
        + (meant.map { "did you mean '\($0)'?" } ?? "see audispatchctl --help"))
  }
}
