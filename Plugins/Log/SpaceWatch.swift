/// What the free space on the log's file system asks for.
///
/// A limit's action is taken once when the space falls below it, and again only after there was
/// a twentieth more than it.
struct SpaceWatch: Equatable, Sendable {
  enum Level: Int, Comparable, Sendable {
    case enough
    case low
    case administrators

    static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  private(set) var level = Level.enough

  /// Looks at the free space.
  ///
  /// - Returns: the limit that it has fallen below since the last look, and whether it has risen
  ///   above one.
  mutating func look(free: Int, low: Int, administrators: Int) -> (fell: Level?, rose: Bool) {
    let before = level
    level =
      free < room(administrators, for: .administrators)
      ? .administrators : free < room(low, for: .low) ? .low : .enough
    return (level > before ? level : nil, level < before)
  }

  /// What there must be to be above a limit.
  private func room(_ limit: Int, for level: Level) -> Int {
    self.level >= level ? limit + limit / 20 : limit
  }
}
