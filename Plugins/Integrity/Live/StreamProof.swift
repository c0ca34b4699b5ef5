/// Since when nothing is missed, and what is done to know it soon: records are written until the first
/// one has come, everything is scanned behind what was lacking, and what was told as certain before
/// that was known is told once more. A value without a clock.
struct StreamProof {
  /// How often a change is looked at again while no record has come behind it: for 12 seconds.
  static let tries = 24

  var marks = StreamMarks()
  var scans = ProofScans()
  /// When it is looked whether something is lacking of what was told.
  private(set) var lookAt: Duration?
  private var revision = 0
  private var hasBegun = false
  /// What was said last; `nil`: nothing yet.
  private var said: Bool?

  var deadline: Duration? { [marks.due, scans.due, lookAt].compactMap(\.self).min() }

  /// Takes what was found of the stream.
  ///
  /// - Parameter scanned: when the newest scan of everything began.
  mutating func note(_ gaps: StreamGaps, scanned: Int64?, at now: Duration) {
    guard gaps.revision != revision else { return }
    revision = gaps.revision
    guard gaps.begin != nil else { return }
    marks.end()
    scans.note(
      uncertainUpTo: gaps.uncertainUpTo, scanned: scanned, isFirst: !hasBegun, at: now)
    hasBegun = true
    lookAt = lookAt ?? now + ProofScans.patience
  }

  mutating func looked() { lookAt = nil }

  enum News: Equatable { case begins, isWhole, lacks }

  /// What is new of it.
  ///
  /// - Parameter isWhole: nothing was missed since the last scan of everything began.
  mutating func news(isWhole: Bool) -> News? {
    guard isWhole != (said ?? false) else { return nil }
    defer { said = isWhole }
    return isWhole ? said == nil ? .begins : .isWhole : .lacks
  }
}

/// When a record is written to see whether it comes back: at the beginning at once, and each time after
/// twice as long, up to a minute, until any record has come; and when somebody is about to be named as
/// certain while nothing has come since. A value without a clock.
struct StreamMarks {
  /// How long it is waited for with the first scan.
  static let patience = Duration.milliseconds(500)
  private static let (first, longest) = (Duration.milliseconds(250), Duration.seconds(60))
  /// A record makes logs grow, which may be watched: there is one every three seconds at the most, and
  /// what was not needed in a minute is there at once.
  private static let (pace, saved) = (Duration.seconds(3), Duration.seconds(60))

  /// Whether any can be written.
  private(set) var isPossible = false
  private(set) var due: Duration?
  private var isBeginning = false
  private var pause = Self.first
  private var pauseUntil = Duration.zero
  /// What those that were written are good for, at that pace.
  private var paid = Duration.zero

  mutating func begin(at now: Duration) {
    (isPossible, isBeginning, due) = (true, true, now)
  }

  /// A record has come.
  mutating func end() {
    if isBeginning { (isBeginning, due) = (false, nil) }
  }

  /// One is needed that was made behind this moment.
  mutating func want(at now: Duration) {
    if isPossible, due == nil { due = max(now, pauseUntil) }
  }

  /// Whether one is to be written now.
  mutating func next(at now: Duration) -> Bool {
    guard let due, due <= now else { return false }
    if isBeginning {
      self.due = now + pause
      pause = min(pause * 2, Self.longest)
      return true
    }
    paid = max(paid, now) + Self.pace
    pauseUntil = max(now + Self.first, paid - Self.saved)
    self.due = nil
    return true
  }
}

/// What the kernel says that it has lost, as when its queue was full: such records have no numbers, so
/// that nothing else tells of them. A value.
struct KernelLosses {
  /// Whether it has said so when it was asked last.
  var isKnown = false
  private var last: (count: UInt32, asked: Int64)?

  /// The time in which it has lost some, if it has since it was asked last. A count that went back was
  /// set back, by whoever may have had a reason.
  mutating func note(
    _ count: UInt32, asked: Int64, answered: Int64
  ) -> (from: Int64, to: Int64)? {
    defer { last = (count, asked) }
    guard let last, last.count != count else { return nil }
    return (min(last.asked, answered), answered)
  }
}
