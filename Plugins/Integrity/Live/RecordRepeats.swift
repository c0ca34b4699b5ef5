/// Which changes of a path are told as records of the kernel's audit: the first one, and then none
/// until the path was left alone for a minute. A value without a clock.
///
/// A record makes others write: auditd's log grows with it, and so does what a plugin makes of it.
/// Where such a file is watched, each record would be the cause of the next one.
struct RecordRepeats {
  static let quiet = Duration.seconds(60)
  /// Paths that are remembered; of more there is no record as long as all of them are in use.
  static let most = 10_000

  private var last: [FilePath: (at: Duration, held: Int)] = [:]
  /// Until when it is not looked again whether any can be forgotten.
  private var fullUntil = Duration.zero
  /// Changes that had no record.
  private(set) var held = 0

  /// Whether there is a record of a change that is told now: how many of the same path had none
  /// before; `nil`: this one has none either. What is told once more of one that has a record has one
  /// too, whatever came of its path since, and is not asked for here.
  mutating func take(_ path: FilePath, at now: Duration) -> Int? {
    let before = last[path]
    guard before != nil || hasRoom(at: now) else {
      held += 1
      return nil
    }
    if let before, before.at + Self.quiet > now {
      last[path] = (now, before.held + 1)
      held += 1
      return nil
    }
    last[path] = (now, 0)
    return before?.held ?? 0
  }

  /// Whether one more path can be remembered. Looks at all of them, once a second at most.
  private mutating func hasRoom(at now: Duration) -> Bool {
    if last.count < Self.most { return true }
    guard now >= fullUntil else { return false }
    last = last.filter { $0.value.at + Self.quiet > now }
    if last.count < Self.most { return true }
    let earliest = last.values.map(\.at).min() ?? now
    fullUntil = max(earliest + Self.quiet, now + .seconds(1))
    return false
  }
}
