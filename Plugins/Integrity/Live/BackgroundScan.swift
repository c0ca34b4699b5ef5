import AudispatchPlugin
import Linux
import Synchronization

/// Looks at folders on threads of its own, and names what is not as the baseline has it. It tells
/// nothing to anybody: whoever asked looks at each path himself.
final class BackgroundScan: ThreadWork {
  /// What came of scans.
  struct Result: Sendable {
    var paths: [FilePath] = []
    var problems: [ScanProblem] = []
    /// Of scans of everything, by their numbers.
    var findings: [Int: WholeScans.Findings] = [:]
    /// Files with names elsewhere, by the newest scan of everything.
    var linked: [FilePath]?
    var failure: String?
    /// Scans that have come to their end.
    var ended: [End] = []
  }

  struct End: Sendable {
    /// The number of `want`, of a scan of everything.
    var number: Int?
    var isWhole: Bool
    var duration: Duration
  }

  private struct State {
    var wanted: [FilePath] = []
    var number: Int?
    var isRunning = false
    var result = Result()
  }

  private let database: String
  private let policy: Policy
  private let settings: Scan.Settings
  private let bell: @Sendable () -> Void
  private let reach = ScanReach()
  private let state = Mutex(State())

  init(
    _ database: String, _ policy: Policy, _ settings: Scan.Settings,
    bell: @escaping @Sendable () -> Void
  ) {
    self.database = database
    self.policy = policy
    self.settings = settings
    self.bell = bell
  }

  /// Asks for a scan of these; one that runs comes first.
  ///
  /// - Parameter number: of a scan of everything. One may stand for several: it has the last number.
  func want(_ roots: [FilePath], number: Int? = nil) throws(SystemError) {
    let starts = state.withLock { state in
      state.number = number ?? state.number
      for root in roots where !state.wanted.contains(where: root.isWithin) {
        state.wanted.removeAll { $0.isWithin(root) }
        state.wanted.append(root)
      }
      if state.isRunning || state.wanted.isEmpty { return false }
      state.isRunning = true
      return true
    }
    if starts { try begin { state.withLock { $0.isRunning = false } } }
  }

  func take() -> Result {
    state.withLock { state in
      defer { state.result = Result() }
      return state.result
    }
  }

  func run() {
    while true {
      let (roots, number) = state.withLock { state in
        defer { (state.wanted, state.number) = ([], nil) }
        if state.wanted.isEmpty { state.isRunning = false }
        return (state.wanted, state.number)
      }
      if roots.isEmpty { return }
      let begin = MonotonicTime.now
      var failure: String?
      do { try scan(roots, number) } catch { failure = "\(error)" }
      let end = End(
        number: number, isWhole: failure == nil, duration: MonotonicTime.now - begin)
      state.withLock { state in
        state.result.failure = failure ?? state.result.failure
        state.result.ended.append(end)
      }
      bell()
    }
  }

  private func scan(_ roots: [FilePath], _ number: Int?) throws {
    let baseline = try Baseline.open(database, readOnly: true)
    var comparison = Comparison(baseline, policy)
    var linked = LinkedFiles()
    try Scan(policy, settings, by: reach).run(roots) { event in
      var paths: [FilePath] = []
      switch event {
      case .part(let part):
        linked.take(part)
        paths = try comparison.take(part).map(\.path) + comparison.takeRelinked()
      case .problem(let problem):
        comparison.note(problem)
        state.withLock { state in
          if problem.hidesContent, let number {
            state.result.findings[number, default: .init()].hidden.insert(problem.path)
          }
          if !problem.isExpected { state.result.problems.append(problem) }
        }
      case .missing(let path): comparison.missing(path)
      }
      pass(paths, number)
      return true
    }
    pass(try comparison.finish(roots).map(\.path), number)
    if number != nil { state.withLock { $0.result.linked = linked.paths } }
  }

  private func pass(_ paths: [FilePath], _ number: Int?) {
    guard !paths.isEmpty else { return }
    state.withLock { state in
      state.result.paths += paths
      if let number { state.result.findings[number, default: .init()].named.formUnion(paths) }
    }
    bell()
  }
}
