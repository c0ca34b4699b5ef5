/// Lets one report through in each period, the first at once, and counts those held back.
public struct RateLimit: Sendable {
  public let period: Duration
  private var next: Moment?
  public private(set) var held: UInt64 = 0

  public init(every period: Duration) { self.period = period }

  /// Whether this one may pass: the count of those held back since the last, or `nil`.
  public mutating func pass(_ now: Moment) -> UInt64? {
    if let next, now < next {
      held += 1
      return nil
    }
    next = now + period
    defer { held = 0 }
    return held
  }
}
