public import Configuration

/// What can be configured of a plugin.
///
/// A keyword is at the same time a line of the plugin's file, `max_size = 64K`, in the grammar of
/// auditd's files, and an option, `--max-size 64K` or `--max-size=64K`, which stands over the line.
/// So whatever an argument can say a file can say too: auditd 3.0.9 passes two arguments at most.
public protocol PluginOptions: Sendable {
  /// Every default.
  init()

  static var keywords: [PluginKeyword<Self>] { get }

  /// Takes the arguments that are no options (`LOG_INFO`, `0640 /run/x`), in their order; called
  /// only if there are any. The default is that there are none.
  mutating func take(_ operands: [Word]) throws(Diagnostic)

  /// Looks at the whole: what must fit together, files that must be there. Called once all is set;
  /// an error among what it returns makes the options unusable. `--check` asks this too, so it
  /// must not change anything outside.
  mutating func settle() -> [Diagnostic]

  /// What does not fit together though some keywords, which are as they were, could not be taken:
  /// `settle` is not called then. The default is nothing.
  func conflicts(without wrong: Set<String>) -> [Diagnostic]
}

extension PluginOptions {
  public mutating func take(_ operands: [Word]) throws(Diagnostic) {
    throw operands[0].error("unexpected argument", suggestion: "see --help")
  }

  public mutating func settle() -> [Diagnostic] { [] }

  public func conflicts(without wrong: Set<String>) -> [Diagnostic] { [] }
}

/// Nothing can be configured.
public struct NoOptions: PluginOptions {
  public static let keywords: [PluginKeyword<NoOptions>] = []
  public init() {}
}

/// A keyword of a plugin's file, and the option of the same meaning.
public struct PluginKeyword<Options>: Sendable {
  public typealias Apply = @Sendable (inout Options, Setting) throws(Diagnostic) -> Void

  /// As in the file: `max_size`. The option is `--max-size`.
  public let name: String
  /// What stands for the value in the help, `SIZE`; `nil` for a switch.
  public let value: String?
  /// What the help says.
  public let about: String
  /// An option of one letter, `-o`.
  public let letter: Character?
  /// Whether it may be given more than once, each adding to what was before.
  public let repeats: Bool
  let apply: Apply

  /// A keyword with any number of values on its line; an option has one.
  public init(
    _ name: String, _ value: String, _ about: String, letter: Character? = nil,
    repeats: Bool = false, apply: @escaping Apply
  ) {
    self.name = name
    self.value = value
    self.about = about
    self.letter = letter
    self.repeats = repeats
    self.apply = apply
  }

  /// A keyword with one value. `Word` has what checks a value and says what is wrong with it:
  /// `choice`, `number`, `byteCount`, `seconds`, `absolutePath`.
  public static func value(
    _ name: String, _ value: String, _ about: String, letter: Character? = nil,
    repeats: Bool = false,
    set: @escaping @Sendable (inout Options, Word) throws(Diagnostic) -> Void
  ) -> PluginKeyword {
    PluginKeyword(name, value, about, letter: letter, repeats: repeats) {
      (options: inout Options, setting: Setting) throws(Diagnostic) in
      try set(&options, setting.single())
    }
  }

  /// `yes` or `no`; the option alone is `yes`, `--raw=no` takes it back.
  public static func flag(
    _ name: String, _ about: String, letter: Character? = nil,
    set: @escaping @Sendable (inout Options, Bool) -> Void
  ) -> PluginKeyword {
    PluginKeyword(flag: name, about, letter) {
      (options: inout Options, setting: Setting) throws(Diagnostic) in
      set(&options, try setting.single().yesOrNo(for: name))
    }
  }

  private init(flag name: String, _ about: String, _ letter: Character?, apply: @escaping Apply) {
    self.name = name
    value = nil
    self.about = about
    self.letter = letter
    repeats = false
    self.apply = apply
  }

  /// `--max-size`.
  var option: String { "--" + name.replacing("_", with: "-") }
}
