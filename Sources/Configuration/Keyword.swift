/// A keyword of a configuration file, `max_size = 64K`, and the option of the same meaning,
/// `--max-size 64K`: what it is called, what it takes, what counts without it, and what it sets.
///
/// Everything that reads, lists or explains settings goes by these: the files of the daemon and of
/// the plugins, the command lines, `--help`, and the tests that compare the manual pages.
public struct Keyword<Target>: Sendable {
  public typealias Apply = @Sendable (inout Target, Setting) throws(Diagnostic) -> Void

  /// As in the file: `max_size`. The option is `--max-size`.
  public let name: String
  /// What stands for the value in the help, `SIZE`; `nil` for a switch, which is `yes` or `no`.
  public let value: String?
  /// What the help says; may have more than one line.
  public let about: String
  /// An option of one letter, `-o`.
  public let letter: Character?
  /// Whether it may be given more than once, each adding to what was before.
  public let repeats: Bool
  /// What a target has of it, as the file would have it; `nil`: nothing that a file could say.
  let current: @Sendable (Target) -> String?
  package let apply: Apply
  /// What is said of a setting that was taken all the same.
  var doubt: (@Sendable (Target, Setting) -> Diagnostic?)?

  /// A keyword with any number of values on its line; an option has one.
  ///
  /// - Parameter standard: what counts without it, as the file would have it.
  public init(
    _ name: String, _ value: String, _ about: String, letter: Character? = nil,
    repeats: Bool = false, standard: String? = nil, apply: @escaping Apply
  ) {
    self.init(name, value, about, letter, repeats, { _ in standard }, apply)
  }

  init(
    _ name: String, _ value: String?, _ about: String, _ letter: Character?, _ repeats: Bool,
    _ current: @escaping @Sendable (Target) -> String?, _ apply: @escaping Apply
  ) {
    self.name = name
    self.value = value
    self.about = about
    self.letter = letter
    self.repeats = repeats
    self.current = current
    self.apply = apply
  }

  /// A keyword with one value. `Word` has what checks a value and says what is wrong with it:
  /// `choice`, `number`, `byteCount`, `seconds`, `absolutePath`.
  public static func value(
    _ name: String, _ value: String, _ about: String, letter: Character? = nil,
    repeats: Bool = false, standard: String? = nil,
    set: @escaping @Sendable (inout Target, Word) throws(Diagnostic) -> Void
  ) -> Keyword {
    Keyword(name, value, about, letter: letter, repeats: repeats, standard: standard) {
      (target: inout Target, setting: Setting) throws(Diagnostic) in
      try set(&target, setting.single())
    }
  }

  /// `yes` or `no`; the option alone is `yes`, `--raw=no` takes it back.
  public static func flag(
    _ name: String, _ about: String, letter: Character? = nil,
    set: @escaping @Sendable (inout Target, Bool) -> Void
  ) -> Keyword {
    Keyword(name, nil, about, letter, false, { _ in nil }) {
      (target: inout Target, setting: Setting) throws(Diagnostic) in
      set(&target, try setting.single().yesOrNo(for: name))
    }
  }

  /// The same, and a setting that is taken may be warned of.
  func doubting(_ doubt: @escaping @Sendable (Target, Setting) -> Diagnostic?) -> Keyword {
    var keyword = self
    keyword.doubt = doubt
    return keyword
  }

  /// The same, and something more is done with a setting that is taken.
  package func followed(
    by more: @escaping @Sendable (inout Target, Setting) -> Void
  ) -> Keyword {
    let apply = apply
    var keyword = Keyword(name, value, about, letter, repeats, current) {
      (target: inout Target, setting: Setting) throws(Diagnostic) in
      try apply(&target, setting)
      more(&target, setting)
    }
    keyword.doubt = doubt
    return keyword
  }

  /// The same, and what is wrong with a setting is noted, and does not make the file unusable.
  func excusing(
    _ note: @escaping @Sendable (inout Target, Diagnostic) -> Void
  ) -> Keyword {
    let apply = apply
    var keyword = Keyword(name, value, about, letter, repeats, current) {
      (target: inout Target, setting: Setting) throws(Diagnostic) in
      do throws(Diagnostic) {
        try apply(&target, setting)
      } catch { note(&target, error) }
    }
    keyword.doubt = doubt
    return keyword
  }

  /// The same keyword of something that has the target as a part.
  func within<Whole>(_ place: any WritableKeyPath<Whole, Target> & Sendable) -> Keyword<Whole> {
    let current = current
    let apply = apply
    var keyword = Keyword<Whole>(
      name, value, about, letter, repeats, { current($0[keyPath: place]) }
    ) { (whole: inout Whole, setting: Setting) throws(Diagnostic) in
      try apply(&whole[keyPath: place], setting)
    }
    if let doubt { keyword.doubt = { doubt($0[keyPath: place], $1) } }
    return keyword
  }

  /// What counts without it, where `target` is as it comes.
  public func standard(in target: Target) -> String? { current(target) }

  /// `--max-size`.
  public var option: String { "--" + name.hyphenated }
}

/// Keywords whose value is a property.
extension Keyword {
  public typealias Place<Value> = any WritableKeyPath<Target, Value> & Sendable

  private static func property<Value>(
    _ name: String, _ value: String?, _ about: String, _ letter: Character?,
    _ place: Place<Value>, _ text: @escaping @Sendable (Value) -> String?,
    _ read: @escaping @Sendable (Word) throws(Diagnostic) -> Value
  ) -> Keyword {
    Keyword(name, value, about, letter, false, { text($0[keyPath: place]) }) {
      (target: inout Target, setting: Setting) throws(Diagnostic) in
      target[keyPath: place] = try read(setting.single())
    }
  }

  public static func number(
    _ name: String, _ value: String, _ about: String, _ place: Place<Int>,
    _ range: ClosedRange<Int>, letter: Character? = nil
  ) -> Keyword {
    property(name, value, about, letter, place, { String($0) }) { (word) throws(Diagnostic) in
      try word.number(in: range, for: name)
    }
  }

  /// Bytes, with K, M, G or T.
  public static func bytes(
    _ name: String, _ value: String, _ about: String, _ place: Place<Int>,
    _ range: ClosedRange<Int>, letter: Character? = nil
  ) -> Keyword {
    property(name, value, about, letter, place, { Word.bytes($0) }) { (word) throws(Diagnostic) in
      try word.byteCount(in: range, for: name)
    }
  }

  public static func seconds(
    _ name: String, _ about: String, _ place: Place<Duration>, _ range: ClosedRange<Duration>
  ) -> Keyword {
    property(name, "SECONDS", about, nil, place, { Word.seconds($0) }) {
      (word) throws(Diagnostic) in
      try word.seconds(in: range, for: name)
    }
  }

  /// One of a fixed set.
  public static func choice<Choice: CaseIterable & RawRepresentable<String> & Sendable>(
    _ name: String, _ value: String, _ about: String, _ place: Place<Choice>,
    letter: Character? = nil
  ) -> Keyword {
    property(name, value, about, letter, place, { $0.rawValue }) { (word) throws(Diagnostic) in
      try word.choice(Choice.self, for: name)
    }
  }

  /// `yes` or `no`, written out on the command line too.
  public static func yesOrNo(
    _ name: String, _ about: String, _ place: Place<Bool>
  ) -> Keyword {
    property(name, "YES|NO", about, nil, place, { $0 ? "yes" : "no" }) {
      (word) throws(Diagnostic) in try word.yesOrNo(for: name)
    }
  }

  /// An absolute path.
  public static func path(
    _ name: String, _ value: String, _ about: String, _ place: Place<String>,
    letter: Character? = nil
  ) -> Keyword {
    property(name, value, about, letter, place, { $0 }) { (word) throws(Diagnostic) in
      try word.absolutePath(for: name)
    }
  }
}
