/// How many records of all peers together may be on their way into the journal: as few as keep it busy, so
/// that what one peer sends does not wait behind all that others had sent. A value without clock.
///
/// Records are acknowledged in groups, one while the next gathers: where an acknowledgement leaves about
/// as many as it was for, there is enough. Where it leaves fewer, though a peer was held back, the limit
/// was too low; where all those of a period leave more, it was too high. Where the processor is the limit,
/// not the disk, a group takes the longer the larger it is, and leaves few whatever the limit: so it is too
/// high, too, where records take longer than they should.
public struct IntakeLimit: Sendable {
  public static let bounds = 64...4096
  /// A peer that waits for fewer answers is never held back.
  public static let share = 16
  /// Nor is one that waits alone, while it waits for fewer: whose records could wait behind its own?
  public static let alone = 512
  static let period = Duration.milliseconds(50)

  public private(set) var limit = 256
  private var hasHeldBack = false
  /// The least that was left in this period.
  private var slack = Int.max
  private var began = Duration.zero
  /// Until then the last change has no effect on what is acknowledged.
  private var settled = Duration.zero

  public init() {}

  /// How many records may be read of a peer.
  ///
  /// - Parameters:
  ///   - onTheirWay: records of all peers.
  ///   - unanswered: messages of this one.
  ///   - peers: how many wait for answers.
  public func room(onTheirWay: Int, unanswered: Int, peers: Int) -> Int {
    let share = peers > 1 ? max(Self.share, limit / peers) : max(Self.alone, limit)
    return max(limit - onTheirWay, share - unanswered, 0)
  }

  /// A peer is not read, as there is no room for what it may have sent.
  public mutating func heldBack() { hasHeldBack = true }

  /// Records were acknowledged.
  ///
  /// - Parameters:
  ///   - left: how many are still on their way.
  ///   - time: how long the first of those acknowledged took.
  ///   - longest: how long it should take at most.
  public mutating func acknowledged(
    left: Int, after time: Duration, longest: Duration, now: Duration
  ) {
    slack = min(slack, left)
    let isLate = time > longest
    let isFew = left * 5 < limit * 2
    if hasHeldBack, isLate || isFew {
      guard now >= settled else { return }
      change(up: !isLate)
    } else if now - began < Self.period {
      return
    } else if slack * 5 > limit * 3 {
      change(up: false)
    }
    hasHeldBack = false
    slack = .max
    began = now
    settled = now + time
  }

  private mutating func change(up: Bool) {
    limit = up ? limit + limit / 8 : limit - limit / 8
    limit = min(max(limit, Self.bounds.lowerBound), Self.bounds.upperBound)
  }
}
