import AuditRecord
import Glibc
public import Linux

/// Reads a plugin's input to its end: records to events, signals to calls.
///
/// SIGHUP asks for a reload. On SIGTERM what waits in the input is read (for at most 1 s, whatever
/// still comes), and the session ends as at the end of input. Both signals are taken over even if
/// they were ignored or blocked, as auditd's plugins inherit them.
public struct PluginSession: ~Copyable {
  private static let drainTime = Duration.seconds(1)
  private static let readAheadTime = Duration.milliseconds(250)
  /// Records between two looks at the input.
  private static let readEvery = 8

  private let input: Int32
  private let signals: PluginSignals
  private var stream = RecordStream()
  private var assembler: EventAssembler
  private var reports: MalformedReports
  private var hasEnded = false
  private var failure: SystemError?

  /// - Parameters:
  ///   - log: where malformed input is reported.
  ///   - input: the descriptor to read, standard input as a rule.
  public init(
    log: PluginLog, input: Int32 = 0, limits: EventAssembler.Limits = EventAssembler.Limits()
  ) throws(SystemError) {
    self.input = input
    signals = try PluginSignals()
    assembler = EventAssembler(limits: limits)
    reports = MalformedReports(log: log)
  }

  /// What was counted so far.
  public var counters: PluginCounters {
    PluginCounters(
      records: stream.records, events: assembler.events, bytes: stream.bytes,
      malformed: stream.malformedTotal, strayEnds: assembler.strayEnds)
  }

  /// Runs until the end of input or SIGTERM; blocks while there is nothing to do.
  public mutating func run(_ plugin: inout some AuditPlugin & ~Copyable) throws {
    var leaveBy: Duration?
    while true {
      let now = MonotonicTime.now
      let deadline = assembler.expire(at: now)
      try deliver(to: &plugin)
      if let leaveBy, leaveBy <= now { break }

      // Signals are looked at between reads too: the input may never pause.
      var ready = Poll.readable([input, signals.number], within: .zero)
      if !ready[0], !ready[1] {
        try plugin.idle()
        if leaveBy != nil { break }
        let wait = deadline.map { max($0 - MonotonicTime.now, .zero) + .milliseconds(1) }
        ready = Poll.readable([input, signals.number], within: wait)
      }
      if ready[1] {
        while let signal = signals.next() {
          if signal == SIGHUP { try plugin.reload() }
          if signal == SIGTERM, leaveBy == nil { leaveBy = MonotonicTime.now + Self.drainTime }
        }
      }
      guard ready[0] else { continue }
      read()
      try takeRecords(for: &plugin)
      if hasEnded { break }
    }
    try end(&plugin)
  }

  private mutating func read() {
    switch stream.fill(from: input) {
    case .bytes, .wouldBlock: return
    case .end: hasEnded = true
    case .failed(let errno):
      hasEnded = true
      failure = SystemError("read", "the input", errno)
    }
  }

  /// Hands out what was read. Goes on reading meanwhile, so that a burst waits here and not in the
  /// dispatcher's queue: as long as there is room, no signal waits, and the clock is not forgotten.
  private mutating func takeRecords(for plugin: inout some AuditPlugin & ~Copyable) throws {
    let start = MonotonicTime.now
    var now = start
    var taken = 0
    while stream.next(ended: hasEnded, { assembler.append($0, $1, type: $2, at: now) }) {
      try deliver(to: &plugin)
      taken += 1
      guard taken.isMultiple(of: Self.readEvery) else { continue }
      now = MonotonicTime.now
      guard !hasEnded, stream.hasRoom, now - start < Self.readAheadTime else { continue }
      let ready = Poll.readable([input, signals.number], within: .zero)
      if ready[0], !ready[1] { read() }
    }
    reports.note(stream.malformed, sample: stream.malformedSample, at: now)
  }

  private mutating func deliver(to plugin: inout some AuditPlugin & ~Copyable) throws {
    while let event = assembler.next() { try plugin.handle(event) }
  }

  private mutating func end(_ plugin: inout some AuditPlugin & ~Copyable) throws {
    hasEnded = true
    try takeRecords(for: &plugin)
    assembler.finish()
    try deliver(to: &plugin)
    try plugin.finish()
    reports.close(stream.malformed)
    if let failure { throw failure }
  }
}

/// The clock that waits are measured by.
public enum MonotonicTime {
  public static var now: Duration { .nanoseconds(Moment.now.nanoseconds) }
}

/// SIGHUP and SIGTERM, to be read like input.
struct PluginSignals: ~Copyable {
  private let source: SignalSource

  init() throws(SystemError) {
    Signals.ignoreBrokenPipes()
    let numbers = [SIGHUP, SIGTERM]
    // Handlers beside the descriptor: the dispatcher sends SIGHUP only to what catches it.
    for number in numbers { _ = signal(number, { _ in }) }
    source = try SignalSource(numbers)
  }

  /// The descriptor to wait on.
  var number: Int32 { source.number }

  func next() -> Int32? { source.next() }
}
