public import AudispatchPlugin
public import BulkIndexing
public import Configuration
import Linux

/// How long is waited, and for what: `answer_time`, `connect_time`, `retry_time`, `retry_time_max`.
public struct Patience: Equatable, Sendable {
  public var answerTime: Duration
  public var connectTime: Duration
  public var delay = RetryDelay(shortest: .seconds(1), longest: .seconds(60))

  public init(answerTime: Duration, connectTime: Duration = .seconds(10)) {
    self.answerTime = answerTime
    self.connectTime = connectTime
  }

  /// - Parameter standard: what counts without them.
  public static func keywords<Options>(
    _ place: any WritableKeyPath<Options, Patience> & Sendable, standard: Patience
  ) -> [PluginKeyword<Options>] {
    let (answer, connect) = (
      Int(standard.answerTime / .seconds(1)), Int(standard.connectTime / .seconds(1))
    )
    return [
      .value("answer_time", "SECONDS", "an answer may take (\(answer))") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].answerTime = try w.seconds(
          in: .milliseconds(100)...(.seconds(3600)), for: "answer_time")
      },
      .value("connect_time", "SECONDS", "a connection may take (\(connect))") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].connectTime = try w.seconds(
          in: .milliseconds(100)...(.seconds(300)), for: "connect_time")
      },
      .value("retry_time", "SECONDS", "until a first new attempt (1)") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].delay.shortest = try w.seconds(
          in: .milliseconds(10)...(.seconds(600)), for: "retry_time")
      },
      .value("retry_time_max", "SECONDS", "between attempts at last (60)") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].delay.longest = try w.seconds(
          in: .milliseconds(10)...(.seconds(3600)), for: "retry_time_max")
      },
    ]
  }

  /// Sees to it that the longest is no shorter than the shortest.
  public mutating func settle() { delay.longest = max(delay.shortest, delay.longest) }
}
