/// How many records come in a second, of late.
struct InputRate: Equatable {
  private static let window = Duration.seconds(10)

  private var start: Duration
  private var count = 0
  private var before: Double?

  init(at now: Duration) { start = now }

  mutating func note(_ records: Int, at now: Duration) {
    if now - start >= Self.window {
      before = Self.rate(count, now - start)
      start = now
      count = 0
    }
    count += records
  }

  /// `nil` as long as too little is known.
  func perSecond(at now: Duration) -> Double? {
    now - start >= .seconds(1) ? Self.rate(count, now - start) : before
  }

  private static func rate(_ count: Int, _ time: Duration) -> Double {
    Double(count) / (time / .seconds(1))
  }
}
