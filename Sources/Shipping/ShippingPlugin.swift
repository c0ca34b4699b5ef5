public import AudispatchPlugin
import AuditRecord
public import Linux
import ProcessContext

/// A plugin that brings events to servers.
///
/// What is not stored waits, in bounded memory, and behind it in the dispatcher's queue; an event
/// is confirmed when its engine says that it is done. Behind auditd, which must not be made to wait,
/// what is too much is dropped and counted.
public struct ShippingPlugin<Engine: ShippingEngine>: AuditPlugin, ~Copyable {
  public typealias Options = Engine.Options

  /// What is held here before the input waits: so many may be stored that were not confirmed.
  private static var waitingBytes: Int { 16 << 20 }
  private static var waitingCount: Int { mostDoubtful }

  private static var longestText: Int { 1000 }

  public let doneWhen = DoneWhen.told
  private var log: PluginLog
  private let confirmations: Confirmations
  private var options: Options
  private var engine: Engine
  private let request: @Sendable (Options) -> ProcessRequest
  private var processes: ProcessFollower?
  /// The last event that a filter left out, if nothing behind it waits.
  private var skipped: DeliveryToken?
  private var filtered = 0
  private var overflow = Overflow.ofThisProcess(Engine.things.many)
  private var gaps = SerialGaps()
  /// Events that a process before this one may have sent.
  private var doubtful: Int
  private var appended = 0
  private var said = SaidTexts()
  private var refusals = (count: 0, at: Duration?.none)

  /// - Parameter processes: what is to be known of them, by the plugin's options.
  public init(
    _ options: Options, _ log: PluginLog, _ confirmations: Confirmations,
    processes: @escaping @Sendable (Options) -> ProcessRequest
  ) throws(SystemError) {
    self.options = options
    self.log = log
    self.confirmations = confirmations
    request = processes
    self.processes = ProcessFollower(processes(options), after: nil, log)
    engine = try Engine(options, after: nil)
    doubtful = confirmations.isAsked ? Self.waitingCount : 0
  }

  private var isFull: Bool {
    let held = engine.held
    // What is done behind one that is stuck comes again after a kill, and is looked up then: only where
    // somebody gives it again.
    let count = confirmations.isAsked ? held.count : engine.waiting
    return held.bytes >= Self.waitingBytes || count >= Self.waitingCount
  }
  public var wantsMore: Bool { !isFull || overflow.isStuck(at: MonotonicTime.now) }
  public var watched: Int32? { engine.watched }
  public var deadline: Duration? {
    [engine.deadline, isFull && !wantsMore ? overflow.deadline : nil].compactMap { $0 }.min()
  }
  public var gathering: Duration { .milliseconds(1) }

  public var hasLost: Bool {
    !confirmations.isAsked && (engine.waiting > 0 || overflow.dropped > 0)
      || engine.lost > 0
  }

  public var figures: [(name: String, value: Int)] {
    var figures = engine.figures
    figures += [
      ("waiting", engine.waiting), ("dropped", overflow.dropped),
      ("serials_missing", gaps.missing),
    ]
    if let processes { figures += [("filtered", filtered)] + processes.figures }
    return figures
  }

  public mutating func look(at event: inout AuditEvent) -> Bool {
    let isWanted = processes?.look(at: &event, &log) ?? true
    if !isWanted { filtered += 1 }
    return isWanted
  }

  public mutating func handle(_ event: AuditEvent) {
    if !event.isContinuation { gaps.note(event.stamp.serial) }
    let context = ProcessFollower.context(of: event)
    if context?.isFiltered == true { return skip(event.token) }
    let now = MonotonicTime.now
    if isFull, overflow.drops {
      let records = event.records.count * (event.repetition?.count ?? 1)
      if let text = overflow.drop(records, at: now) { log.write(.error, text) }
      return confirmations.done(through: event.token)
    }
    if !isFull, let text = overflow.end() { log.write(.notice, text) }
    engine.append(event, context, isDoubtful: doubtful > 0, at: now)
    skipped = nil
    doubtful = max(0, doubtful - 1)
    appended += 1
    // Each look at the queue costs as much as it is long.
    if appended >= engine.share || isFull { advance() }
  }

  /// An event that is left out is done with those before it.
  private mutating func skip(_ token: DeliveryToken) {
    if engine.waiting == 0 { return confirmations.done(through: token) }
    skipped = token
  }

  public mutating func idle() { advance() }
  public mutating func wake() { advance() }

  private mutating func advance(waits: Bool = true) {
    appended = 0
    let now = MonotonicTime.now
    if let token = engine.advance(waits: waits && !isFull) {
      confirmations.done(through: token)
      overflow.progressed(at: now)
    }
    if engine.waiting == 0 {
      overflow.progressed(at: now)
      if let skipped { confirmations.done(through: skipped) }
      skipped = nil
    }
    for report in engine.takeReports() { say(report, now) }
  }

  /// What servers say may quote what a user wrote: it is no other line of ours.
  private mutating func say(_ report: ShippingReport, _ now: Duration) {
    let things = Engine.things
    func shown(_ text: String) -> String { printable(text, limit: Self.longestText) }
    switch report {
    case .trouble(let text):
      let text = shown(text)
      guard said.isDue(text, at: now) else { return }
      log.write(.error, "\(text); \(engine.waiting) \(things.many) wait here")
    case .recovered:
      said = SaidTexts()
      log.write(.notice, "\(things.many) are stored again")
    case .refused(let type, let reason, let id):
      refusals.count += 1
      if let at = refusals.at, now - at < SaidTexts.interval { return }
      let more = refusals.count > 1 ? " (and \(refusals.count - 1) before it)" : ""
      refusals = (0, now)
      let kind = type.isEmpty ? "" : "\(shown(type)): "
      log.write(
        .error,
        "\(things.one) \(shown(id))\(more) is refused and \(engine.placeOfRefused): \(kind)\(shown(reason))"
      )
    case .note(let text): log.write(.warning, shown(text))
    }
  }

  /// Goes on with the new options; what waits goes where they say, as what it is.
  public mutating func reload(_ new: Options) throws(SystemError) {
    guard new != options else { return }
    if let token = engine.stop() { confirmations.done(through: token) }
    engine = try Engine(new, after: engine)
    options = new
    // What other settings lead to is news, though it was said before.
    said = SaidTexts()
    processes?.save(&log)
    processes = ProcessFollower(request(new), after: processes, log)
    advance()
  }

  public mutating func outlastsInput() -> Bool {
    advance(waits: false)
    return engine.waiting > 0
  }

  /// Sends what waits, as long as there is time.
  public mutating func finish(by end: Duration) {
    processes?.save(&log)
    let last = end - .milliseconds(300)
    advance(waits: false)
    while engine.waiting > 0, MonotonicTime.now < last {
      let until = min(engine.deadline ?? last, last)
      let patience = max(until - MonotonicTime.now, .milliseconds(1))
      _ = Poll.wait(
        engine.watched, for: .read,
        milliseconds: Int32(clamping: Int(patience / .milliseconds(1)) + 1))
      advance(waits: false)
    }
    if let token = engine.stop() { confirmations.done(through: token) }
    let left = engine.waiting
    if left > 0 { log.write(.error, "ends before \(left) \(Engine.things.many) were stored") }
  }
}

extension PluginSession where Options: Equatable {
  /// Has such an engine bring events to servers, until the end of input or SIGTERM.
  ///
  /// - Parameters:
  ///   - rules: where those stand among the options that make less of the events.
  ///   - processes: what is to be known of processes, by the options.
  public mutating func ship<Engine: ShippingEngine>(
    by _: Engine.Type, rules: @escaping @Sendable (Options) -> VolumeRules,
    processes: @escaping @Sendable (Options) -> ProcessRequest
  ) throws where Engine.Options == Options {
    let shipping = try ShippingPlugin<Engine>(
      options, log, confirmations, processes: processes)
    var plugin = try LessVolume(shipping, options, confirmations, rules: rules)
    try run(&plugin)
  }
}

/// Events that may have been sent and not confirmed when a process ended.
public let mostDoubtful = 20_000
