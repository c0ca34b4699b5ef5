import AudispatchPlugin
import Glibc
import Linux

extension CommandExecution {
  /// Paths that are named of one accepted change.
  private static var mostPaths: Int { 10_000 }

  /// What differs, when, by whom, and where something may have been missed: for people.
  mutating func report() throws -> Int32 {
    guard let found = try compare(readOnly: true) else { return Command.Status.interrupted }
    let attributions = try attributions(of: found)
    var changes = found.changes.enumerated().map { index, change in
      ChangeReport(change: change, attribution: attributions.isEmpty ? nil : attributions[index])
    }
    var update: PackageUpdate?
    if var explaining = try explaining(since: found.baseline) {
      changes = changes.compactMap { explaining.take($0) }
      if !explaining.update.isEmpty { update = explaining.update }
    }
    let windows = try found.baseline.windows()
    let now = WallClock.milliseconds
    for index in changes.indices {
      changes[index].window = windows.window(of: changes[index], now: now)
    }
    changes.sort { ($1.change.severity, $0.change.path) < ($0.change.severity, $1.change.path) }
    let summary = Summary(
      at: now,
      node: (try? NodeName.resolve(.hostname, name: nil)) ?? "this host",
      database: options.database, head: try found.baseline.head(), update: update,
      changes: changes, accepted: try accepted(in: found.baseline), windows: windows,
      findings: try findings(found, attributions), scanned: found.scanned)
    if let path = options.html {
      try Self.write(summary.page, to: path)
    } else {
      for line in summary.lines { try output.line(line) }
    }
    if !found.changes.isEmpty { return Command.Status.different }
    return found.isComplete ? Command.Status.same : Command.Status.incomplete
  }

  private func accepted(in baseline: Baseline) throws -> [Summary.Accepted] {
    var paths: [Int64: [FilePath]] = [:]
    try baseline.database.forEach("SELECT generation, path FROM history ORDER BY generation, path")
    {
      row in
      if paths[row.integer(0), default: []].count < Self.mostPaths {
        paths[row.integer(0), default: []].append(FilePath(row.blob(1) ?? []))
      }
    }
    return try baseline.links().reversed().map { link in
      Summary.Accepted(generation: link.generation, paths: paths[link.generation.number] ?? [])
    }
  }

  /// Where something may have been missed.
  private func findings(_ found: Found, _ attributions: [Attribution]) throws -> [String] {
    var findings = found.problems
    do throws(SystemError) {
      let coverage = try Coverage.current(
        AuditControl(), options.policy, key: IntegrityOptions.ownKey)
      findings += coverage.lines
    } catch { findings.append("the kernel's audit rules cannot be looked at: \(error)") }
    if options.auditLogs.isEmpty {
      findings.append("no recorded log was given that says who it was (audit_log)")
    }
    var reasons: [String: Int] = [:]
    for attribution in attributions {
      for reason in attribution.reasons { reasons[reason, default: 0] += 1 }
    }
    findings += reasons.sorted { $0.key < $1.key }.map { reason, count in
      "\(TextReport.counted(count, "change is", "changes are")) not exact: \(reason)"
    }
    let (publicKey, obstacle) = trustedKey()
    if let obstacle { findings.append(obstacle) }
    let verification = Verification(
      found.baseline, publicKey: publicKey, seen: options.database + ".seen")
    findings += verification.problems.map { "the baseline: \($0)" }
    return findings
  }

  /// Writes a file that only its owner may read, at once.
  private static func write(_ text: String, to path: String) throws {
    let new = path + ".new"
    unsafe _ = unlink(new)
    do {
      let file = try Descriptor.open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
      do throws(Errno) { try Transfer.writeAll(file.number, Array(text.utf8)) } catch {
        throw SystemError("write to", new, error)
      }
    }
    try Durably.rename(new, to: path)
  }
}
