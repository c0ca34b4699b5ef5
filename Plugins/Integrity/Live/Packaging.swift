import AudispatchPlugin
import Linux

/// What a package manager changes, which is told as one event: changes wait until its database explains
/// them.
///
/// Its deadline is when the database is to be looked at, or at once while an explanation is being made. It
/// reads the database and packaged files, and tells nothing itself.
struct Packaging {
  /// What comes next.
  enum Step {
    /// It stands out, or cannot be explained.
    case tell(UpdateWatch.Waiting)
    /// It is explained.
    case took
    /// All that waited is either told or explained.
    case conclude(Conclusion)
  }

  struct Conclusion {
    var update: PackageUpdate
    /// What it covers.
    var explained: [FilePath: UpdateWatch.Waiting]
    var database: DpkgDatabase
    /// Of the database that explains it; `nil` if more is to come of it.
    var stamp: DpkgDatabase.Stamp?
  }

  /// The packages of this host; `nil` where none can explain a change.
  private var dpkg: DpkgDatabase?
  private var watch = UpdateWatch(explained: nil)
  /// An explanation that is being made: of which state of the database, and what it covers.
  private var explaining:
    (sorting: Explaining, stamp: DpkgDatabase.Stamp?, explained: [FilePath: UpdateWatch.Waiting])?

  var deadline: Duration? { explaining == nil ? watch.deadline : .zero }
  /// How many changes wait.
  var count: Int { watch.waiting.count }
  var hasBegun: Bool { explaining != nil }
  /// Where the database is.
  var folder: FilePath? { dpkg?.folder }

  /// Begins with what is known of the packages.
  mutating func begin(
    _ options: IntegrityOptions, _ known: inout KnownStates, _ log: inout PluginLog
  ) throws {
    self = Packaging()
    let database = DpkgDatabase(root: options.packageRoot)
    guard options.explainsUpdates, database.concerns(options.policy.roots),
      let stamp = database.stamp, let stanzas = Self.stanzas(of: database, &log)
    else { return }
    dpkg = database
    let present = database.packages(stanzas)
    if let packages = try known.packages() {
      // What happened while nobody looked is a step too.
      let isSame = try known.packageStamp() == stamp.text
      let isExplained = isSame || packages == present
      watch = UpdateWatch(explained: isExplained ? stamp : nil)
      if isExplained, !isSame { known.note([], in: database, stamp, toldUpTo: 0) }
    } else {
      let steps = PackageStep.steps(from: [:], to: present)
      known.note(steps, in: database, stamp, toldUpTo: 0)
      watch = UpdateWatch(explained: stamp)
    }
  }

  /// The packages; `nil` where they cannot be read, which is said.
  private static func stanzas(
    of dpkg: DpkgDatabase, _ log: inout PluginLog
  ) -> [PackageName: DpkgText.Stanza]? {
    do throws(SystemError) { return try dpkg.stanzas() } catch {
      log.write(.error, "\(error): what dpkg changes is told file by file until the next reload")
      return nil
    }
  }

  /// Somebody was seen at the database.
  mutating func note(_ witness: Witness?) { watch.note(witness) }

  /// A newer state of a path is known: an older one is neither told nor kept any more.
  mutating func forget(_ path: FilePath) {
    watch.forget(path)
    explaining?.explained[path] = nil
  }

  /// Whether a change waits now; it is kept then.
  mutating func takes(_ report: ChangeReport, _ reading: Reading) -> Bool {
    guard let dpkg else { return false }
    let now = MonotonicTime.now
    watch.note(UpdateWatch.Look(stamp: dpkg.stamp, isLocked: dpkg.isLocked), at: now)
    return watch.takes(report, reading, at: now)
  }

  // MARK: Late records

  /// What waits and can have been made by a deed that was not known of.
  func concerned(by deed: Deed) -> [UpdateWatch.Waiting] {
    let sorted = explaining?.explained ?? [:]
    return watch.concerned(by: deed)
      + deed.items.compactMap(\.path).compactMap { sorted[$0] }.filter { $0.isConcerned(by: deed) }
  }

  /// It is known better who made a change that waits.
  ///
  /// - Returns: that change, if it waits no longer.
  mutating func renew(_ waiting: UpdateWatch.Waiting) -> UpdateWatch.Waiting? {
    let path = waiting.report.change.path
    if explaining?.explained[path] != nil {
      explaining?.explained[path] = waiting
      if let attribution = waiting.report.attribution { explaining?.sorting.join(attribution) }
      return nil
    }
    return watch.renew(waiting) ? nil : waiting
  }

  // MARK: Explaining

  /// Goes on with what waits; `nil`: there is nothing to be done now.
  ///
  /// - Parameters:
  ///   - isSettling: changes are on their way.
  ///   - isScanning: what a scan has yet to find is explained by the same steps.
  ///   - settle: what is known now of who made a change.
  mutating func next(
    at now: Duration, isSettling: Bool, isScanning: Bool, _ known: KnownStates,
    _ log: inout PluginLog, settle: (ChangeReport) -> ChangeReport
  ) throws -> Step? {
    guard watch.phase != .idle else { return nil }
    guard let database = dpkg else { return unexplained() }
    if explaining == nil {
      let look = UpdateWatch.Look(stamp: database.stamp, isLocked: database.isLocked)
      watch.note(look, at: now)
      guard watch.isDue(at: now, isSettling: isSettling, isScanning: isScanning) else { return nil }
      guard let stanzas = Self.stanzas(of: database, &log) else {
        dpkg = nil
        return unexplained()
      }
      let steps = PackageStep.steps(
        from: try known.packages() ?? [:], to: database.packages(stanzas))
      let files = try PackageFiles(of: steps, in: database, stanzas) { try known.files(of: $0) }
      // What a scan has yet to find, or dpkg to write, is explained by the same steps.
      let isWhole = !look.isLocked && !isScanning
      explaining = (Explaining(steps, files), isWhole ? look.stamp : nil, [:])
      explaining?.sorting.note(watch.seen)
    }
    guard var waiting = watch.next() else { return conclusion(database) }
    waiting.report = settle(waiting.report)
    guard let apart = explaining?.sorting.take(waiting.report) else {
      explaining?.explained[waiting.report.change.path] = waiting
      return .took
    }
    return .tell(UpdateWatch.Waiting(report: apart, reading: waiting.reading))
  }

  private mutating func unexplained() -> Step? {
    if let waiting = watch.next() { return .tell(waiting) }
    watch = UpdateWatch(explained: nil)
    return nil
  }

  private mutating func conclusion(_ database: DpkgDatabase) -> Step? {
    guard let (sorting, stamp, explained) = explaining else { return nil }
    explaining = nil
    watch.end(explained: stamp)
    return .conclude(
      Conclusion(
        update: sorting.update, explained: explained, database: database, stamp: stamp))
  }
}
