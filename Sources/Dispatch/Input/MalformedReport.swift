import AuditRecord
import Linux

/// What to say of input that was skipped: the first sample since the last report, at a low rate.
struct MalformedReport {
  private var news: (kind: MalformedInput, sample: [UInt8])?
  private var rate = RateLimit(every: .seconds(10))

  /// Whether a sample would be the first since the last report.
  var wantsSample: Bool { news == nil }

  mutating func note(_ kind: MalformedInput, _ sample: [UInt8]) {
    if wantsSample { news = (kind, sample) }
  }

  /// - Parameter total: how often input was skipped.
  /// - Returns: `nil`: there is nothing new, or it is too early.
  mutating func message(_ now: Moment, total: UInt64) -> String? {
    guard let news else { return nil }
    self.news = nil
    guard let held = rate.pass(now) else { return nil }
    let more = held > 0 ? ", \(held) reports held back" : ""
    return "malformed input skipped (\(news.kind.rawValue)): '\(printable(news.sample))' "
      + "(\(total) so far\(more))"
  }
}
