import AudispatchPlugin
import Glibc
import Linux

/// What is open for writing, asked for now and then: it takes some milliseconds.
struct OpenFilesCache {
  private var last = Reading.unknown
  private var pause = Duration.zero
  private var until = Duration.zero

  /// As it was just now, or as it was when it was asked last if that would take too much of the time.
  ///
  /// - Parameter uncertain: up to when something may have been opened of which no record tells.
  mutating func reading(by processes: ProcessLooker, uncertainUpTo uncertain: Int64?) -> Reading {
    let begin = MonotonicTime.now
    guard begin >= until else {
      if let uncertain, uncertain > last.since { return last }
      return Reading(since: WallClock.milliseconds, open: last.open)
    }
    last = processes.reading()
    let now = MonotonicTime.now
    pause = (now - begin) * 10
    until = now + pause
    return last
  }
}

extension IntegrityPlugin {
  /// Looks at what is due, for some milliseconds: the stream is waiting.
  mutating func examineDue(at now: Duration, within time: Duration) throws {
    let end = MonotonicTime.now + time
    if let due = settling.nextDue, due <= now { noteLosses() }
    // Opened before the first is read: what is opened later has a record of its own.
    var reading: Reading?
    while MonotonicTime.now < end {
      guard let (path, entry) = settling.next(at: now) else { return }
      let found =
        reading ?? openFiles.reading(by: processes, uncertainUpTo: gaps.uncertainUpTo)
      reading = found
      try examine(path, entry, found, isLast: now > MonotonicTime.now)
    }
  }

  private mutating func examine(
    _ path: FilePath, _ entry: Settling.Entry, _ reading: Reading, isLast: Bool
  ) throws {
    guard let watched = options.policy.watched(path) else { return }
    let folder = try? Folder(path.folder.bytes)
    let before = try known.state(of: path)
    var after = aside.takeState(of: path)
    let wasRead = after
    var reading = reading
    if let wasRead {
      let facts = try? folder?.facts(of: path.name)
      if facts.map(wasRead.isOf) != true {
        aside.lookAgain(path, entry, at: MonotonicTime.now)
        // It was so a while ago, and is not any more.
        reading = try self.reading(of: path)
      }
    }
    var counting = watched.attributes
    if let folder {
      do throws(Errno) {
        if after == nil {
          if !isLast, try readsAside(path, in: folder, watched.attributes, entry) { return }
          after = try reader.state(of: path.name, in: folder, watched.attributes)
        }
      } catch {
        guard error == .noSuchFile || error.number == ENOTDIR else {
          log.write(.warning, "\(path.shown): \(error)")
          return
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
      if let again = aside.takeAgain(path) {
        settling.wait(path, again, until: MonotonicTime.now + Self.settleTime)
      }
      if let before, let after, before.facts.links != after.facts.links {
        // That does not count, but by which names it can be reached has to be known.
        known.put(path, after, reading, toldUpTo: 0)
      } else {
        known.confirm(path, reading)
      }
      return forgetWaiting(path)
    }
    if change.isByEntries {
      forgetWaiting(path)
      return known.put(path, after, reading, toldUpTo: 0)
    }
    let subject = try Subject(
      change, in: known.baseline, among: [:], self.reading(of: path),
      now: WallClock.milliseconds
    ) { options.policy.watched($0) != nil }
    var attribution = attribution(of: subject)
    if !isLast, entry.tries < lag.tries(for: attribution, isFound: entry.isFound) {
      aside.putBack(wasRead, of: path)
      settling.wait(path, entry, until: MonotonicTime.now + Self.settleTime)
      return
    }
    if attribution.confidence == .exact, !losses.isKnown {
      attribution.doubt(StreamGaps.lossesUnknown)
    }
    if attribution.confidence == .exact, !gaps.proves(subject.until) {
      if !isLast, entry.tries < StreamProof.tries {
        stream.marks.want(at: MonotonicTime.now)
        aside.putBack(wasRead, of: path)
        settling.wait(path, entry, until: MonotonicTime.now + Self.settleTime)
        return
      }
      attribution.doubt(StreamGaps.silent)
    }
    if let again = aside.takeAgain(path) {
      settling.wait(path, again, until: MonotonicTime.now + Self.settleTime)
    }
    let testimony = Testimony(
      of: entry.witnesses, on: attribution, hasRecords: gaps.hasRecords)
    if testimony == .disagrees {
      attribution.doubt("the watch of the files saw somebody whom no record names")
    }
    let circumstances = Circumstances(
      testimony: testimony, isFoundByScan: entry.isFound, witnesses: Array(entry.witnesses))
    try report(
      ChangeReport(
        change: change, attribution: attribution, circumstances: circumstances, subject: subject),
      reading)
  }

  /// Who can have made a change, by all that has come of the stream.
  func attribution(of subject: Subject) -> Attribution {
    var all = gaps.all
    if let forgotten = deeds.forgottenUpTo {
      all.append(StreamGap(from: .min, to: forgotten, reason: "there were too many deeds to keep"))
    }
    return Attribution(
      of: subject, from: deeds.deeds(about: subject), gaps: all, keys: options.auditKeys)
  }

  /// Whether the content is read on another thread: the path is examined again when that is done.
  private mutating func readsAside(
    _ path: FilePath, in folder: Folder, _ attributes: AttributeSet, _ entry: Settling.Entry
  ) throws(Errno) -> Bool {
    guard !attributes.isDisjoint(with: .hashes) else { return false }
    let facts = try folder.facts(of: path.name)
    guard facts.kind == .regular, facts.size >= LargeFiles.least,
      facts.size <= UInt64(options.largestFile)
    else { return false }
    guard aside.begin(path, entry) else { return true }
    do throws(SystemError) { try large.want(path, attributes) } catch {
      aside.cancel(path)
      return false
    }
    return true
  }

  /// Goes on with files whose content has been read.
  mutating func takeLarge(at now: Duration) {
    for (path, state) in large.take() {
      if let entry = aside.end(path, state) { settling.wait(path, entry, until: now) }
    }
  }

  /// When the known state of a path was true for the last time that is certain.
  private func reading(of path: FilePath) throws -> Reading {
    try known.reading(of: path, verified: wholeScans.verified(path))
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

extension Attribution {
  mutating func doubt(_ reason: String) {
    if confidence == .exact { confidence = .candidate }
    reasons.append(reason)
  }
}
