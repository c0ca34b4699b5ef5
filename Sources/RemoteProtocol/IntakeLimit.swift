/// How many records of all peers together may be on their way into the journal: as few as keep it busy, so
/// that what one peer sends does not wait behind all that others had sent. A value without clock.
///
/// Records are acknowledged in groups, one while the next gathers: where an acknowledgement leaves about
/// as many as it was for, there is enough. Where it leaves fewer, though a peer was held back, the limit
/// was too low; where all those of a period leave more, it was too high.
public struct IntakeLimit: Sendable {
  public static let bounds = 64...4096
  /// A peer that waits for fewer answers is never held back.
  public static let share = 16
  static let period = Duration.milliseconds(50)

  public private(set) var limit = 256
  private var hasHeldBack = false
  /// The least that was left in this period.
  private var slack = Int.max
  private var began: Duration

  public init(now: Duration) { began = now }

  /// How many records may be read of a peer.
  ///
  /// - Parameters:
  ///   - onTheirWay: records of all peers.
  ///   - unanswered: messages of this one.
  ///   - peers: how many wait for answers.
  public func room(onTheirWay: Int, unanswered: Int, peers: Int) -> Int {
    let share = max(Self.share, limit / max(peers, 1))
    return max(limit - onTheirWay, share - unanswered, 0)
  }

  /// A peer is not read, as there is no room for what it may have sent.
  public mutating func heldBack() { hasHeldBack = true }

  /// Records were acknowledged, and so many are still on their way.
  public mutating func acknowledged(left: Int, now: Duration) {
    slack = min(slack, left)
    if hasHeldBack, left * 5 < limit * 2 {
      limit = min(limit + limit / 8, Self.bounds.upperBound)
    } else if now - began < Self.period {
      return
    } else if slack * 5 > limit * 3 {
      limit = max(limit - limit / 8, Self.bounds.lowerBound)
    }
    hasHeldBack = false
    slack = .max
    began = now
  }
}

/// Records of all peers, counted as they are passed on and as they become safe.
public struct RecordIntake: Sendable {
  static let shortRecord = 128

  private var total: UInt64 = 0
  /// All up to this number are safe.
  public private(set) var safe: UInt64 = 0
  private var limit: IntakeLimit

  public init(now: Duration) { limit = IntakeLimit(now: now) }

  /// A record is passed on.
  ///
  /// - Returns: which one it is, from 1 on.
  public mutating func pass() -> UInt64 {
    total += 1
    return total
  }

  public mutating func isSafe(through number: UInt64, now: Duration) {
    safe = max(safe, min(number, total))
    limit.acknowledged(left: Int(total - safe), now: now)
  }

  /// How many bytes may be read of a peer that waits for so many answers, as one of so many.
  public func room(unanswered: Int, peers: Int) -> Int {
    Self.shortRecord
      * limit.room(onTheirWay: Int(total - safe), unanswered: unanswered, peers: peers)
  }

  /// A peer is not read, as there is no room for what it may have sent.
  public mutating func heldBack() { limit.heldBack() }
}
