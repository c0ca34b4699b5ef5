import Linux

/// How fast a scan may be: a bucket that fills at a steady rate and holds what comes in a second.
struct Throttle: Equatable, Sendable {
  /// Units a second; 0: as fast as it goes.
  let rate: Double
  private var level: Double
  private var filled: Moment

  init(rate: Int, now: Moment) {
    self.rate = Double(rate)
    level = Double(rate)
    filled = now
  }

  /// Takes so much out, which may leave a debt, and says how long to wait until that is paid.
  mutating func take(_ amount: Int, at now: Moment) -> Duration {
    if rate == 0 { return .zero }
    level = min(rate, level + (now - filled).inSeconds * rate)
    filled = now
    level -= Double(amount)
    return level >= 0 ? .zero : .nanoseconds(Int64(-level / rate * 1e9))
  }
}
