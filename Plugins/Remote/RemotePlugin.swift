import AudispatchPlugin
import AuditRecord
import Glibc
import Linux
import RemoteProtocol

/// Records as they come, to a server that stores them.
///
/// Under audispatchd what waits here is bounded, and the rest waits in the plugin's queue there;
/// a record is confirmed when a server has stored it. auditd keeps nothing for a plugin: there
/// `queue_depth` records wait in memory, and behind it the newest are dropped and counted.
struct RemotePlugin: RecordPlugin, ~Copyable {
  typealias Options = RemoteOptions

  /// Bytes that wait here before the input does: what the window takes over a long way, and more.
  private static var waitingBytes: Int { 1 << 20 }

  let doneWhen = DoneWhen.told
  private let confirmations: Confirmations
  private var log: PluginLog
  private var options: RemoteOptions
  private var uplink: Uplink
  private var overflow = Overflow.ofThisProcess("records")
  private var rate = InputRate(at: MonotonicTime.now)
  private var programs = ActionPrograms()
  /// Of what audisp-remote left behind, so many records are in memory at most.
  private static var legacyWindow: Int { 1000 }
  /// What it left behind, and how many records of it are in memory and not stored.
  private var legacy: LegacyQueue?
  private var legacyWaiting = 0

  init(
    _ options: RemoteOptions, _ log: PluginLog, _ confirmations: Confirmations
  ) throws(SystemError) {
    self.confirmations = confirmations
    self.log = log
    self.options = options
    let first = confirmations.isAsked ? Self.variable("AUDISPATCH_FIRST").flatMap(UInt64.init) : nil
    uplink = try Uplink(options, name: Self.name(isNumbered: first != nil), first: first)
    if options.takesOverQueue { takeOver(options.queueFile ?? LegacyQueue.usualPath) }
    advance()
  }

  /// What receivers of ours know this stream of records by: the host's name and the plugin's. Where the
  /// dispatcher numbers nothing, each process has a stream of its own.
  private static func name(isNumbered: Bool) -> String {
    let host = (try? NodeName.resolve(.hostname, name: nil)) ?? "host"
    let name = "\(host)/\(variable("AUDISPATCH_PLUGIN") ?? "remote")"
    let stream =
      isNumbered ? name : name + "#" + String(UInt64.random(in: .min ... .max), radix: 36)
    let printable = stream.utf8.filter { $0 > 0x20 && $0 < 0x7f }
    return String(decoding: printable.suffix(Opening.longestName), as: UTF8.self)
  }

  private static func variable(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// Records that wait, without those that audisp-remote left behind: these have their place in its file.
  private var waiting: Int { uplink.records.count - legacyWaiting }
  private var isFull: Bool {
    overflow.drops
      ? waiting >= options.queueDepth : uplink.records.bytes >= Self.waitingBytes
  }
  var wantsMore: Bool { !isFull || overflow.isStuck(at: MonotonicTime.now) }
  var watched: Int32? { uplink.watched }
  var deadline: Duration? {
    [uplink.deadline, isFull && !wantsMore ? overflow.deadline : nil].compactMap { $0 }.min()
  }

  var hasLost: Bool {
    !confirmations.isAsked && (waiting > 0 || overflow.dropped > 0)
  }

  var figures: [(name: String, value: Int)] {
    [
      ("stored", uplink.counts.stored), ("waiting", uplink.records.count),
      ("on_their_way", uplink.records.count - uplink.records.unsent),
      ("dropped", overflow.dropped), ("sent_again", uplink.counts.sentAgain),
      ("cut", uplink.counts.cut), ("connections", uplink.counts.connections),
    ]
  }

  mutating func handle(_ batch: RecordBatch) {
    let now = MonotonicTime.now
    rate.note(batch.records.count, bytes: batch.bytes.count, at: now)
    if isFull, overflow.drops {
      if let text = overflow.drop(batch.records.count, at: now) { say(.error, text, .overflow) }
      confirmations.done(through: batch.token)
      return
    }
    if !isFull, let text = overflow.end() { say(.notice, text, nil) }
    if !uplink.append(batch) { confirmations.done(through: batch.token) }
    advance()
  }

  mutating func wake() {
    programs.reap()
    advance()
  }

  private mutating func advance() {
    let before = uplink.counts.stored
    repeat {
      let before = uplink.counts.stored
      if let token = uplink.advance() { confirmations.done(through: token) }
      noteLegacy(uplink.counts.stored - before)
    } while readLegacy()
    endLegacy()
    if uplink.counts.stored > before || uplink.records.count == 0 {
      overflow.progressed(at: MonotonicTime.now)
    }
    for report in uplink.takeReports() {
      say(report.severity, report.text + (report.isOutage ? keeping : ""), report.occasion)
    }
  }

  /// Where records wait while no server takes them, and for how long they can.
  private var keeping: String {
    let keeping: Keeping =
      overflow.drops
      ? .here(records: options.queueDepth) : .dispatcher(Keeping.Room(Self.variable))
    return keeping.text(waiting: waiting, at: rate.perSecond(at: MonotonicTime.now))
  }

  private mutating func say(
    _ severity: Severity, _ text: String, _ occasion: RemoteAction.Occasion?
  ) {
    let action = occasion.map(options.action) ?? .say
    if action == .ignore { return }
    log.write(severity, text)
    switch action {
    case .execute(let path): programs.start([path, text], &log)
    case .single: programs.start(options.singleCommand, &log)
    case .halt: programs.start(options.haltCommand, &log)
    case .ignore, .say: break
    }
  }

  // MARK: What audisp-remote left behind

  private mutating func takeOver(_ path: String) {
    do throws(LegacyQueue.Refusal) {
      legacy = try LegacyQueue(path)
    } catch { return log.write(.error, "\(error): nothing is taken over") }
    guard let left = legacy?.left else { return }
    log.write(.notice, "\(left) records that audisp-remote left in \(path) go first")
    _ = readLegacy()
  }

  /// Reads more of it when half of what was read is stored, in front of what came since.
  ///
  /// - Returns: whether there was anything.
  private mutating func readLegacy() -> Bool {
    guard legacy != nil, legacyWaiting <= Self.legacyWindow / 2 else { return false }
    var lines: [[UInt8]] = []
    while legacyWaiting + lines.count < Self.legacyWindow, let line = legacy?.next() {
      lines.append(line)
    }
    legacyWaiting += lines.count
    uplink.putInFront(lines, awaitsMore: legacy?.hasMore ?? false)
    return !lines.isEmpty
  }

  /// So many records were stored, the oldest.
  private mutating func noteLegacy(_ stored: Int) {
    for _ in 0..<min(stored, legacyWaiting) {
      legacyWaiting -= 1
      legacy?.finish()
    }
  }

  private mutating func endLegacy() {
    guard legacyWaiting == 0, legacy?.left == 0, let damaged = legacy?.damaged else { return }
    legacy = nil
    log.write(.notice, "what audisp-remote left is stored; \(damaged) entries held no record")
  }

  /// Goes on with other servers; what waits goes to them.
  mutating func reload(_ new: RemoteOptions) {
    guard new != options else { return }
    options = new
    uplink.change(to: new)
    advance()
  }

  mutating func outlastsInput() -> Bool { waiting > 0 }

  /// Sends what waits, as long as there is time.
  mutating func finish(by end: Duration) {
    let last = end - .milliseconds(100)
    while uplink.records.count > 0, MonotonicTime.now < last {
      uplink.wait(atMost: last - MonotonicTime.now)
      advance()
    }
    // What was taken over stays in its file.
    let left = waiting
    if left > 0 { log.write(.error, "ends before \(left) records were stored by a server") }
    uplink.close()
  }
}
