/// What an examiner is about to touch, as it says it.
enum ExaminationStep: Equatable {
  /// A plugin's file, and what that names.
  case files(of: String)
  /// A plugin's program, which is asked about its own settings.
  case check(of: String)
  /// Nothing of a plugin.
  case others

  /// With its newline; no name has one.
  var line: String {
    switch self {
    case .files(let plugin): "files \(plugin)\n"
    case .check(let plugin): "check \(plugin)\n"
    case .others: "others\n"
    }
  }

  /// - Parameter line: without its newline.
  init?(line: Substring) {
    let words = line.split(separator: " ", maxSplits: 1)
    switch (words.first, words.count) {
    case ("files", 2): self = .files(of: String(words[1]))
    case ("check", 2): self = .check(of: String(words[1]))
    case ("others", 1): self = .others
    default: return nil
    }
  }

  /// The plugin, and how long it may take: it alone is left out when it takes longer. `nil`: there is
  /// none. A check has five seconds of its own.
  var bound: (plugin: String, patience: Duration)? {
    switch self {
    case .files(let plugin): (plugin, .seconds(3))
    case .check(let plugin): (plugin, .seconds(7))
    case .others: nil
    }
  }
}
