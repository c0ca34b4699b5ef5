import Linux
import Synchronization

/// Looks at folders on threads of its own, and names what is not as the baseline has it. It tells
/// nothing to anybody: whoever asked looks at each path himself.
final class BackgroundScan: ThreadWork {
  /// What came of scans.
  struct Result: Sendable {
    var paths: [FilePath] = []
    var problems: [ScanProblem] = []
    var failure: String?
    /// Scans that have come to their end.
    var ended: [[FilePath]] = []
  }

  private struct State {
    var wanted: [FilePath] = []
    var isRunning = false
    var result = Result()
  }

  private let database: String
  private let policy: Policy
  private let settings: Scan.Settings
  private let bell: @Sendable () -> Void
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
  func want(_ roots: [FilePath]) throws(SystemError) {
    let starts = state.withLock { state in
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
      let roots = state.withLock { state in
        defer { state.wanted = [] }
        if state.wanted.isEmpty { state.isRunning = false }
        return state.wanted
      }
      if roots.isEmpty { return }
      do { try scan(roots) } catch {
        state.withLock { $0.result.failure = "\(error)" }
      }
      state.withLock { $0.result.ended.append(roots) }
      bell()
    }
  }

  private func scan(_ roots: [FilePath]) throws {
    let baseline = try Baseline.open(database, readOnly: true)
    var comparison = Comparison(baseline, policy)
    try Scan(policy, settings).run(roots) { event in
      var paths: [FilePath] = []
      switch event {
      case .part(let part): paths = try comparison.take(part).map(\.path)
      case .problem(let problem):
        comparison.note(problem)
        if !problem.isExpected { state.withLock { $0.result.problems.append(problem) } }
      case .missing(let path): comparison.missing(path)
      }
      pass(paths)
      return true
    }
    pass(try comparison.finish(roots).map(\.path))
  }

  private func pass(_ paths: [FilePath]) {
    guard !paths.isEmpty else { return }
    state.withLock { $0.result.paths += paths }
    bell()
  }
}
