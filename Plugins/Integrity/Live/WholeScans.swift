/// What scans of everything say of what they do not name: that it was as the baseline has it when they
/// began. A value; scans run one behind the other, and several that are asked for may be one.
struct WholeScans {
  /// What one has found so far.
  struct Findings: Sendable {
    /// Paths that are not as the baseline has them: of those it says nothing.
    var named: Set<FilePath> = []
    /// Below which it could not look.
    var hidden: Set<FilePath> = []
  }

  private struct Run {
    var number: Int
    var reading: Reading
    var findings = Findings()
  }

  private var running: [Run] = []
  private var last = 0
  /// The last ones that have ended: what the newest names was as it should be in one before.
  private var ended: [Run] = []
  private static let mostEnded = 3

  var areRunning: Bool { !running.isEmpty }

  /// When the newest one was asked for that runs or has ended, in milliseconds since 1970.
  var newest: Int64? { running.last?.reading.since ?? verified?.since }

  /// What the last one that has ended says of all that it did not name.
  var verified: Reading? { ended.last?.reading }

  /// One is asked for, with what was read then: its number.
  mutating func begin(_ reading: Reading) -> Int {
    last += 1
    running.append(Run(number: last, reading: reading))
    return last
  }

  /// More was found by one that runs.
  mutating func note(_ findings: Findings, by number: Int) {
    guard let index = running.firstIndex(where: { $0.number == number }) else { return }
    running[index].findings.named.formUnion(findings.named)
    running[index].findings.hidden.formUnion(findings.hidden)
  }

  /// One has ended, and those before it that it stands for.
  mutating func end(_ number: Int, isWhole: Bool) {
    let run = running.first { $0.number == number }
    running.removeAll { $0.number <= number }
    guard isWhole, let run else { return }
    if ended.count == Self.mostEnded { ended.removeFirst() }
    ended.append(run)
  }

  /// What the last one that has ended and did not name a path says of it: it was as the baseline has it.
  func verified(_ path: FilePath) -> Reading? {
    ended.last { $0.findings.areWell(path) }?.reading
  }
}

extension WholeScans.Findings {
  fileprivate func areWell(_ path: FilePath) -> Bool {
    if named.contains(path) { return false }
    var above = path
    while !hidden.isEmpty {
      if hidden.contains(above) { return false }
      if above.isRoot { break }
      above = above.folder
    }
    return true
  }
}

/// When everything is scanned because the stream lacked something: behind that a state is known again
/// since when nothing is missed, and who changes it can be certain. A value without a clock; moments
/// of the stream are in milliseconds since 1970.
struct ProofScans {
  /// What is missing may only be late.
  static let patience = Duration.seconds(1)
  static let longestPause = Duration.seconds(600)

  /// When one is due.
  private(set) var due: Duration?
  private var asked: Int64?
  private var pauseUntil = Duration.zero

  /// - Parameters:
  ///   - uncertain: up to when something may have been missed (`StreamGaps.uncertainUpTo`).
  ///   - scanned: when the newest scan of everything began.
  ///   - isFirst: it is the stream's beginning, of which nothing comes late.
  mutating func note(
    uncertainUpTo uncertain: Int64?, scanned: Int64?, isFirst: Bool, at now: Duration
  ) {
    guard let uncertain, uncertain > scanned ?? .min else {
      (due, asked) = (nil, nil)
      return
    }
    // Where the clock was set back no scan would ever be late enough.
    if uncertain == asked { return }
    asked = uncertain
    due = due ?? max(isFirst ? now : now + Self.patience, pauseUntil)
  }

  /// One was begun: those that have the same cause are not more than a tenth of the time.
  mutating func begin() { due = nil }

  /// One was cut short: what it was for is not known yet.
  mutating func failed(at now: Duration) { due = max(pauseUntil, now + Self.longestPause) }

  mutating func end(after duration: Duration, at now: Duration) {
    pauseUntil = now + min(duration * 9, Self.longestPause)
  }
}
