public import AudispatchPlugin
public import Configuration

/// What is said about who we are: a user, and a file with the password.
public struct Credentials: Equatable, Sendable {
  public private(set) var user: String?
  public private(set) var passwordFile: String?
  /// From that file, once it was read.
  public private(set) var password: String?

  public init() {}

  /// The keywords `user` and `password_file`.
  ///
  /// - Parameter forbidsColon: whether a user has none, since one ends it where it is sent.
  public static func keywords<Options: NotingOptions>(
    _ place: any WritableKeyPath<Options, Credentials> & Sendable, forbidsColon: Bool = false
  ) -> [PluginKeyword<Options>] {
    [
      Options.noting("user", "NAME", "who we are, with password_file") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        guard !w.text.isEmpty else { throw w.error("a user has a name") }
        guard !forbidsColon || !w.text.contains(":") else { throw w.error("a user has no colon") }
        o[keyPath: place].user = w.text
      },
      Options.noting("password_file", "FILE", "its first line is the password of user") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].passwordFile = try w.absolutePath(for: "password_file")
      },
    ]
  }

  /// Reads the file, which only its owner may read. Blocks.
  public mutating func readPassword(_ places: SettingPlaces) throws(Diagnostic) {
    guard let passwordFile else { return }
    password = String(
      decoding: try SecretFile.line(of: passwordFile, "password_file", places), as: UTF8.self)
  }

  /// What does not fit together.
  ///
  /// - Parameter others: keywords for other ways to say who we are, of which one at most may be given.
  public func conflicts(with others: [String] = [], _ places: SettingPlaces) -> [Diagnostic] {
    var found: [Diagnostic] = []
    let given = (["user"] + others).filter { places[$0] != nil }
    if given.count > 1 {
      found.append(
        places.problem(
          given[1], "there is one way to say who we are, and \(given[0]) is given too"))
    }
    if (user == nil) != (passwordFile == nil) {
      found.append(
        places.problem(
          user != nil ? "user" : "password_file", "a user and a password belong together",
          suggestion: "set both user and password_file"))
    }
    return found
  }
}
