import Glibc
import Linux

/// What the handling thread does: hands out what was read, looks after signals and after what the
/// plugin waits for, and tells what is done.
struct HandlingLoop<P: PluginLifeCycle & ~Copyable, Gather: Gathering>: ~Copyable {
  typealias Handle = (inout P, Gather.Item) throws -> Void
  typealias Reload = (inout PluginLog) -> P.Options?

  /// How long a plugin goes on handling after SIGTERM.
  private static var leaveTime: Duration { .seconds(2) }
  /// How long it may wait for others when it finishes: behind that, or without SIGTERM.
  private static var finishTime: (left: Duration, ended: Duration) {
    (.milliseconds(200), .milliseconds(1800))
  }
  /// How long a full socket is waited for with the last word about what is done: behind both, or
  /// without SIGTERM. The dispatcher kills 3 s behind SIGTERM.
  private static var lastWordTime: (left: Duration, ended: Duration) {
    (.milliseconds(300), .seconds(1))
  }
  /// How often it is told what is done while there is always more to handle.
  private static var tellEvery: Duration { .milliseconds(20) }

  /// Whether somebody waits for the end behind that of the input, and not for long.
  private let isFed: Bool
  private let reader: InputReader<Gather>
  private let handoff: Handoff<Gather.Item>
  private let confirmations: Confirmations
  private let signals: PluginSignals
  private var log: PluginLog
  private var reports: MalformedReports

  private var chunk: Handoff<Gather.Item>.Chunk?
  private var at = 0
  private var handled = 0
  private var findings = Handoff<Gather.Item>.Findings()
  private var leaveBy: Duration?
  private var told = Duration.zero
  private var saidOutOfStep = false
  private var hasFailed = false

  init(
    _ reader: InputReader<Gather>, _ handoff: Handoff<Gather.Item>,
    _ confirmations: Confirmations, _ signals: consuming PluginSignals, _ log: PluginLog,
    isFed: Bool
  ) {
    self.isFed = isFed
    self.reader = reader
    self.handoff = handoff
    self.confirmations = confirmations
    self.signals = signals
    self.log = log
    reports = MalformedReports(log: log)
  }

  mutating func run(_ plugin: inout P, _ handle: Handle, _ reload: Reload) throws {
    hasFailed = true
    try handleAll(&plugin, handle, reload)
    hasFailed = false
  }

  private mutating func handleAll(_ plugin: inout P, _ handle: Handle, _ reload: Reload) throws {
    while true {
      let isIdle = try handOut(to: &plugin, handle)
      report()
      if let leaveBy, leaveBy <= MonotonicTime.now { break }
      if isIdle, findings.hasEnded {
        if leaveBy != nil || isFed { break }
        if try !plugin.outlastsInput() { break }
      }
      if isIdle { try plugin.idle() }
      let toldAll = confirmations.flush()
      // With more to hand out this only looks, and does not wait.
      let waits = isIdle || !plugin.wantsMore
      try wait(&plugin, waits, toldAll, reload)
    }
    try end(&plugin)
  }

  /// Hands out a chunk, or as much as the plugin takes of it. Returns whether nothing waits.
  private mutating func handOut(to plugin: inout P, _ handle: Handle) throws -> Bool {
    if chunk == nil {
      (chunk, findings) = handoff.take()
      at = 0
    }
    guard let current = chunk else { return true }
    let isLater = plugin.doneWhen == .told
    while at < current.items.count, plugin.wantsMore {
      let item = current.items[at]
      at += 1
      if confirmations.isAsked {
        if isLater { confirmations.expect(item.token, item.records) }
        try handle(&plugin, item)
        if !isLater { confirmations.finish(item.records) }
        tellNowAndThen()
      } else {
        try handle(&plugin, item)
      }
      handled += item.recordCount
      if leaveBy != nil, let leaveBy, leaveBy <= MonotonicTime.now { break }
    }
    if at == current.items.count {
      handoff.giveBack(current.cost)
      chunk = nil
    }
    return false
  }

  private mutating func tellNowAndThen() {
    let now = MonotonicTime.now
    guard now - told >= Self.tellEvery else { return }
    told = now
    _ = confirmations.flush()
  }

  /// Waits for something to do, or only looks whether there is; does it if it is not to hand out.
  private mutating func wait(
    _ plugin: inout P, _ waits: Bool, _ toldAll: Bool, _ reload: Reload
  ) throws {
    let now = MonotonicTime.now
    let watched = plugin.watched ?? -1
    let deadline = plugin.deadline
    let until = [deadline, leaveBy].compactMap { $0 }.min()
    var patience: Int32 = -1
    if let until { patience = Int32(clamping: Int(max(until - now, .zero) / .milliseconds(1)) + 1) }
    if !waits || until.map({ $0 <= now }) == true { patience = 0 }
    let ready = Poll.wait(
      [
        (signals.number, .read), (watched, .read), (confirmations.wake, .read),
        (plugin.wantsMore ? handoff.filled.number : -1, .read),
        (toldAll ? -1 : confirmations.socket, .write),
      ], milliseconds: patience)
    if !ready[2].isEmpty { confirmations.wokeUp() }
    if !ready[3].isEmpty { handoff.filled.clear() }
    if !ready[0].isEmpty { try takeSignals(&plugin, reload) }
    if !ready[1].isEmpty || deadline.map({ $0 <= MonotonicTime.now }) == true { try plugin.wake() }
  }

  private mutating func takeSignals(_ plugin: inout P, _ reload: Reload) throws {
    while let signal = signals.next() {
      switch signal {
      case SIGHUP: if let options = reload(&log) { try plugin.reload(options) }
      case SIGTERM:
        if leaveBy == nil { leaveBy = MonotonicTime.now + Self.leaveTime }
        reader.ask(.drain)
      case SIGUSR1: log.write(.notice, counters.line(plugin.figures))
      default: break
      }
    }
  }

  /// Records that were read and not handled; what was being handled when the plugin threw counts.
  private var unhandled: Int {
    let counters = counters
    return counters.records - counters.handled - counters.strayEnds
  }

  /// It ended by an error, or too soon, with records in hand.
  var leavesUnhandled: Bool { unhandled > 0 || hasFailed && findings.counters.records > 0 }

  private var counters: PluginCounters {
    var counters = findings.counters
    counters.handled = handled
    return counters
  }

  private mutating func report() {
    reports.note(
      findings.malformed.counts, sample: findings.malformed.sample, at: MonotonicTime.now)
    guard findings.isOutOfStep, !saidOutOfStep else { return }
    saidOutOfStep = true
    log.write(.error, "cannot count the records behind what was skipped: none of them is confirmed")
  }

  private mutating func end(_ plugin: inout P) throws {
    reader.ask(.stop)
    try plugin.finish(
      by: leaveBy.map { $0 + Self.finishTime.left } ?? MonotonicTime.now + Self.finishTime.ended)
    let last =
      leaveBy.map { $0 + Self.lastWordTime.left } ?? MonotonicTime.now + Self.lastWordTime.ended
    while !confirmations.flush(), MonotonicTime.now < last {
      _ = Poll.wait(confirmations.socket, for: .write, milliseconds: 50)
    }
    reports.close(findings.malformed.counts)
    let counters = counters
    let left = unhandled
    if left > 0 { log.write(.warning, "ends before \(left) records were handled") }
    log.write(.info, counters.line(plugin.figures))
    if let failure = findings.failure { throw failure }
  }
}
