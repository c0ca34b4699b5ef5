import AudispatchPlugin
import Linux

/// What a package manager changed is told as one event.
extension IntegrityPlugin {
  /// Begins with what is known of the packages.
  mutating func beginUpdates() throws {
    explaining = nil
    dpkg = nil
    updates = UpdateWatch(explained: nil)
    let database = DpkgDatabase(root: options.packageRoot)
    guard options.explainsUpdates, database.concerns(options.policy.roots),
      let stamp = database.stamp, let stanzas = stanzas(of: database)
    else { return }
    dpkg = database
    let present = database.packages(stanzas)
    if let packages = try known.packages() {
      // What happened while nobody looked is a step too.
      let isSame = try known.packageStamp() == stamp.text
      let isExplained = isSame || packages == present
      updates = UpdateWatch(explained: isExplained ? stamp : nil)
      if isExplained, !isSame { known.note([], in: database, stamp, toldUpTo: 0) }
    } else {
      let steps = PackageStep.steps(from: [:], to: present)
      known.note(steps, in: database, stamp, toldUpTo: 0)
      updates = UpdateWatch(explained: stamp)
    }
    watchFolder(database.folder)
  }

  /// The packages; `nil` where they cannot be read, which is said.
  private mutating func stanzas(of dpkg: DpkgDatabase) -> [PackageName: DpkgText.Stanza]? {
    do throws(SystemError) { return try dpkg.stanzas() } catch {
      log.write(.error, "\(error): what dpkg changes is told file by file until the next reload")
      return nil
    }
  }

  /// Tells what waits for an explanation that there will not be.
  private mutating func tellWaiting(by end: Duration) throws {
    while MonotonicTime.now < end {
      guard let waiting = updates.next() else {
        updates = UpdateWatch(explained: nil)
        return
      }
      try tell(waiting.report, waiting.reading)
    }
  }

  /// A newer state of a path is known: an older one is neither told nor kept any more.
  mutating func forgetWaiting(_ path: FilePath) {
    updates.forget(path)
    explaining?.explained[path] = nil
  }

  /// Tells a change, or lets it wait for an explanation.
  mutating func report(_ report: ChangeReport, _ reading: Reading) throws {
    if let dpkg {
      let now = MonotonicTime.now
      updates.note(UpdateWatch.Look(stamp: dpkg.stamp, isLocked: dpkg.isLocked), at: now)
      if updates.takes(report, reading, at: now) { return }
    }
    try tell(report, reading)
  }

  private mutating func tell(_ report: ChangeReport, _ reading: Reading) throws {
    forgetWaiting(report.change.path)
    if let attribution = report.attribution, let circumstances = report.circumstances {
      count(attribution, circumstances.testimony)
    }
    var report = report
    report.rule = options.policy.rule(deciding: report.change.path)
    report.window = try known.windows().window(of: report, now: WallClock.milliseconds)
    report.hasRecord = record(report)
    told.note(report, at: MonotonicTime.now)
    // What there is no room for is not known: it is found again, and told when there is.
    guard try write(report) else { return }
    alert(report)
    known.put(report.change.path, report.change.after, reading, toldUpTo: output.place)
  }

  /// Tells once more what somebody else can have done too, of whom a record has come late.
  mutating func amend(by deed: Deed) {
    for entry in told.concerned(by: deed, at: MonotonicTime.now) {
      let attribution = attribution(of: entry.subject)
      // It can have had nothing to do with it.
      guard attribution.candidates.contains(where: { $0.author == deed.author }) else { continue }
      amend(entry, attribution)
    }
  }

  /// Tells once more what was certain before it was known that records of its time are missing.
  mutating func amendUncertain() {
    let gaps = gaps.all
    for entry in told.all(at: MonotonicTime.now) {
      guard var attribution = entry.report.attribution else { continue }
      attribution.doubt(gaps, about: entry.subject)
      if attribution.confidence != .exact { amend(entry, attribution) }
    }
  }

  private mutating func amend(_ entry: ToldChanges.Entry, _ attribution: Attribution) {
    var report = entry.report
    report.attribution = attribution
    report.isAmended = true
    do {
      // One that says who it was, as certain, is not left alone: it waits for room.
      guard try write(report) else { return }
    } catch { return log.write(.error, "\(error)") }
    counts.amended += 1
    told.forget(entry.number)
    if report.hasRecord { amendRecord(report) }
  }

  /// Whether there is room for it.
  private func write(_ report: ChangeReport) throws -> Bool {
    let head = try known.baseline.head()
    return pass(ToldEvent(report, head, options.format, at: WallClock.milliseconds))
  }

  /// Goes on with what waits, for some milliseconds.
  mutating func explainDue(at now: Duration, within time: Duration) throws {
    guard updates.phase != .idle else { return }
    let end = MonotonicTime.now + time
    guard let dpkg else { return try tellWaiting(by: end) }
    let look = UpdateWatch.Look(stamp: dpkg.stamp, isLocked: dpkg.isLocked)
    updates.note(look, at: now)
    if explaining == nil {
      guard
        updates.isDue(at: now, isSettling: settling.count > 0, isScanning: isScanningAll)
      else { return }
      guard let stanzas = stanzas(of: dpkg) else {
        self.dpkg = nil
        return try tellWaiting(by: end)
      }
      let before = try known.packages() ?? [:]
      let steps = PackageStep.steps(from: before, to: dpkg.packages(stanzas))
      let known = known
      let files = try PackageFiles(of: steps, in: dpkg, stanzas) { try known.files(of: $0) }
      // What a scan has yet to find, or dpkg to write, is explained by the same steps.
      let isWhole = !look.isLocked && !isScanningAll
      explaining = (Explaining(steps, files), isWhole ? look.stamp : nil, [:])
      explaining?.sorting.note(updates.seen)
    }
    while MonotonicTime.now < end {
      guard let waiting = updates.next() else { return try concludeUpdate(dpkg) }
      guard let apart = explaining?.sorting.take(waiting.report) else {
        explaining?.explained[waiting.report.change.path] = waiting
        continue
      }
      try tell(apart, waiting.reading)
    }
  }

  private mutating func concludeUpdate(_ dpkg: DpkgDatabase) throws {
    guard let (sorting, stamp, explained) = explaining else { return }
    explaining = nil
    var update = sorting.update
    var isTold = true
    if !update.isEmpty {
      let now = WallClock.milliseconds
      let windows = try known.windows()
      update.window = explained.values.first.flatMap { windows.window(of: $0.report, now: now) }
      counts.updates += 1
      record(update)
      let head = try known.baseline.head()
      isTold = pass(ToldEvent(update, head, options.format, at: now))
    }
    if isTold {
      let place = output.place
      for (path, waiting) in explained {
        known.put(path, waiting.report.change.after, waiting.reading, toldUpTo: place)
      }
      if let stamp { known.note(update.steps, in: dpkg, stamp, toldUpTo: place) }
    }
    updates.end(explained: stamp)
  }

  /// Explains what waits, whether dpkg has ended or not.
  mutating func explainAll(by end: Duration) throws {
    while explaining != nil || !updates.waiting.isEmpty, MonotonicTime.now < end {
      try explainDue(at: .seconds(Int64.max / 2), within: .milliseconds(50))
    }
  }
}
