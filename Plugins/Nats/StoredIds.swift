import Linux

/// Whether what may be stored already has to be looked for: within its window the stream knows
/// ids by itself.
enum LookUp: Equatable {
  /// Nothing of it is there, or the stream knows what is.
  case needless
  /// The ids from that time on, in nanoseconds since 1970, are those that may be meant.
  case since(Int64)

  /// - Parameters:
  ///   - last: when the last message of these subjects was stored, by the server's clock.
  ///   - now: by ours, which may be some minutes off.
  ///   - window: of the stream.
  ///   - answerTime: how long a message may be under way.
  ///
  /// Whoever stored the last message and was not heard stored what is in doubt shortly before it: a
  /// batch is under way at a time, and then nothing more until it is confirmed.
  init(last: Int64?, now: Int64, window: Duration, answerTime: Duration) {
    guard let last else {
      self = .needless
      return
    }
    let age = Duration.nanoseconds(now - last)
    // Half of it: the clocks may differ, and some time passes until the messages are there.
    if age < window / 2 {
      self = .needless
      return
    }
    self = .since(last - (answerTime * 2 + Self.margin).inNanoseconds)
  }

  private static let margin = Duration.seconds(60)
}
