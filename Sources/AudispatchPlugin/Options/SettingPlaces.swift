public import Configuration

/// Where settings stand that `settle` may object to; no part of what is asked for, so that options
/// are equal wherever they were read.
public struct SettingPlaces: Equatable, Sendable {
  private var words: [String: Word] = [:]

  public init() {}

  /// The last value of a keyword that was noted; `nil` when none was.
  public subscript(keyword: String) -> Word? {
    get { words[keyword] }
    set { words[keyword] = newValue }
  }

  /// Whether any keyword was noted.
  public var isEmpty: Bool { words.isEmpty }

  /// What is wrong with a keyword's value, or with its default.
  public func problem(
    _ keyword: String, _ message: String, severity: Diagnostic.Severity = .error,
    suggestion: String? = nil
  ) -> Diagnostic {
    guard let word = words[keyword] else {
      return Diagnostic(severity, file: keyword, message, suggestion: suggestion)
    }
    return word.problem(message, severity: severity, suggestion: suggestion)
  }

  public static func == (_: SettingPlaces, _: SettingPlaces) -> Bool { true }
}

/// Options that note where settings of theirs stand.
public protocol NotingOptions: PluginOptions {
  var places: SettingPlaces { get set }
}

extension NotingOptions {
  /// A keyword of one value whose place is noted.
  public static func noting(
    _ name: String, _ value: String, _ about: String,
    set: @escaping @Sendable (inout Self, Word) throws(Diagnostic) -> Void
  ) -> PluginKeyword<Self> {
    .value(name, value, about, set: set).noting(in: \.places)
  }
}

extension Keyword {
  /// The same keyword, and where its value stands is noted.
  public func noting(
    in places: any WritableKeyPath<Target, SettingPlaces> & Sendable
  ) -> Keyword {
    let name = name
    return followed { target, setting in target[keyPath: places][name] = setting.values[0] }
  }
}
