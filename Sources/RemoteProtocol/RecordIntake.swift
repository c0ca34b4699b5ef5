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
  private var passed: [(number: UInt64, at: Duration)] = []
  private var first = 0

  public init() {}

  /// A record is passed on.
  ///
  /// - Returns: which one it is, from 1 on.
  public mutating func pass(now: Duration) -> UInt64 {
    total += 1
    if first == passed.count || passed[passed.count - 1].at != now { passed.append((total, now)) }
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
    guard first < passed.count, passed[first].number <= safe else { return .zero }
    let time = now - passed[first].at
    while first < passed.count, passed[first].number <= safe {
      let end = first + 1 < passed.count ? passed[first + 1].number : total + 1
      if end > safe + 1 {
        passed[first].number = safe + 1
        break
      }
      first += 1
    }
    if first == passed.count {
      passed.removeAll(keepingCapacity: true)
      first = 0
    } else if first > 1024, first * 2 > passed.count {
      passed.removeFirst(first)
      first = 0
    }
    return time
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
