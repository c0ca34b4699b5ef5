import Linux

/// The time in which nothing can be written: why, since when, and when it is tried again.
struct Standstill {
  /// How often it is tried again, and how often it is said that it lasts.
  static let tryEvery = Duration.seconds(1)
  static let sayEvery = Duration.seconds(60)

  let since: Duration
  var obstacle: Obstacle
  var nextTry: Duration
  private var nextWord: Duration

  init(_ obstacle: Obstacle, at now: Duration) {
    since = now
    self.obstacle = obstacle
    nextTry = now + Self.tryEvery
    nextWord = now + Self.sayEvery
  }

  /// It was tried in vain. Returns whether that is to be said again.
  mutating func goesOn(_ obstacle: Obstacle, at now: Duration) -> Bool {
    self.obstacle = obstacle
    nextTry = now + Self.tryEvery
    guard nextWord <= now else { return false }
    nextWord = now + Self.sayEvery
    return true
  }

  static func seconds(_ duration: Duration) -> String { "\(duration.components.seconds) s" }
}
