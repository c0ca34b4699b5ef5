import AudispatchPlugin
import AuditRecord
import Configuration
import Linux

/// Tells of each change of a watched file as it is made: what changed, and who did it.
///
/// Three sources are joined: the audit stream says who; the watch of the file systems says when a
/// file is at rest; and scans find what both have missed. A file is read when nothing has happened
/// to it for the settle time, and never because of an audit record alone.
///
/// Each owner below has its own state, says when it has to be looked at, and what it does. What takes
/// several of them is here, and in the extensions.
struct IntegrityPlugin: AuditPlugin {
  typealias Options = IntegrityOptions

  static var settleTime: Duration { .milliseconds(500) }
  /// How long files are looked at before the stream has its turn again.
  private static var turn: Duration { .milliseconds(20) }

  private(set) var options: IntegrityOptions
  var log: PluginLog
  var known: KnownStates
  var stream: AuditStream
  var files: FileReading
  var processes: Processes
  var watching: Watching
  var scanning: Scanning
  var packaging = Packaging()
  var proving = Proving()
  var telling: Telling
  var told = ToldChanges()
  /// Who has the rights that this process has given up; `nil`: it had none of them.
  let helper: Helper?
  /// The folders that it may write into; `nil`: everywhere.
  private var writable: [FilePath]?
  private let callers: Callers

  init(_ options: IntegrityOptions, _ log: PluginLog) throws {
    self.options = options
    self.log = log
    helper = try Helper.start(options)
    Self.makeCanaryFolders(options, helper)
    try Rights.giveUp()
    known = try KnownStates(options.database)
    stream = AuditStream(options)
    telling = try Telling(options)
    watching = try Watching(helper)
    processes = try Processes()
    scanning = Scanning(options, bell: watching.bell)
    files = FileReading(options, bell: watching.bell)
    callers = try Callers(
      [watching.descriptor, helper?.descriptor, telling.watched].compactMap(\.self))
    // These look into other processes or wait, and write nothing.
    try watching.begin()
    try processes.begin()
    writable = try Rights.confine(options, &self.log)
    try beginUpdates()
    beginProving()
    sayWhatWasAltered()
    // Rules first: what is found by the scan behind them is what they tell of.
    prove(at: MonotonicTime.now)
    watchRoots()
    if watching.hasSilent { sayMounts() }
    noteLosses()
    if Capabilities.permitted.contains(.auditWrite) {
      // A scan that begins when the stream is connected proves what is known from then on.
      stream.beginMarks(at: MonotonicTime.now)
      scanning.wait(until: MonotonicTime.now + StreamMarks.patience)
    }
    self.log.write(.info, "watches \(watching.folders) folders by \(watching.source.rawValue)")
    stream.beginReading()
  }

  var watched: Int32? { callers.number }

  var deadline: Duration? {
    [
      files.deadline, scanning.deadline, proving.deadline(options), packaging.deadline,
      stream.deadline, telling.deadline, known.deadline, helper?.hasNews == true ? .zero : nil,
    ].compactMap(\.self).min()
  }

  var hasLost: Bool { telling.hasLost }

  // MARK: The stream

  mutating func handle(_ event: AuditEvent) {
    let isOwn = stream.isOwn(event)
    sayOwn()
    guard isOwn else { return }
    stream.note(event, scanned: scanning.newest)
    noteRules(event)
    guard let deed = stream.deed(of: event) else { return }
    if deed.effect.isSubset(of: .unnamed) { look(after: deed, of: event) }
    for index in proving.canaries.indices { proving.canaries[index].take(deed) }
    amend(by: deed)
  }

  mutating func idle() {
    stream.listen()
    flush()
  }

  // MARK: Files

  mutating func wake() throws {
    let (notices, hasLost) = watching.take()
    for notice in notices { try take(notice) }
    if hasLost {
      log.write(.warning, "events of files were lost: everything is looked at anew")
      watchRoots()
      try scanAll()
    }
    try lookAfterHelper()
    try takeMounts()
    takeScan()
    files.takeLarge(at: MonotonicTime.now)
    prove(at: MonotonicTime.now)
    try proveStream(at: MonotonicTime.now)
    if scanning.deadline <= MonotonicTime.now { try scanAll() }
    try examineDue(at: MonotonicTime.now, within: Self.turn)
    try explainDue(at: MonotonicTime.now, within: Self.turn)
    flush()
  }

  private mutating func take(_ notice: FileNotice) throws {
    for index in proving.canaries.indices { proving.canaries[index].take(notice) }
    if let folder = packaging.folder, notice.path.folder == folder {
      packaging.note(notice.witness)
    }
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
      try scanning.want([notice.path])
    }
  }

  /// Writes and sends what waits, and remembers what everybody has.
  mutating func flush(at now: Duration = MonotonicTime.now) {
    telling.flush(&log)
    keepTold(at: now)
    telling.sayObstacle(known.obstacle, &log)
  }

  mutating func keepTold(at now: Duration = MonotonicTime.now) {
    let telling = telling
    known.keep(at: now, isDone: telling.isDone, isWritten: telling.isWritten)
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
    telling.reload(new, &log)
    try explainAll(by: MonotonicTime.now + .seconds(1))
    options = new
    stream.reload(new)
    files.reload(new)
    scanning.reload(new, bell: watching.bell)
    let left = new.database == known.path ? known.left : nil
    known = try KnownStates(new.database, left: left)
    try beginUpdates()
    beginProving()
    sayWhatWasAltered()
    // What was mounted meanwhile is still not what was there at the start.
    if !watching.findings(new.policy).isEmpty { sayMounts() }
    prove(at: MonotonicTime.now)
    watchRoots()
    try scanAll()
  }

  mutating func finish(by end: Duration) throws {
    // What has not settled yet is looked at as it is.
    while MonotonicTime.now < end {
      let before = files.count
      try examineDue(at: .seconds(Int64.max / 2), within: Self.turn)
      if files.count == 0 || files.count >= before { break }
    }
    try explainAll(by: end)
    telling.finish(by: end, &log)
    flush(at: .seconds(Int64.max / 2))
  }
}
