import AudispatchPlugin
import Linux

/// Scans of everything, on a schedule and where something was missed, and of folders: which are on their
/// way, and what they prove.
///
/// Its deadline is the next scan of everything. They run on threads of their own.
struct Scanning {
  private let background: BackgroundScan
  private var whole = WholeScans()
  private var due: Duration
  /// Paths that the present ones have named.
  private var differing = 0
  /// Files with names elsewhere, as the last one of everything has found them.
  private(set) var linked: [FilePath] = []
  /// How many have ended.
  private(set) var count = 0

  init(_ options: IntegrityOptions, bell: @escaping @Sendable () -> Void) {
    background = BackgroundScan(
      options.database, options.policy, options.scanSettings, bell: bell)
    due = MonotonicTime.now
  }

  var deadline: Duration { due }

  /// With what is configured now; what ran before proves nothing any more.
  mutating func reload(_ options: IntegrityOptions, bell: @escaping @Sendable () -> Void) {
    let (count, linked) = (count, linked)
    self = Scanning(options, bell: bell)
    (self.count, self.linked) = (count, linked.filter { options.policy.watched($0) != nil })
  }

  mutating func wait(until due: Duration) { self.due = due }

  /// Asks for one of everything.
  mutating func begin(
    _ roots: [FilePath], _ reading: Reading, next: Duration
  ) throws(SystemError) {
    due = next
    try background.want(roots, number: whole.begin(reading))
  }

  func want(_ paths: [FilePath]) throws(SystemError) { try background.want(paths) }

  /// What has come of them since the last time.
  mutating func take() -> BackgroundScan.Result {
    let result = background.take()
    differing += result.paths.count
    for (number, findings) in result.findings { whole.note(findings, by: number) }
    count += result.ended.count
    linked = result.linked ?? linked
    return result
  }

  /// Takes that one of everything has ended.
  ///
  /// - Returns: how many paths there are to look at, if it was whole.
  mutating func end(_ number: Int, isWhole: Bool) -> Int? {
    whole.end(number, isWhole: isWhole)
    guard isWhole else { return nil }
    defer { differing = 0 }
    return differing
  }

  // MARK: What is known by them

  /// When the newest one was asked for that runs or has ended, in milliseconds since 1970.
  var newest: Int64? { whole.newest }

  /// Since when everything is known that the last one did not name.
  var verified: Int64? { whole.verified?.since }

  func verified(_ path: FilePath) -> Reading? { whole.verified(path) }

  /// Whether one of everything is on its way: what it will find is not known yet.
  var isRunning: Bool { whole.areRunning || whole.newest == nil }
}
