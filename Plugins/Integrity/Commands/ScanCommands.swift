import AudispatchPlugin
import Glibc
import Linux

/// The commands that look at files.
extension CommandExecution {
  mutating func initialize() throws -> Int32 {
    guard !options.policy.roots.isEmpty else { return nothingWatched() }
    let policy = options.policy.text
    let key = try options.key()
    try makeFolder()
    if options.canary {
      for root in WatchRules.canaryRoots(of: options.policy) {
        try CanarySteps.makeFolder(in: root, for: options.canaryLogin)
      }
    }
    var building = try Building(for: options.database, policy: policy, restarting: options.restarts)
    if building.isResumed { log.write(.info, "goes on with the scan that was interrupted") }
    let known = try building.known()
    let scan = Scan(options.policy, settings) { known[$0] }
    let signals = try SignalSource([SIGINT, SIGTERM])
    var progress = ScanProgress()
    var problems = ProblemReport()
    var isInterrupted = false
    try scan.run(options.policy.roots) { event in
      switch event {
      case .part(let part):
        try building.take(part)
        progress.note(part)
      case .problem(let problem): problems.note(problem)
      case .missing(let path):
        // A folder that vanishes meanwhile is no lack; one that is to be watched is.
        guard options.policy.roots.contains(path) else { break }
        problems.note(ScanProblem(path: path, reason: "is not there"))
      }
      isInterrupted = signals.next() != nil
      return !isInterrupted
    }
    progress.end()
    if isInterrupted {
      try building.interrupt()
      log.write(.warning, "interrupted; 'init' goes on from here, 'init --restart' begins anew")
      return Command.Status.interrupted
    }
    if let dpkg { try building.note(dpkg.rows(dpkg.stanzas())) }
    let obstacle = try building.finish(
      Generation(
        number: 0, at: WallClock.milliseconds, command: "init", reason: options.reason,
        actor: .current), signing: key)
    if let obstacle { log.write(.warning, "the chain of changes begins anew: \(obstacle)") }
    problems.write(to: &log)
    try output.line("\(options.database): \(progress.text)")
    return problems.isComplete ? Command.Status.same : Command.Status.incomplete
  }

  mutating func check() throws -> Int32 {
    guard let found = try compare(readOnly: true) else { return Command.Status.interrupted }
    let attributions = try attributions(of: found)
    try write(
      found.changes.enumerated().map { index, change in
        ChangeReport(change: change, attribution: attributions.isEmpty ? nil : attributions[index])
      }, before: found.baseline)
    if options.format == .text {
      if !found.changes.isEmpty { try output.line("head \(found.baseline.head().shown)") }
      try output.line(summary(found))
    }
    if !found.changes.isEmpty { return Command.Status.different }
    return found.isComplete ? Command.Status.same : Command.Status.incomplete
  }

  mutating func accept(_ command: Command) throws -> Int32 {
    guard let reason = options.reason, !reason.isEmpty else {
      log.write(.error, "\(command.rawValue) needs --reason: it is kept with who gave it")
      return Command.Status.unusable
    }
    let key = try options.key()
    guard let found = try compare(readOnly: false) else { return Command.Status.interrupted }
    try write(found.changes.map { ChangeReport(change: $0) }, before: found.baseline)
    let packages = command == .update ? try newPackages(since: found.baseline) : nil
    if !found.changes.isEmpty || !found.unwatched.isEmpty || packages != nil {
      let head = try found.baseline.accept(
        Baseline.Acceptance(
          changes: found.changes, unwatched: found.unwatched, packages: packages,
          reading: found.reading),
        Generation(
          number: 0, at: WallClock.milliseconds, command: command.rawValue, reason: reason,
          actor: .current), signing: key)
      if options.format == .text { try output.line("head \(head.shown)") }
    }
    if options.format == .text {
      try output.line("accepted, \(Actor.current.shown): " + summary(found))
    }
    return found.isComplete ? Command.Status.same : Command.Status.incomplete
  }

  /// What packages explain is one event, in front of what stands out.
  private mutating func write(_ reports: [ChangeReport], before baseline: Baseline) throws {
    windows = try baseline.windows()
    guard var explaining = try explaining(since: baseline), !reports.isEmpty else {
      let head = try baseline.head()
      for report in reports { try write(report, head) }
      return
    }
    let apart = reports.compactMap { explaining.take($0) }
    let head = try baseline.head()
    let update = explaining.update
    if !update.isEmpty {
      switch options.format {
      case .text: for line in TextReport.lines(update) { try output.line(line) }
      case .json: try output.line(JSONReport.line(update, head, at: WallClock.milliseconds))
      }
    }
    for report in apart { try write(report, head) }
  }

  private mutating func write(_ report: ChangeReport, _ head: ChainHead) throws {
    var report = report
    report.rule = options.policy.rule(deciding: report.change.path)
    report.window = windows.window(of: report, now: WallClock.milliseconds)
    switch options.format {
    case .text: for line in TextReport.lines(report) { try output.line(line) }
    case .json: try output.line(JSONReport.line(report, head, at: WallClock.milliseconds))
    }
  }

  /// Who made each change, by the logs that were given; empty without any.
  mutating func attributions(of found: Found) throws -> [Attribution] {
    guard !options.auditLogs.isEmpty, !found.changes.isEmpty else { return [] }
    let attributing = try Attributing(
      found.changes, in: found.baseline, keys: options.auditKeys, now: WallClock.milliseconds
    ) { options.policy.watched($0) != nil }
    var logs = AuditLogFiles(options.auditLogs, node: options.auditNode)
    let attributions = try attributing.attributions(from: &logs)
    if logs.malformed > 0 {
      log.write(
        .warning,
        "\(TextReport.counted(logs.malformed, "line", "lines")) of the logs are no audit records")
    }
    return attributions
  }

  /// What a scan found beside the baseline.
  struct Found {
    let baseline: Baseline
    var changes: [StateChange] = []
    var unwatched: [FilePath] = []
    var isComplete = true
    var scanned = ""
    /// What could not be looked at.
    var problems: [String] = []
    var reading = Reading.unknown
  }

  /// Scans and compares; `nil` when it was interrupted.
  mutating func compare(readOnly: Bool) throws -> Found? {
    let baseline = try Baseline.open(options.database, readOnly: readOnly)
    var comparison = Comparison(baseline, options.policy)
    let scan = Scan(options.policy, settings)
    let signals = try SignalSource([SIGINT, SIGTERM])
    var found = Found(baseline: baseline)
    if !readOnly { found.reading = .beginning }
    var progress = ScanProgress()
    var problems = ProblemReport()
    var isInterrupted = false
    try scan.run(scope) { event in
      switch event {
      case .part(let part):
        found.changes += try comparison.take(part)
        progress.note(part)
      case .problem(let problem):
        problems.note(problem)
        comparison.note(problem)
      case .missing(let path): comparison.missing(path)
      }
      isInterrupted = signals.next() != nil
      return !isInterrupted
    }
    progress.end()
    if isInterrupted {
      log.write(.warning, "interrupted; nothing was changed")
      return nil
    }
    found.changes += try comparison.finish(scope)
    found.changes.sort { $0.path < $1.path }
    found.unwatched = comparison.unwatched
    found.isComplete = problems.isComplete
    found.scanned = progress.text
    found.problems = problems.unexpected
    problems.write(to: &log)
    return found
  }

  private func summary(_ found: Found) -> String {
    let counts = [StateChange.Kind.added, .removed, .changed].map { kind in
      "\(found.changes.count { $0.kind == kind }) \(kind.rawValue)"
    }
    return counts.joined(separator: ", ") + "; \(found.scanned)"
      + (found.isComplete ? "" : "; not everything could be looked at")
  }

  private mutating func nothingWatched() -> Int32 {
    log.write(.error, "nothing is watched: write 'watch = /etc' into the configuration")
    return Command.Status.unusable
  }

  /// The folder of the baseline, which only root may enter.
  private func makeFolder() throws {
    let folder = FilePath(options.database).folder
    let path = String(decoding: folder.bytes, as: UTF8.self)
    if unsafe mkdir(path, 0o700) != 0, errno != EEXIST {
      throw SystemError("create", path, .current)
    }
  }
}

/// What a scan could not look at; the first hundred are named.
struct ProblemReport {
  private var problems: [ScanProblem] = []
  private var count = 0
  /// Whether everything that should have been was looked at.
  private(set) var isComplete = true

  mutating func note(_ problem: ScanProblem) {
    count += 1
    if !problem.isExpected { isComplete = false }
    if problems.count < 100 { problems.append(problem) }
  }

  /// Those that should not be, as sentences.
  var unexpected: [String] {
    let named = problems.filter { !$0.isExpected }.map { "\($0.path.shown): \($0.reason)" }
    let more = count - problems.count
    return more > 0 ? named + ["and \(more) more that could not be looked at"] : named
  }

  func write(to log: inout PluginLog) {
    for problem in problems {
      log.write(
        problem.isExpected ? .info : .warning, "\(problem.path.shown): \(problem.reason)")
    }
    if count > problems.count { log.write(.warning, "and \(count - problems.count) more") }
  }
}
