import AudispatchPlugin
import Linux

/// How a file at which something happened is looked at.
extension IntegrityPlugin {
  mutating func note(
    _ path: FilePath, by witness: Witness? = nil, isFound: Bool = false
  ) {
    files.note(path, by: witness, isFound: isFound)
  }

  /// Looks at what is due, for some milliseconds: the stream is waiting.
  mutating func examineDue(at now: Duration, within time: Duration) throws {
    let end = MonotonicTime.now + time
    if let due = files.deadline, due <= now { noteLosses() }
    // Opened before the first is read: what is opened later has a record of its own.
    var reading: Reading?
    while MonotonicTime.now < end {
      guard let (path, entry) = files.next(at: now) else { return }
      let found = reading ?? processes.reading(uncertainUpTo: stream.uncertainUpTo)
      reading = found
      try examine(path, entry, found, isLast: now > MonotonicTime.now)
    }
  }

  private mutating func examine(
    _ path: FilePath, _ entry: Settling.Entry, _ reading: Reading, isLast: Bool
  ) throws {
    // Whoever looks where nothing answers waits for it; it is scanned when it does.
    guard let watched = options.policy.watched(path), !watching.isSilent(path) else { return }
    let folder = try? Folder(path.folder.bytes)
    let before = try known.state(of: path)
    let aside = files.takeAside(path, entry, in: folder)
    var after = aside?.state
    // What was read aside was so a while ago, and may not be any more.
    let reading = aside?.isCurrent == false ? try self.reading(of: path) : reading
    var counting = watched.attributes
    if let folder {
      if after == nil {
        switch files.state(of: path, in: folder, watched.attributes, entry, mayWait: !isLast) {
        case .state(let state): after = state
        case .later: return
        case .nothing(let error): return log.write(.warning, "\(path.shown): \(error)")
        }
      }
      if let before, let after {
        counting = Comparison.allowed(after, before, counting, in: folder, path.name)
      }
    }
    guard
      let change = StateChange(
        path, before: before, after: after, counting: counting, severity: watched.severity)
    else {
      files.lookAgain(path)
      if let before, let after, before.facts.kind != .directory,
        before.facts.links != after.facts.links
      {
        // That does not count, but by which names it can be reached has to be known.
        known.put(path, after, reading, toldUpTo: 0)
      } else {
        known.confirm(path, reading)
      }
      return packaging.forget(path)
    }
    if change.isByEntries {
      packaging.forget(path)
      return known.put(path, after, reading, toldUpTo: 0)
    }
    let subject = try Subject(
      change, in: known.baseline, among: [:], self.reading(of: path),
      now: WallClock.milliseconds
    ) { options.policy.watched($0) != nil }
    var attribution = stream.attribution(of: subject, keys: options.auditKeys)
    let isLate = entry.tries < stream.tries(for: attribution, isFound: entry.isFound)
    if !isLast, isLate { return files.wait(path, entry, keeping: aside?.state) }
    let mayWait = !isLast && entry.tries < StreamProof.tries
    if stream.confirm(&attribution, of: subject, mayWait: mayWait) {
      return files.wait(path, entry, keeping: aside?.state)
    }
    files.lookAgain(path)
    let testimony = stream.testimony(of: entry.witnesses, on: &attribution)
    let circumstances = Circumstances(
      testimony: testimony, isFoundByScan: entry.isFound, witnesses: Array(entry.witnesses))
    try report(
      ChangeReport(
        change: change, attribution: attribution, circumstances: circumstances, subject: subject),
      reading)
  }

  /// When the known state of a path was true for the last time that is certain.
  private func reading(of path: FilePath) throws -> Reading {
    try known.reading(of: path, verified: scanning.verified(path))
  }
}

/// What is known of a change beside who made it.
struct Circumstances: Sendable {
  var testimony: Testimony
  /// No event told of it: a scan has found it.
  var isFoundByScan: Bool
  var witnesses: [Witness]
}

extension StateChange {
  /// A folder of which only what its entries change has changed: they are told of themselves.
  var isByEntries: Bool {
    kind == .changed && after?.type == .dir && before?.type == .dir
      && attributes.isSubset(of: [.size, .modified, .changed, .links])
  }
}
