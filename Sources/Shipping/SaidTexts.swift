/// Texts that were said: each is said once a minute, also where some take turns.
public struct SaidTexts: Equatable, Sendable {
  static let interval = Duration.seconds(60)
  /// When so many are known, all are forgotten.
  private static let mostKnown = 16

  private var times: [String: Duration] = [:]

  public init() {}

  /// Whether a text is to be said; if so, it counts as said.
  public mutating func isDue(_ text: String, at now: Duration) -> Bool {
    if let time = times[text], now - time < Self.interval { return false }
    if times.count >= Self.mostKnown { times = [:] }
    times[text] = now
    return true
  }
}
