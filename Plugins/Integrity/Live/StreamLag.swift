/// How late records come, and how often a change is looked at before it is told without the one that
/// says who made it. A value without a clock; moments of records are in milliseconds since 1970.
struct StreamLag: Equatable, Sendable {
  /// How late a record may be that is on its way here while nothing else waits.
  static let transit: Int64 = 250
  /// How long it is remembered that one was later.
  static let memory = Duration.seconds(60)
  /// A change waits for no record that is later than this: it is to be told before what a package
  /// manager did is explained (`UpdateWatch.patience`).
  static let longest: Int64 = 15_000

  /// Since when the stream is read: what is older has waited for that, and was not under way so long.
  private let start: Int64
  private(set) var milliseconds: Int64 = 0
  private var until = Duration.zero

  init(from start: Int64) { self.start = start }

  /// A record has come that was made at `stamp`.
  mutating func note(_ stamp: Int64, at wall: Int64, _ now: Duration) {
    let late = wall - max(stamp, start)
    guard late > Self.transit else { return }
    milliseconds = max(late, milliseconds)
    until = now + Self.memory
  }

  /// Up to when everything has come, where nothing waits.
  mutating func reach(at wall: Int64, _ now: Duration) -> Int64 {
    if until < now { milliseconds = 0 }
    return wall - max(Self.transit, milliseconds)
  }

  /// How often a change is looked at again, after the settle time each, before it is told so.
  ///
  /// - Parameter isFound: no event told of it, so that none need come by audit either.
  func tries(for attribution: Attribution, isFound: Bool) -> Int {
    if attribution.isLate {
      let longest = Duration.milliseconds(min(milliseconds, Self.longest))
      return max(24, Int(longest / IntegrityPlugin.settleTime) + 4)
    }
    return attribution.lacksRecord && !isFound ? 4 : 0
  }
}

extension Attribution {
  /// Whether a record that would explain all of it may be on its way.
  fileprivate var lacksRecord: Bool {
    confidence == .none || reasons.contains { $0.hasPrefix(Explanation.lack) }
  }

  /// Whether the stream has not come so far, or what is missing in it may still come.
  var isLate: Bool {
    reasons.contains { $0 == StreamGaps.endsBefore || $0.hasSuffix(StreamGaps.missing) }
  }
}
