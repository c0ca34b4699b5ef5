public import AudispatchPlugin
public import Configuration

/// What is said about who we are.
public enum Credentials {
  /// What does not fit together.
  ///
  /// - Parameters:
  ///   - ways: keywords of which one at most may be given.
  ///   - hasUser: whether `user` is given, to which `password_file` belongs.
  public static func conflicts(
    _ ways: [String], hasUser: Bool, hasPassword: Bool, _ places: SettingPlaces
  ) -> [Diagnostic] {
    var found: [Diagnostic] = []
    let given = ways.filter { places[$0] != nil }
    if given.count > 1 {
      found.append(
        places.problem(
          given[1], "there is one way to say who we are, and \(given[0]) is given too"))
    }
    if hasUser != hasPassword {
      found.append(
        places.problem(
          hasUser ? "user" : "password_file", "a user and a password belong together",
          suggestion: "set both user and password_file"))
    }
    return found
  }
}
