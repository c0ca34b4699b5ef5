/// How long to wait before something is tried again: twice as long each time.
public struct DoublingPause: Equatable, Sendable {
  private let first: Duration
  private let longest: Duration
  private var following: Duration

  public init(from first: Duration, to longest: Duration) {
    self.first = first
    self.longest = longest
    following = first
  }

  /// How long to wait this time.
  public mutating func next() -> Duration {
    defer { following = min(following * 2, longest) }
    return following
  }

  /// It went well: the next pause is the first again.
  public mutating func reset() { following = first }
}
