public import Linux

/// Of which peers it was said that their certificates end: of each once a day.
///
/// Contract: a thousand of them are told apart. The others are named one in ten seconds at the most,
/// together with how many were not.
public struct CertificateNotices: Sendable {
  static let limit = 1000

  private var day: Int64 = 0
  /// Those that were named this day.
  private var named: Set<String> = []
  private var others = RateLimit(every: .seconds(10))

  public init() {}

  /// Whether to say it now of the peer with that identity.
  ///
  /// - Returns: how many others were not named since one of them was; `nil`: it is not said.
  public mutating func pass(_ identity: String, _ now: Moment) -> UInt64? {
    let today = now.nanoseconds / 86_400_000_000_000
    if today != day { (day, named) = (today, []) }
    if named.contains(identity) { return nil }
    guard named.count < Self.limit else { return others.pass(now) }
    named.insert(identity)
    return 0
  }
}
