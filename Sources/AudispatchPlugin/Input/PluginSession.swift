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

  private let input: Int32
  private let signals: PluginSignals
  private var stream = RecordStream()
  private var assembler: EventAssembler
  private var reports: MalformedReports

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
      switch stream.fill(from: input) {
      case .bytes: try takeRecords(for: &plugin, ended: false)
      case .wouldBlock: continue
      case .end:
        try end(&plugin)
        return
      case .failed(let errno):
        try end(&plugin)
        throw SystemError("read", "the input", errno)
      }
    }
    try end(&plugin)
  }

  private mutating func takeRecords(
    for plugin: inout some AuditPlugin & ~Copyable, ended: Bool
  ) throws {
    let now = MonotonicTime.now
    while stream.next(ended: ended, { assembler.append($0, $1, type: $2, at: now) }) {
      try deliver(to: &plugin)
    }
    reports.note(stream.malformed, sample: stream.malformedSample, at: now)
  }

  private mutating func deliver(to plugin: inout some AuditPlugin & ~Copyable) throws {
    while let event = assembler.next() { try plugin.handle(event) }
  }

  private mutating func end(_ plugin: inout some AuditPlugin & ~Copyable) throws {
    try takeRecords(for: &plugin, ended: true)
    assembler.finish()
    try deliver(to: &plugin)
    try plugin.finish()
    reports.close(stream.malformed)
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
