import Linux

/// A command line taken apart by the names of its options, in the one way that all our programs have.
///
/// `--max-size 64K` and `--max-size=64K` are the same, as are `-` and `_` within a name. Behind `--`
/// nothing is an option, and `-` alone never is.
public struct CommandLineWords: Sendable {
  /// What of an option matters here.
  public struct Option: Sendable {
    public enum Value: Sendable { case none, optional, required }

    /// As a keyword: `max_size`.
    var name: String
    var letter: Character?
    var value: Value

    public init(_ name: String, letter: Character? = nil, value: Value = .none) {
      self.name = name
      self.letter = letter
      self.value = value
    }

    public init(_ keyword: Keyword<some Any>) {
      self.init(
        keyword.name, letter: keyword.letter, value: keyword.value == nil ? .optional : .required)
    }

    fileprivate var option: String { "--" + name.hyphenated }

    fileprivate func isNamed(_ word: String) -> Bool {
      if let letter, word == "-\(letter)" { return true }
      // Without the library's `replacing`, whose first use costs a start 0.2 ms.
      return word.hasPrefix("--")
        && word.utf8.dropFirst(2).elementsEqual(name.utf8) { written, named in
          (written == UInt8(ascii: "-") ? UInt8(ascii: "_") : written) == named
        }
    }
  }

  /// Why a command line cannot be followed.
  public enum Fault: Error, Equatable, Sendable {
    case unknown(Word, suggestion: String)
    case needsValue(Word)
    case takesNoValue(Word)

    /// As a line of a report.
    public var diagnostic: Diagnostic {
      switch self {
      case .unknown(let word, let suggestion):
        word.error("unknown option", suggestion: suggestion)
      case .needsValue(let word): word.error("\(word.text) needs a value")
      case .takesNoValue(let word): word.error("\(word.text) takes no value")
      }
    }
  }

  /// The options in their order; without a value it is `yes`.
  public private(set) var settings: [Setting] = []
  public private(set) var operands: [Word] = []

  public init(_ arguments: [String], _ options: [Option]) throws(Fault) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      let position = arguments.count - rest.count
      if argument == "--" {
        while let operand = rest.popFirst() {
          operands.append(Self.word(operand, arguments.count - rest.count))
        }
        return
      }
      guard argument.hasPrefix("-"), argument != "-" else {
        operands.append(Self.word(argument, position))
        continue
      }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = Self.word(String(parts[0]), position)
      let given = parts.count > 1 ? String(parts[1]) : nil
      guard let option = options.first(where: { $0.isNamed(name.text) }) else {
        let suggestion = Suggestion.near(name.text, among: options.map(\.option).sorted())
        throw .unknown(name, suggestion: suggestion ?? "see --help")
      }
      var value = given ?? "yes"
      switch option.value {
      case .none: if given != nil { throw .takesNoValue(name) }
      case .optional: break
      case .required:
        guard let next = given ?? rest.popFirst(), !next.isEmpty else { throw .needsValue(name) }
        value = next
      }
      settings.append(
        Setting(keyword: Self.word(option.name, position), values: [Self.word(value, position)]))
    }
  }

  private static func word(_ text: String, _ position: Int) -> Word {
    Word(
      text: text, file: "argument \(position)", position: Diagnostic.Position(line: 0, column: 0))
  }
}

/// What a program is asked for.
public enum ProgramAction: Equatable, Sendable {
  case run
  /// Report on the configuration and exit with its status.
  case check
  case help
  case version

  /// The options that ask for something else than to run.
  public static let options = [CommandLineWords.Option("check")] + optionsWithoutConfiguration

  /// Those of a program that has no configuration.
  public static let optionsWithoutConfiguration: [CommandLineWords.Option] = [
    .init("help", letter: "h"), .init("version", letter: "V"),
  ]

  /// Takes one of these options; `false` for any other. Help goes before all else, and the version
  /// before a report.
  public mutating func take(_ option: Setting) -> Bool {
    switch option.keyword.text {
    case "help": self = .help
    case "version": if self != .help { self = .version }
    case "check": if self == .run { self = .check }
    default: return false
    }
    return true
  }
}

/// A command line that a program cannot follow, as it says so; it exits 2 then.
public struct UsageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Without the program's name.
  public let description: String

  init(_ message: String, suggestion: String? = nil) {
    description = printable(message + (suggestion.map { "; \($0)" } ?? ""), limit: 4096)
  }

  public init(_ fault: CommandLineWords.Fault) {
    switch fault {
    case .unknown(let word, let suggestion):
      self.init("unknown option '\(word.text)'", suggestion: suggestion)
    case .needsValue, .takesNoValue: self.init(fault.diagnostic.message)
    }
  }

  /// An argument that is no option.
  public init(unexpected word: Word) {
    self.init("unexpected argument '\(word.text)'", suggestion: "see --help")
  }

  /// A value that cannot be taken.
  public init(_ diagnostic: Diagnostic) {
    let word = diagnostic.word.map { " ('\($0)')" } ?? ""
    self.init(diagnostic.message + word, suggestion: diagnostic.suggestion)
  }
}
