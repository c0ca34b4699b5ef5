import AuditRecord
import Glibc
import Linux

/// Runs a plugin over its input.
///
/// A thread reads the input and puts the records together; `run` hands them out on the calling
/// thread. Between the two at most 2 MiB wait (and 8 MiB in events that are not complete); beyond
/// it the input is not read, and the dispatcher's queue for this plugin fills.
///
/// SIGHUP asks for a reload, SIGUSR1 for a line of counters in the log. On SIGTERM what waits in
/// the input is read (for at most 1 s) and handled (for at most 2 s in all), and the session ends
/// as at the end of input, within 2.3 s in all unless the plugin itself takes longer.
public struct PluginSession<Options: PluginOptions>: ~Copyable {
  public internal(set) var options: Options
  public var log: PluginLog
  public let confirmations: Confirmations

  private static var handoffBytes: Int { 2 << 20 }
  let source: OptionSource<Options>
  let limits: EventAssembler.Limits
  let input: Int32
  let numbers: RecordNumbers
  let takesSignals: Bool
  /// What was taken is not all stored, or not all handled, and nobody will give it again.
  private(set) var hasLost = false

  init(
    _ options: Options, from source: OptionSource<Options>, log: PluginLog, input: Int32,
    environment: PluginEnvironment, limits: EventAssembler.Limits = EventAssembler.Limits(),
    takesSignals: Bool = true
  ) throws(SystemError) {
    self.takesSignals = takesSignals
    self.options = options
    self.source = source
    self.log = log
    self.input = input
    self.limits = limits
    confirmations = try Confirmations(first: environment.first, descriptor: input)
    numbers = RecordNumbers(
      first: environment.first ?? 0, plugin: environment.plugin, gap: environment.gap)
  }

  /// Hands events out until the end of input or SIGTERM.
  public mutating func run<P: AuditPlugin & ~Copyable>(_ plugin: inout P) throws
  where P.Options == Options {
    try run(&plugin, EventGathering(limits: limits), EventReading.init) { plugin, event in
      try plugin.handle(event)
    }
  }

  /// Hands records out, as they come, until the end of input or SIGTERM.
  public mutating func run<P: RecordPlugin & ~Copyable>(records plugin: inout P) throws
  where P.Options == Options {
    try run(&plugin, RecordGathering(), RecordReading.init) { plugin, batch in
      try plugin.handle(batch)
    }
  }

  private mutating func run<P: PluginLifeCycle & ~Copyable, Gather: Gathering>(
    _ plugin: inout P, _ gather: Gather, _ work: (InputReader<Gather>) -> any ThreadWork,
    _ handle: (inout P, Gather.Item) throws -> Void
  ) throws where P.Options == Options {
    let signals = try PluginSignals(taken: takesSignals)
    let handoff = try Handoff<Gather.Item>(bound: Self.handoffBytes)
    let reader = InputReader(
      input: input, gather, handoff, confirmations, numbers: numbers, gathering: plugin.gathering)
    var loop = HandlingLoop<P, Gather>(
      reader, handoff, confirmations, signals, log, isFed: PluginEnvironment.isFed(by: input))
    var new: Options?
    var source = source
    let thread = try WorkThread(work(reader))
    let outcome = Result {
      try loop.run(&plugin, handle) { log in
        let read = source.reload(&log)
        new = read ?? new
        return read
      }
    }
    reader.ask(.stop)
    thread.join()
    if let new { options = new }
    hasLost = !confirmations.isAsked && loop.leavesUnhandled || plugin.hasLost
    try outcome.get()
  }
}

/// The thread that reads events. Here the reader's type is known, so that its code is made for that.
private final class EventReading: ThreadWork {
  private let reader: InputReader<EventGathering>
  init(_ reader: InputReader<EventGathering>) { self.reader = reader }
  func run() { reader.run() }
}

/// The same for records.
private final class RecordReading: ThreadWork {
  private let reader: InputReader<RecordGathering>
  init(_ reader: InputReader<RecordGathering>) { self.reader = reader }
  func run() { reader.run() }
}
