import DequeModule

/// Records of all peers, counted as they are passed on and as they become safe, and how many more may be
/// read. A value: times are those that it is told.
public struct RecordIntake: Sendable {
  static let shortRecord = 128

  private var total: UInt64 = 0
  /// All up to this number are safe.
  public private(set) var safe: UInt64 = 0
  private var limit = IntakeLimit()
  private var probe = StorageProbe()
  /// When those were passed on that are not safe: each from its number on.
  private var passed: Deque<(number: UInt64, at: Duration)> = []

  public init() {}

  /// A record is passed on.
  ///
  /// - Returns: which one it is, from 1 on.
  public mutating func pass(now: Duration) -> UInt64 {
    total += 1
    if passed.last?.at != now { passed.append((total, now)) }
    probe.passed(total, now: now)
    return total
  }

  public mutating func isSafe(through number: UInt64, now: Duration) {
    safe = max(safe, min(number, total))
    let time = takeSafe(now)
    if !probe.isProbing, let storing = probe.storing {
      limit.acknowledged(
        left: Int(total - safe), after: time, longest: storing * 3 / 2 + .milliseconds(1), now: now)
    }
    probe.isSafe(through: safe, of: total, now: now)
  }

  /// How long the first of them took that have become safe.
  private mutating func takeSafe(_ now: Duration) -> Duration {
    guard let oldest = passed.first, oldest.number <= safe else { return .zero }
    while let first = passed.first, first.number <= safe {
      let end = passed.count > 1 ? passed[1].number : total + 1
      if end > safe + 1 {
        passed[0].number = safe + 1
        break
      }
      passed.removeFirst()
    }
    return now - oldest.at
  }

  /// How many bytes may be read of a peer that waits for so many answers, as one of so many.
  public func room(unanswered: Int, peers: Int) -> Int {
    let records =
      probe.isProbing
      ? max(IntakeLimit.share - unanswered, 0)
      : limit.room(onTheirWay: Int(total - safe), unanswered: unanswered, peers: peers)
    return Self.shortRecord * records
  }

  /// A peer is not read, as there is no room for what it may have sent.
  public mutating func heldBack() {
    guard !probe.isProbing else { return }
    probe.isWanted = true
    limit.heldBack()
  }
}
