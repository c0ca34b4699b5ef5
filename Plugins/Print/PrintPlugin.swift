import AudispatchPlugin
import Linux

/// Prints each event as one readable line, or its records as they are.
///
/// What is written is confirmed, at every pause.
struct PrintPlugin: AuditPlugin, RecordPlugin, ~Copyable {
  typealias Options = PrintOptions

  let doneWhen = DoneWhen.told
  private let confirmations: Confirmations
  /// The last that was taken.
  private var last: DeliveryToken?
  private var log: PluginLog
  private var output: LineOutput
  private var summary: EventSummary

  init(_ options: PrintOptions, log: PluginLog, _ confirmations: Confirmations) throws {
    self.confirmations = confirmations
    self.log = log
    output = try LineOutput(path: options.output)
    summary = EventSummary(zone: options.utc ? .utc : .local)
  }

  mutating func handle(_ event: AuditEvent) throws {
    try output.add(summary.line(for: event).utf8)
    last = event.token
  }

  mutating func handle(_ records: RecordBatch) throws {
    last = records.token
    guard output.isTerminal else {
      return try output.add(lines: records.bytes)
    }
    for record in records.records {
      try output.add(SafeText.line(records.bytes[record.line]).utf8)
    }
  }

  mutating func idle() throws {
    try output.flush()
    if let last { confirmations.done(through: last) }
    last = nil
  }

  mutating func reload(_ options: PrintOptions) {
    do {
      try output.reopen()
    } catch {
      log.write(.error, "\(error); still writing to the file as it was")
    }
  }

  mutating func finish() throws { try idle() }
}
