/// How much comes in a second, of late.
struct InputRate: Equatable {
  /// In a second; of neither there is none.
  struct Rate: Equatable {
    var records: Double
    var bytes: Double
  }

  private static let window = Duration.seconds(10)

  private var start: Duration
  private var records = 0
  private var bytes = 0
  private var before: Rate?

  init(at now: Duration) { start = now }

  mutating func note(_ records: Int, bytes: Int, at now: Duration) {
    if now - start >= Self.window {
      before = rate(now - start)
      start = now
      self.records = 0
      self.bytes = 0
    }
    self.records += records
    self.bytes += bytes
  }

  /// `nil` as long as too little is known, and when nothing comes.
  func perSecond(at now: Duration) -> Rate? {
    now - start >= .seconds(1) ? rate(now - start) : before
  }

  private func rate(_ time: Duration) -> Rate? {
    guard records > 0 else { return nil }
    let seconds = time / .seconds(1)
    return Rate(records: Double(records) / seconds, bytes: Double(bytes) / seconds)
  }
}
