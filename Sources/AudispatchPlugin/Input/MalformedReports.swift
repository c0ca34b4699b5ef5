import AuditRecord
import Linux

/// Says on standard error what input had to be skipped: the first of it with a sample, then the
/// new total at most once a minute, and the whole at the end.
struct MalformedReports {
  private static let interval = Duration.seconds(60)

  private let name: String
  private var reported = 0
  private var last: Duration?

  init(name: String) { self.name = name }

  mutating func note(_ counts: [MalformedInput: Int], sample: [UInt8], at now: Duration) {
    let total = counts.values.reduce(0, +)
    guard total > reported else { return }
    if let last, now - last < Self.interval { return }
    let isFirst = reported == 0
    reported = total
    last = now
    let example = isFirst ? ", for example \"\(SafeText.escaped(sample))\"" : ""
    say("skipped \(Self.text(counts))\(example)")
  }

  func close(_ counts: [MalformedInput: Int]) {
    if counts.values.reduce(0, +) > 0 { say("skipped in all: \(Self.text(counts))") }
  }

  private func say(_ text: String) { PluginLog(name: name).write(text) }

  static func text(_ counts: [MalformedInput: Int]) -> String {
    let total = counts.values.reduce(0, +)
    let kinds = MalformedInput.allCases.compactMap { kind in
      counts[kind].map { "\(kind.rawValue): \($0)" }
    }
    return "\(total) malformed input\(total == 1 ? "" : "s") (\(kinds.joined(separator: ", ")))"
  }
}

/// Messages of a plugin: one line each on standard error, which the dispatcher catches.
public struct PluginLog: Sendable {
  public let name: String

  public init(name: String) { self.name = name }

  public func write(_ text: String) {
    // A message that cannot be written has nowhere else to go.
    do { try Transfer.writeAll(2, Array("\(name): \(text)\n".utf8)) } catch {}
  }
}
