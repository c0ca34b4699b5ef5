import AudispatchPlugin
import Linux

/// How a change is told: by itself, once more when it is known better who made it, or with all others that
/// a package manager made.
extension IntegrityPlugin {
  /// Begins with what is known of the packages.
  mutating func beginUpdates() throws {
    try packaging.begin(options, &known, &log)
    keepTold()
    if let folder = packaging.folder { watching.add(folder, by: helper, &log) }
  }

  /// Tells a change, or lets it wait for an explanation.
  mutating func report(_ report: ChangeReport, _ reading: Reading) throws {
    if packaging.takes(report, reading) { return }
    try tell(report, reading)
  }

  private mutating func tell(_ report: ChangeReport, _ reading: Reading) throws {
    packaging.forget(report.change.path)
    if let attribution = report.attribution, let circumstances = report.circumstances {
      told.counts.note(attribution, circumstances.testimony)
    }
    var report = report
    report.rule = options.policy.rule(deciding: report.change.path)
    report.window = try known.windows().window(of: report, now: WallClock.milliseconds)
    report.hasRecord = telling.record(report)
    told.note(report, at: MonotonicTime.now)
    // What there is no room for is not known: it is found again, and told when there is.
    guard try write(report) else { return }
    alert(report)
    known.put(report.change.path, report.change.after, reading, toldUpTo: telling.place)
  }

  /// Whether there is room for it.
  private mutating func write(_ report: ChangeReport) throws -> Bool {
    let head = try known.baseline.head()
    return telling.pass(ToldEvent(report, head, telling.format, at: WallClock.milliseconds))
  }

  /// Tells by itself that somebody was seen at a file of whom no record tells.
  private mutating func alert(_ report: ChangeReport) {
    guard let circumstances = report.circumstances, circumstances.testimony == .disagrees else {
      return
    }
    let seen = circumstances.witnesses.filter { $0.login != .unknown }.map(\.shown).sorted()
    // The path comes last: it may be long, and is what is cut then.
    let finding =
      "seen was \(seen.joined(separator: ", ")), and audit names "
      + (report.attribution?.candidates.isEmpty == false ? "others" : "nobody")
      + ": \(report.change.path.shown)"
    telling.alert(
      ToldEvent("witness", [finding], well: "", telling.format, at: WallClock.milliseconds))
    // One for each record of a change, which are bounded.
    if report.hasRecord { telling.record("witness", [finding]) }
  }

  // MARK: What is known later

  /// Tells once more what somebody else can have done too, of whom a record has come late; what still
  /// waits is told with all whom the records name.
  mutating func amend(by deed: Deed) {
    for entry in told.concerned(by: deed, at: MonotonicTime.now) {
      let attribution = stream.attribution(of: entry.subject, keys: options.auditKeys)
      // It can have had nothing to do with it.
      guard attribution.candidates.contains(where: { $0.author == deed.author }) else { continue }
      amend(entry, attribution)
    }
    for waiting in packaging.concerned(by: deed) {
      var renewed = waiting
      renew(&renewed.report)
      guard let apart = packaging.renew(renewed) else { continue }
      do { try tell(apart.report, apart.reading) } catch { log.write(.error, "\(error)") }
    }
  }

  /// Takes what has come since it was found who made a change.
  private mutating func renew(_ report: inout ChangeReport) {
    guard let subject = report.subject else { return }
    var attribution = stream.attribution(of: subject, keys: options.auditKeys)
    _ = stream.confirm(&attribution, of: subject, mayWait: false)
    let witnesses = Set(report.circumstances?.witnesses ?? [])
    report.circumstances?.testimony = stream.testimony(of: witnesses, on: &attribution)
    if let before = report.attribution { attribution.keep(before) }
    report.attribution = attribution
  }

  /// Tells once more what was certain before it was known that records of its time are missing.
  mutating func amendUncertain() {
    for entry in told.all(at: MonotonicTime.now) {
      guard var attribution = entry.report.attribution else { continue }
      stream.doubt(&attribution, about: entry.subject)
      if attribution.confidence != .exact { amend(entry, attribution) }
    }
  }

  private mutating func amend(_ entry: ToldChanges.Entry, _ attribution: Attribution) {
    var report = entry.report
    report.attribution = attribution
    report.isAmended = true
    do {
      // One that says who it was, as certain, is not left alone: it waits for room.
      let head = try known.baseline.head()
      telling.alert(ToldEvent(report, head, telling.format, at: WallClock.milliseconds))
    } catch { return log.write(.error, "\(error)") }
    told.counts.amended += 1
    told.forget(entry.number)
    if report.hasRecord { telling.amendRecord(report) }
  }

  // MARK: Updates

  /// Goes on with what waits, for some milliseconds.
  mutating func explainDue(at now: Duration, within time: Duration) throws {
    let end = MonotonicTime.now + time
    while MonotonicTime.now < end {
      let (stream, known) = (stream, known)
      let next = try packaging.next(
        at: now, isSettling: files.count > 0, isScanning: scanning.isRunning, known, &log
      ) { report in
        var report = report
        // It may have turned out that records are missing.
        if let subject = report.subject, var attribution = report.attribution {
          stream.doubt(&attribution, about: subject)
          report.attribution = attribution
        }
        return report
      }
      switch next {
      case nil: return
      case .took: continue
      case .tell(let waiting): try tell(waiting.report, waiting.reading)
      case .conclude(let conclusion): return try conclude(conclusion)
      }
    }
  }

  private mutating func conclude(_ conclusion: Packaging.Conclusion) throws {
    var update = conclusion.update
    if !update.isEmpty {
      let now = WallClock.milliseconds
      let windows = try known.windows()
      let first = conclusion.explained.values.first
      update.window = first.flatMap { windows.window(of: $0.report, now: now) }
      told.counts.updates += 1
      telling.record(update)
      let head = try known.baseline.head()
      guard telling.pass(ToldEvent(update, head, telling.format, at: now)) else { return }
    }
    let place = telling.place
    for (path, waiting) in conclusion.explained {
      known.put(path, waiting.report.change.after, waiting.reading, toldUpTo: place)
    }
    if let stamp = conclusion.stamp {
      known.note(update.steps, in: conclusion.database, stamp, toldUpTo: place)
    }
  }

  /// Explains what waits, whether dpkg has ended or not.
  mutating func explainAll(by end: Duration) throws {
    while packaging.hasBegun || packaging.count > 0, MonotonicTime.now < end {
      try explainDue(at: .seconds(Int64.max / 2), within: .milliseconds(50))
    }
  }
}

extension Attribution {
  /// Keeps whom it was said to be before, and is not found any more since deeds are forgotten.
  mutating func keep(_ before: Attribution) {
    let lost = before.candidates.filter { old in
      !candidates.contains { $0.author == old.author }
    }
    if lost.isEmpty { return }
    candidates += lost
    confidence = .candidate
    let several = "several can have done it"
    if candidates.count > 1, !reasons.contains(several) { reasons.append(several) }
  }
}

extension Witness {
  fileprivate var shown: String {
    var text = "pid \(pid)"
    if let executable { text += " (\(SafeText.word(executable)))" }
    text += login == .unset ? " without a login" : " of login uid \(login.shown)"
    if let session { text += " in session \(session)" }
    return text
  }
}
