import AudispatchPlugin
import Linux

/// Looks at everything, and at folders, beside the stream; and has what is in them watched.
extension IntegrityPlugin {
  mutating func note(
    _ path: FilePath, by witness: Witness? = nil, isFound: Bool = false
  ) {
    settling.note(path, by: witness, isFound: isFound, at: MonotonicTime.now)
  }

  mutating func takeScan() {
    let result = scan.take()
    differing += result.paths.count
    for (number, findings) in result.findings { wholeScans.note(findings, by: number) }
    for path in result.paths { note(path, isFound: true) }
    for problem in result.problems.prefix(20) {
      log.write(.warning, "\(problem.path.shown): \(problem.reason)")
    }
    if let failure = result.failure { log.write(.error, "a scan failed: \(failure)") }
    for end in result.ended {
      counts.scans += 1
      guard let number = end.number else { continue }
      wholeScans.end(number, isWhole: end.isWhole)
      stream.scans.end(after: end.duration, at: MonotonicTime.now)
      guard end.isWhole else {
        stream.scans.failed(at: MonotonicTime.now)
        continue
      }
      log.write(
        .info,
        differing == 0
          ? "a scan of everything has ended: all is as it was"
          : "a scan of everything has ended: \(TextReport.counted(differing, "path", "paths")) "
            + "to look at")
      differing = 0
      sayStream()
    }
  }

  mutating func scanAll() throws {
    scanAt = MonotonicTime.now + .seconds(options.scanEvery)
    stream.scans.begin()
    let number = wholeScans.begin(processes.reading())
    try scan.want(options.policy.roots, number: number)
    // The scan compares with the baseline: what was seen otherwise is looked at besides.
    for path in try known.paths() { note(path, isFound: true) }
  }

  /// Watches one that no rule need name.
  func watchFolder(_ path: FilePath) {
    if let facts = try? Folder(path.bytes).facts() {
      _ = watch.folders.add(path, device: facts.device, by: helper)
    }
  }

  /// Whether a scan of everything is on its way: what it will find is not known yet.
  var isScanningAll: Bool { wholeScans.areRunning || wholeScans.newest == nil }

  mutating func watchRoots() {
    watch.folders.forgetRefusals()
    for root in options.policy.roots {
      // The root itself is an entry of the folder that it is in.
      watchFolder(root.folder)
      watchTree(root)
    }
  }

  /// Watches a folder and those below it. What comes into one before it is watched is found by the
  /// scan that follows.
  mutating func watchTree(_ root: FilePath) {
    var waiting = [root]
    while let path = waiting.popLast() {
      guard isReachable(path), let folder = try? Folder(path.bytes),
        let facts = try? folder.facts(),
        let kind = try? folder.fileSystem(),
        FileSystemKind.madeUp[kind & 0xffff_ffff] == nil
      else { continue }
      if !watch.folders.add(path, device: facts.device, by: helper) {
        if counts.unwatched == 0 {
          log.write(
            .warning, "\(path.shown) cannot be watched, and perhaps others: scans alone see them")
        }
        counts.unwatched += 1
      }
      for (name, kind) in (try? folder.entries()) ?? [] where kind == .directory || kind == nil {
        let child = path.appending(name)
        if options.policy.decision(for: child).leadsOn { waiting.append(child) }
      }
    }
  }
}
