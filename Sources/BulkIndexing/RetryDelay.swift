/// How long to wait before something is tried again: twice as long each time, and at random a little
/// less, so that many who were sent away together do not come back together.
public struct RetryDelay: Equatable, Sendable {
  public var shortest: Duration
  public var longest: Duration

  public init(shortest: Duration, longest: Duration) {
    self.shortest = shortest
    self.longest = max(shortest, longest)
  }

  /// - Parameters:
  ///   - failures: in a row, from 1 on.
  ///   - chance: a random number from 0 to 1.
  ///   - asked: for how long the server wants to be left alone; at least that long, but no longer
  ///     than `mostAsked`.
  public func next(failures: Int, chance: Double, asked: Duration? = nil) -> Duration {
    var delay = shortest
    var left = max(failures, 1) - 1
    while left > 0, delay < longest {
      delay *= 2
      left -= 1
    }
    delay = min(delay, longest)
    // From half of it to the whole.
    let jittered = delay / 2 + delay * (min(max(chance, 0), 1) / 2)
    guard let asked else { return jittered }
    return max(jittered, min(asked, Self.mostAsked) + shortest * (min(max(chance, 0), 1) / 2))
  }

  /// A server that asks for more is asked again by then.
  public static let mostAsked = Duration.seconds(600)
}
