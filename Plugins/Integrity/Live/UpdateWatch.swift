import Linux

/// Changes that wait until dpkg has ended, so that its database can explain them: a value without a
/// clock and without files.
///
/// Whoever may lock dpkg's database could hold everything back: so what somebody else is known to
/// have done does not wait, nothing waits longer than a time, and no more than a number.
struct UpdateWatch {
  /// What the database looks like from outside.
  struct Look: Equatable, Sendable {
    var stamp: DpkgDatabase.Stamp?
    var isLocked: Bool
  }

  /// A change that waits, with how its state was read.
  struct Waiting: Sendable {
    var report: ChangeReport
    var reading: Reading

    /// Whether a deed can have made it that was not known of, or explains more of it.
    func isConcerned(by deed: Deed) -> Bool {
      guard let subject = report.subject, deed.time <= subject.until,
        let attribution = report.attribution
      else { return false }
      return attribution.confidence != .exact
        || !attribution.candidates.contains { $0.author == deed.author }
    }
  }

  enum Phase: Equatable, Sendable {
    case idle
    /// Something has changed in the database, or is about to.
    case running
    /// The database is at rest; changes may still be settling.
    case resting(since: Duration)
  }

  static let longest = Duration.seconds(600)
  static let most = 200_000
  /// How long the database has to be at rest: apt runs dpkg several times.
  static let rest = Duration.seconds(1)
  /// How long it is waited for changes to settle beyond that.
  static let patience = Duration.seconds(20)

  /// The state that was explained last.
  private(set) var explained: DpkgDatabase.Stamp?
  private(set) var phase = Phase.idle
  private(set) var waiting: [FilePath: Waiting] = [:]
  /// The files that they are about, as they were and as they are; and those of which a record may name none.
  private var byFile: [FileIdentity: Set<FilePath>] = [:]
  private var unnamed: Set<FilePath> = []
  /// The processes of dpkg that were seen at its database.
  private(set) var seen = SeenManagers()
  private var since: Duration?
  private var lookAt = Duration.zero

  /// How often the database is looked at while dpkg runs.
  private static let interval = Duration.milliseconds(200)

  init(explained: DpkgDatabase.Stamp?) { self.explained = explained }

  /// Takes in what the database looks like now.
  mutating func note(_ look: Look, at now: Duration) {
    lookAt = now + Self.interval
    if look.isLocked {
      phase = .running
    } else if look.stamp != explained, look.stamp != nil {
      if case .resting = phase { return }
      phase = .resting(since: now)
    } else if phase != .idle {
      // It ran, and changed nothing.
      if case .resting = phase { return }
      phase = .resting(since: now)
    }
  }

  mutating func note(_ witness: Witness?) {
    if let witness { seen.note(witness) }
  }

  /// Whether a change waits now; it is kept then.
  mutating func takes(_ report: ChangeReport, _ reading: Reading, at now: Duration) -> Bool {
    guard phase != .idle, report.management != .somebodyElse,
      waiting.count < Self.most, now - (since ?? now) < Self.longest
    else { return false }
    if since == nil { since = now }
    forget(report.change.path)
    put(Waiting(report: report, reading: reading))
    return true
  }

  private mutating func put(_ one: Waiting) {
    let path = one.report.change.path
    waiting[path] = one
    for file in one.report.subject?.files ?? [] { byFile[file, default: []].insert(path) }
    if one.report.subject?.mayBeUnnamed == true { unnamed.insert(path) }
  }

  /// It is again as it was.
  mutating func forget(_ path: FilePath) { _ = take(path) }

  private mutating func take(_ path: FilePath) -> Waiting? {
    guard let one = waiting.removeValue(forKey: path) else { return nil }
    for file in one.report.subject?.files ?? [] {
      byFile[file]?.remove(path)
      if byFile[file]?.isEmpty == true { byFile[file] = nil }
    }
    unnamed.remove(path)
    return one
  }

  /// What a deed can have made that was not known of.
  func concerned(by deed: Deed) -> [Waiting] {
    if waiting.isEmpty { return [] }
    var paths = deed.items.isEmpty ? unnamed : []
    for item in deed.items {
      if let file = item.identity { paths.formUnion(byFile[file] ?? []) }
      if let path = item.path { paths.insert(path) }
    }
    return paths.sorted().compactMap { waiting[$0] }.filter { $0.isConcerned(by: deed) }
  }

  /// It is known better who made one: whether it still waits.
  mutating func renew(_ one: Waiting) -> Bool {
    forget(one.report.change.path)
    if one.report.management == .somebodyElse { return false }
    put(one)
    return true
  }

  /// Whether it is time to explain what waits.
  ///
  /// - Parameter isScanning: what a scan will find is a part of it.
  func isDue(at now: Duration, isSettling: Bool, isScanning: Bool = false) -> Bool {
    if let since, now - since >= Self.longest { return true }
    guard case .resting(let begin) = phase, !isScanning else { return false }
    return now - begin >= (isSettling ? Self.patience : Self.rest)
  }

  /// When it has to be looked at again; `nil` while nothing is on.
  var deadline: Duration? { phase == .idle ? nil : lookAt }

  /// One of those that wait.
  mutating func next() -> Waiting? {
    waiting.keys.first.flatMap { take($0) }
  }

  /// All of them were told.
  ///
  /// - Parameter stamp: of the database that explained them; `nil` if more is to come of it.
  mutating func end(explained stamp: DpkgDatabase.Stamp?) {
    explained = stamp ?? explained
    phase = .idle
    since = nil
    seen = SeenManagers()
  }
}
