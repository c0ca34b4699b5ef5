import AuditRecord
import Linux

/// Says on standard error what input had to be skipped: the first of it with a sample, then the
/// new total at most once a minute, and the whole at the end.
struct MalformedReports {
  private static let interval = Duration.seconds(60)

  private var log: PluginLog
  private var reported = 0
  private var last: Duration?

  init(log: PluginLog) { self.log = log }

  mutating func note(_ counts: [MalformedInput: Int], sample: [UInt8], at now: Duration) {
    let total = counts.values.reduce(0, +)
    guard total > reported else { return }
    if let last, now - last < Self.interval { return }
    let isFirst = reported == 0
    reported = total
    last = now
    let example = isFirst ? ", for example \"\(SafeText.escaped(sample))\"" : ""
    log.write(.warning, "skipped \(Self.text(counts))\(example)")
  }

  mutating func close(_ counts: [MalformedInput: Int]) {
    if counts.values.reduce(0, +) > 0 {
      log.write(.warning, "skipped in all: \(Self.text(counts))")
    }
  }

  static func text(_ counts: [MalformedInput: Int]) -> String {
    let total = counts.values.reduce(0, +)
    let kinds = MalformedInput.allCases.compactMap { kind in
      counts[kind].map { "\(kind.rawValue): \($0)" }
    }
    return "\(counted(total, "malformed input")) (\(kinds.joined(separator: ", ")))"
  }
}
