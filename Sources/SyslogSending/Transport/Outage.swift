/// What is said about servers that cannot be reached: each reason when it is another one, at a low
/// rate, and again at intervals that it lasts.
package struct Outage: Equatable {
  /// A changed reason is said at most so often.
  package static let changeEvery = Duration.seconds(10)
  /// How often it is said that it lasts.
  package static let repeatEvery = Duration.seconds(60)

  package private(set) var since: Duration
  private var lastWord: Duration
  private var nextRepeat: Duration
  /// What was said last, by server.
  private var reasons: [Int: String]

  package init(at now: Duration, _ reasons: [Int: String]) {
    since = now
    lastWord = now
    nextRepeat = now + Self.repeatEvery
    self.reasons = reasons
  }

  /// An attempt failed. Returns whether its reason is to be said.
  package mutating func isNews(_ reason: String, of server: Int, at now: Duration) -> Bool {
    guard reasons[server] != reason else { return false }
    // One that changes to and fro is not said each time.
    guard now - lastWord >= Self.changeEvery else { return false }
    reasons[server] = reason
    lastWord = now
    return true
  }

  /// Returns whether it is to be said that it lasts.
  package mutating func isToBeRepeated(at now: Duration) -> Bool {
    guard nextRepeat <= now else { return false }
    nextRepeat = now + Self.repeatEvery
    return true
  }

  package func lasts(at now: Duration) -> String { "\((now - since).components.seconds) s" }
}
