import Linux

/// What a plugin's status says of what was before: why it is as it is.
struct PluginPast {
  struct Note<Value> {
    let value: Value
    /// Seconds since 1970.
    let at: Int64

    init(_ value: Value) {
      self.value = value
      at = WallClock.milliseconds / 1000
    }
  }

  /// How its last process ended.
  var lastExit: Note<ChildEnd>?
  /// The last line that it wrote, or that was said of it in vain.
  var lastMessage: Note<String>?
  /// Starts in a row that failed for a reason that does not pass, and the last reason.
  private(set) var failedStarts: (count: Int, reason: String) = (0, "")
  /// Since when a child has been on its way to its program; `nil`: none is.
  var launchedAt: Moment?
  /// Processes that were killed before they were its program, and have not ended.
  var leftBehind = 0
  /// What was said of its confinement since its start.
  private var advice: Set<String> = []
  /// What is said of lines that confirm nothing.
  private var confirmationReport = RateLimit(every: .seconds(10))

  mutating func started() {
    advice = []
    failedStarts = (0, "")
    launchedAt = nil
  }

  /// - Parameter passes: another try may do better.
  mutating func failedToStart(_ reason: String, passes: Bool) {
    lastMessage = .init(reason)
    launchedAt = nil
    failedStarts = (passes ? 0 : failedStarts.count + 1, reason)
  }

  /// Whether something that it says wrongly on its input is reported now.
  mutating func reportsConfirmation(_ now: Moment) -> Bool {
    confirmationReport.pass(now) != nil
  }

  /// Whether that was not said since its start; of more than twenty none is.
  mutating func isNews(advice clause: String) -> Bool {
    advice.count < 20 && advice.insert(clause).inserted
  }
}
