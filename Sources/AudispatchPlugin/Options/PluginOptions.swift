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
public typealias PluginKeyword<Options> = Keyword<Options>
