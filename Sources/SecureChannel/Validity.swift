/// When to say that something ends which TLS rests on: from 30 days before on, daily, and when it has
/// ended. A value without clock.
public struct Validity: Equatable, Sendable {
  /// How long before the end it is said.
  public static let notice = Duration.seconds(30 * day)
  private static let day: Int64 = 86_400

  /// What ends, as the subject of a sentence.
  public let what: String
  /// How long it still counts; below zero when it does not any more.
  public let left: Duration

  public init(_ what: String, left: Duration) {
    self.what = what
    self.left = left
  }

  /// What is to be said now; `nil`: nothing.
  public var warning: String? {
    guard left < Self.notice else { return nil }
    if left < .zero { return "\(what) has ended" }
    let days = left.components.seconds / Self.day
    return "\(what) ends "
      + (days == 0 ? "within a day" : days == 1 ? "in 1 day" : "in \(days) days")
  }

  /// After how long to look at it again.
  public var pause: Duration {
    left < .zero ? .seconds(Self.day) : min(.seconds(Self.day), left + .seconds(1))
  }
}
