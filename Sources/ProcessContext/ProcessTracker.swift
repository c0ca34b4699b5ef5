public import AudispatchPlugin
import AuditRecord

/// Knows the processes behind events of one host: give it every event, in order, also those that are
/// not written. `HostTrackers` has one for each host.
///
/// What the events say goes before what /proc says, and /proc is asked only for what is missing: about
/// a process when it is seen first, and at its exec. It is not asked about events of other nodes, nor
/// may it answer with a process that has begun after the event. What it has said since an event is not
/// asked again for that.
public struct ProcessTracker {
  /// Between two looks at which processes there are.
  static let sweepPeriod: UInt64 = 5000
  /// By how much a process may seem to have begun after its event: the clock was set meanwhile.
  static let slack: UInt64 = 1000

  let settings: ContextSettings
  let source: any ProcessSource
  var table: ProcessTable
  var logins: LoginSessions
  var groupMemory = GroupMemory()
  let variables: WantedVariables
  /// Takes secrets out of what /proc says.
  let redactor: SecretFinder?
  /// What stands before the pid in what its processes are called for ever.
  let run: [UInt8]
  private var sweptAt: UInt64 = 0

  /// - Parameter redactor: takes secrets out of what /proc says; what events say comes without.
  public init(
    _ settings: ContextSettings, source: any ProcessSource, redactor: SecretFinder? = nil
  ) {
    self.settings = settings
    self.source = source
    self.redactor = redactor
    run = source.run
    variables = WantedVariables(settings.environment)
    table = ProcessTable(limit: max(settings.limit, 16))
    logins = LoginSessions(limit: settings.loginLimit)
  }

  public var count: Int { table.count }
  /// Processes that are known at most.
  var limit: Int {
    get { table.limit }
    set { table.limit = newValue }
  }
  /// Running processes that had to be forgotten for want of room.
  public var forgotten: Int { table.forgotten }

  /// Takes note of an event, and says what its processes are.
  ///
  /// - Parameter now: milliseconds since 1970.
  public mutating func note(_ event: AuditEvent, now: UInt64) -> EventContext {
    var context = EventContext()
    let facts = ProcessEvent(event)
    guard let call = facts.call, facts.pid > 0 else {
      logins.note(event)
      noteLogin(event, &context)
      filter([], [], isCall: false, &context)
      return context
    }
    if event.records.count > 1 { logins.note(event) }
    let moment = Occasion(
      at: event.stamp.milliseconds, now: now,
      isHere: isHere(event) && event.stamp.milliseconds + Self.slack >= source.started)
    if moment.isHere, now >= sweptAt + Self.sweepPeriod || now < sweptAt { sweep(now) }
    let keys = settings.labels.hasKeys ? event.ruleKeys(facts) : []
    let number = process(facts, event, moment)
    if facts.kind == .exec, facts.isSuccess { noteExec(number, facts, event, moment, &context) }
    if !keys.isEmpty {
      let labels = settings.labels
      table.change(number) { $0.labels = labels.adding(keys, to: $0.labels) }
    }
    if facts.kind == .fork, facts.isSuccess { noteFork(number, facts, event, moment) }
    describe(number, facts, call, moment, &context)
    filter(keys, context.process?.labels ?? [], isCall: true, &context)
    if facts.kind == .exit { table.end(number, .exited, by: moment.at) }
    return context
  }

  /// When an event was, and whether /proc can know of it.
  struct Occasion {
    var at: UInt64
    /// When it is looked at.
    var now: UInt64
    var isHere: Bool
  }

  func isHere(_ event: AuditEvent) -> Bool {
    OwnNode.isOwn(event, host: settings.node)
  }

  mutating func sweep(_ now: UInt64) {
    sweptAt = now
    let began = MonotonicTime.now
    guard let pids = source.pids() else { return }
    // One may have ended while they were listed.
    let took = UInt64(max(0, (MonotonicTime.now - began) / .milliseconds(1)))
    table.keepRunning(pids, at: now + took)
  }

  mutating func filter(
    _ keys: [[UInt8]], _ labels: [UInt16], isCall: Bool, _ context: inout EventContext
  ) {
    guard !settings.labels.isEmpty else { return }
    context.isFiltered = settings.labels.leavesOut(keys: keys, labels: labels, isCall: isCall)
    context.labels = labels.map { settings.labels.names[Int($0)] }
  }
}

extension AuditEvent {
  /// The keys of the rules that made the call: not those that a change of the rules names.
  fileprivate func ruleKeys(_ facts: ProcessEvent) -> [[UInt8]] {
    guard let key = facts.key, let call = facts.call else { return [] }
    if key.quoting == .double { return [Array(bytes[key.value])] }
    if bytes[key.value].elementsEqual("(null)".utf8) { return [] }
    return decoded(key, of: call).split(separator: 1).map(Array.init)
  }
}
