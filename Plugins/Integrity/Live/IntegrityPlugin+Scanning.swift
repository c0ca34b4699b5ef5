import AudispatchPlugin
import Linux

/// Looks at everything, and at folders, beside the stream.
extension IntegrityPlugin {
  mutating func takeScan() {
    let linked = scanning.linked
    let result = scanning.take()
    // A rule on the file tells of what is done by a name elsewhere.
    if scanning.linked != linked { proving.rulesAt = .zero }
    for path in result.paths { note(path, isFound: true) }
    for problem in result.problems.prefix(20) {
      log.write(.warning, "\(problem.path.shown): \(problem.reason)")
    }
    if let failure = result.failure { log.write(.error, "a scan failed: \(failure)") }
    for end in result.ended {
      guard let number = end.number else { continue }
      let differing = scanning.end(number, isWhole: end.isWhole)
      stream.scanHasEnded(isWhole: end.isWhole, after: end.duration, at: MonotonicTime.now)
      guard let differing else { continue }
      log.write(
        .info,
        differing == 0
          ? "a scan of everything has ended: all is as it was"
          : "a scan of everything has ended: \(TextReport.counted(differing, "path", "paths")) "
            + "to look at")
      sayStream()
    }
  }

  mutating func scanAll() throws {
    // Whoever is asked for a file later need not wait for what does not answer now.
    if watching.tryMounts(options.policy) || proving.said["mounts"] != nil { sayMounts() }
    stream.scanBegins()
    try scanning.begin(
      options.policy.roots, processes.reading(),
      next: MonotonicTime.now + .seconds(options.scanEvery))
    // The scan compares with the baseline: what was seen otherwise is looked at besides.
    for path in try known.paths() { note(path, isFound: true) }
  }
}
