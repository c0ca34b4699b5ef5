import AudispatchPlugin
import AuditRecord
import Configuration
import Linux

/// Tells of each change of a watched file as it is made: what changed, and who did it.
///
/// Three sources are joined: the audit stream says who; the watch of the file systems says when a
/// file is at rest; and scans find what both have missed. A file is read when nothing has happened
/// to it for the settle time, and never because of an audit record alone.
struct IntegrityPlugin: AuditPlugin {
  typealias Options = IntegrityOptions

  static var settleTime: Duration { .milliseconds(500) }
  /// How long files are looked at before the stream has its turn again.
  private static var turn: Duration { .milliseconds(20) }

  private(set) var options: IntegrityOptions
  var log: PluginLog
  var known: KnownStates
  var deeds = DeedStore()
  var gaps: StreamGaps
  var own: OwnRecords
  var settling = Settling(settleTime: Self.settleTime)
  var reader: StateReader
  let output: EventOutput
  let syslog: SyslogOutput?
  let watch: FileWatch
  let mountWatch: MountWatch
  var mounts: MountState
  var reach: MountReach
  /// Who has the rights that this process has given up; `nil`: it had none of them.
  let helper: Helper?
  let processes: ProcessLooker
  /// The folders that it may write into; `nil`: everywhere.
  private var writable: [FilePath]?
  var scan: BackgroundScan
  /// What is too large to be read here.
  var large: LargeFiles
  var aside = ReadAside()
  var told = ToldChanges()
  var scanAt: Duration
  var wholeScans = WholeScans()
  var stream = StreamProof()
  var losses = KernelLosses()
  private(set) var lag = StreamLag(from: WallClock.milliseconds)
  var openFiles = OpenFilesCache()
  var proving = Proving()
  /// The packages of this host; `nil` where none can explain a change.
  var dpkg: DpkgDatabase?
  var updates = UpdateWatch(explained: nil)
  /// An explanation that is being made: of which state of the database, and what it covers.
  var explaining:
    (sorting: Explaining, stamp: DpkgDatabase.Stamp?, explained: [FilePath: UpdateWatch.Waiting])?
  var counts = Counts()
  private var said = ""
  /// Events as records of the kernel's audit.
  let records = AuditRecords()
  /// Records that are written to see that they come back.
  let marks = AuditRecords()
  private let callers: Callers
  var repeats = RecordRepeats()
  var saidOfRecords: String?
  var saidOfMarks: String?
  /// Paths that the present scans have named.
  var differing = 0

  init(_ options: IntegrityOptions, _ log: PluginLog) throws {
    self.options = options
    self.log = log
    helper = try Helper.start(options)
    Self.makeCanaryFolders(options, helper)
    try Rights.giveUp()
    known = try KnownStates(options.database)
    gaps = StreamGaps(keys: options.auditKeys)
    own = Self.own(options)
    reader = StateReader(largest: UInt64(options.largestFile))
    output = EventOutput(options.events)
    syslog = try Self.syslog(options)
    watch = try FileWatch(WatchedFolders(helper))
    processes = try ProcessLooker()
    mountWatch = try Self.mountWatch(watch)
    mounts = MountState(MountPoints.mounts)
    reach = Self.reach(watch)
    scan = Self.scan(options, watch)
    large = Self.large(options, watch)
    scanAt = MonotonicTime.now
    callers = try Callers(
      [watch.bell.number, helper?.descriptor, syslog?.watched].compactMap(\.self))
    // These look into other processes or wait, and write nothing.
    try WorkThread(watch).detach()
    try WorkThread(processes).detach()
    try WorkThread(mountWatch).detach()
    writable = try Rights.confine(options, &self.log)
    try beginUpdates()
    beginProving()
    sayWhatWasAltered()
    // Rules first: what is found by the scan behind them is what they tell of.
    prove(at: MonotonicTime.now)
    watchRoots()
    if !reach.silent.isEmpty { sayMounts() }
    noteLosses()
    if Capabilities.permitted.contains(.auditWrite) {
      // A scan that begins when the stream is connected proves what is known from then on.
      stream.marks.begin(at: MonotonicTime.now)
      scanAt = MonotonicTime.now + StreamMarks.patience
    }
    self.log.write(
      .info, "watches \(watch.folders.count) folders by \(watch.folders.source.rawValue)")
    // The stream is read from now on.
    lag = StreamLag(from: WallClock.milliseconds)
  }

  private static func scan(_ options: IntegrityOptions, _ watch: FileWatch) -> BackgroundScan {
    BackgroundScan(options.database, options.policy, options.scanSettings) { watch.bell.ring() }
  }

  private static func own(_ options: IntegrityOptions) -> OwnRecords {
    OwnRecords(node: options.auditNode, host: (try? NodeName.resolve(.hostname, name: nil)) ?? nil)
  }

  private static func mountWatch(_ watch: FileWatch) throws(SystemError) -> MountWatch {
    try MountWatch { watch.bell.ring() }
  }

  private static func reach(_ watch: FileWatch) -> MountReach { MountReach { watch.bell.ring() } }

  private static func large(_ options: IntegrityOptions, _ watch: FileWatch) -> LargeFiles {
    LargeFiles(largest: UInt64(options.largestFile)) { watch.bell.ring() }
  }

  var watched: Int32? { callers.number }

  var deadline: Duration? {
    [
      settling.nextDue, scanAt, proving.deadline(options), updates.deadline, stream.deadline,
      syslog?.deadline,
      explaining == nil && helper?.hasNews != true ? nil : .zero,
    ].compactMap(\.self).min()
  }

  var hasLost: Bool { output.waits || output.dropped > 0 || syslog?.hasLost == true }

  // MARK: The stream

  mutating func handle(_ event: AuditEvent) {
    let isOwn = own.takes(event)
    sayOwn()
    guard isOwn else { return }
    lag.note(
      Int64(clamping: event.stamp.milliseconds), at: WallClock.milliseconds, MonotonicTime.now)
    gaps.note(event, at: WallClock.milliseconds)
    noteStream()
    noteRules(event)
    guard let deed = deeds.take(event) else { return }
    if deed.effect.isSubset(of: .unnamed) { look(after: deed, of: event) }
    for index in proving.canaries.indices { proving.canaries[index].take(deed) }
    amend(by: deed)
  }

  mutating func idle() {
    // Nothing waits: what was done a moment ago would be here.
    gaps.listen(until: lag.reach(at: WallClock.milliseconds, MonotonicTime.now))
    flush()
  }

  // MARK: Files

  mutating func wake() throws {
    let (notices, hasLost) = watch.take()
    for notice in notices { try take(notice) }
    if hasLost {
      counts.overflows += 1
      log.write(.warning, "events of files were lost: everything is looked at anew")
      watchRoots()
      try scanAll()
    }
    try lookAfterHelper()
    if mountWatch.take() { try takeMounts() }
    try takeReached()
    takeScan()
    takeLarge(at: MonotonicTime.now)
    prove(at: MonotonicTime.now)
    try proveStream(at: MonotonicTime.now)
    if scanAt <= MonotonicTime.now { try scanAll() }
    try examineDue(at: MonotonicTime.now, within: Self.turn)
    try explainDue(at: MonotonicTime.now, within: Self.turn)
    flush()
  }

  private mutating func take(_ notice: FileNotice) throws {
    for index in proving.canaries.indices { proving.canaries[index].take(notice) }
    if let dpkg, notice.path.folder == dpkg.folder { updates.note(notice.witness) }
    let decision = options.policy.decision(for: notice.path)
    guard decision.rule != nil || decision.leadsOn else { return }
    note(notice.path, by: notice.witness)
    // An entry that comes or goes changes its folder.
    if notice.hasArrived || notice.hasLeft { note(notice.path.folder, by: notice.witness) }
    guard notice.isFolder else { return }
    if notice.hasLeft {
      for path in try known.paths(below: notice.path) { note(path, by: notice.witness) }
    }
    if notice.hasArrived, decision.leadsOn {
      watchTree(notice.path)
      try scan.want([notice.path])
    }
  }

  mutating func flush() {
    output.flush()
    advanceSyslog()
    known.keep(writtenUpTo: toldUpTo)
    lookAfterRecords()
    let now = output.obstacle ?? known.obstacle ?? ""
    guard now != said else { return }
    said = now
    if now.isEmpty {
      log.write(.notice, "events are written and kept again")
    } else {
      log.write(.error, now)
    }
  }

  mutating func reload(_ new: IntegrityOptions) throws {
    if let writable {
      for folder in new.writtenFolders where !writable.contains(where: folder.isWithin) {
        log.write(.error, "\(folder.shown) may not be written to before this is started anew")
      }
    }
    if let helper, helper.login != new.canaryLogin {
      log.write(.error, "canary_login stays \(helper.login) until this is started anew")
    }
    // It may have been moved away: opened anew in any case.
    output.move(to: new.events)
    changeSyslog(to: new)
    try explainAll(by: MonotonicTime.now + .seconds(1))
    options = new
    gaps.keys = new.auditKeys
    own = Self.own(new)
    reader = StateReader(largest: UInt64(new.largestFile))
    scan = Self.scan(new, watch)
    large = Self.large(new, watch)
    aside = ReadAside()
    wholeScans = WholeScans()
    stream.scans = ProofScans()
    let left = new.database == known.path ? known.left : nil
    known = try KnownStates(new.database, left: left)
    try beginUpdates()
    beginProving()
    sayWhatWasAltered()
    // What was mounted meanwhile is still not what was there at the start.
    if !mounts.findings(new.policy).isEmpty || !reach.silent.isEmpty { sayMounts() }
    prove(at: MonotonicTime.now)
    watchRoots()
    try scanAll()
  }

  mutating func finish(by end: Duration) throws {
    // What has not settled yet is looked at as it is.
    while MonotonicTime.now < end {
      let before = settling.count
      try examineDue(at: .seconds(Int64.max / 2), within: Self.turn)
      if settling.count == 0 || settling.count >= before { break }
    }
    try explainAll(by: end)
    records.finish(by: end)
    output.flush()
    syslog?.finish(by: end)
    flush()
  }
}
