import Linux

/// When the file system and the log's name are looked at, and what was seen of the space.
struct Looks {
  private static let every = Duration.seconds(1)
  private static let bytes = 1 << 20

  private var next = Duration.zero
  private var bytesSince = 0
  var space = SpaceWatch()

  mutating func wrote(_ count: Int) { bytesSince += count }

  /// Looks again at once.
  mutating func hurry() { next = .zero }

  /// Whether it is time, at most once a second or a MiB; if so, that counts as done.
  mutating func areDue(at now: Duration) -> Bool {
    guard now >= next || bytesSince >= Self.bytes else { return false }
    next = now + Self.every
    bytesSince = 0
    return true
  }
}
