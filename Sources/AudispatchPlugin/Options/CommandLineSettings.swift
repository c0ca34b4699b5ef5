import Configuration

/// A command line taken apart: the settings that its options are, and the rest.
struct CommandLineSettings: Sendable {
  enum Action: Sendable { case run, check, help, version }

  var action = Action.run
  /// `--config FILE`.
  var file: String?
  var settings: [Setting] = []
  var operands: [Word] = []

  init<Options>(
    _ arguments: [String], _ keywords: [PluginKeyword<Options>]
  ) throws(Diagnostic) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      let position = arguments.count - rest.count
      guard argument.hasPrefix("-"), argument != "-" else {
        operands.append(Self.word(argument, position))
        continue
      }
      if argument == "--" {
        while let operand = rest.popFirst() {
          operands.append(Self.word(operand, arguments.count - rest.count))
        }
        return
      }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      let given = parts.count > 1 ? String(parts[1]) : nil
      switch name {
      case "--help", "-h": action = .help
      case "--version", "-V": if action != .help { action = .version }
      case "--check": if action == .run { action = .check }
      case "--config":
        guard let value = given ?? rest.popFirst(), !value.isEmpty else {
          throw Self.word(name, position).error("\(name) needs a file")
        }
        file = value
      default:
        guard let keyword = keywords.first(where: { $0.isNamed(name) }) else {
          throw Self.unknown(name, position, keywords)
        }
        let value: String
        if keyword.value == nil {
          value = given ?? "yes"
        } else {
          guard let next = given ?? rest.popFirst(), !next.isEmpty else {
            throw Self.word(name, position).error("\(name) needs a value")
          }
          value = next
        }
        settings.append(
          Setting(
            keyword: Self.word(keyword.name, position), values: [Self.word(value, position)]))
      }
    }
  }

  private static func word(_ text: String, _ position: Int) -> Word {
    Word(
      text: text, file: "argument \(position)", position: Diagnostic.Position(line: 0, column: 0))
  }

  private static func unknown<Options>(
    _ name: String, _ position: Int, _ keywords: [PluginKeyword<Options>]
  ) -> Diagnostic {
    let known = keywords.map(\.option) + ["--check", "--config", "--help", "--version"]
    return word(name, position).error(
      "unknown option", suggestion: Suggestion.near(name, among: known) ?? "see --help")
  }
}

extension PluginKeyword {
  fileprivate func isNamed(_ name: String) -> Bool {
    if let letter, name == "-\(letter)" { return true }
    return name.hasPrefix("--") && name.dropFirst(2).replacing("-", with: "_") == self.name
  }
}
