import AudispatchPlugin
import Linux

/// Prints each event as one readable line, or its records as they are.
///
/// What is written is confirmed.
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
    note(event.token)
  }

  mutating func handle(_ records: RecordBatch) throws {
    if output.isTerminal {
      for record in records.records {
        try output.add(SafeText.line(records.bytes[record.line]).utf8)
      }
    } else {
      try output.add(lines: records.bytes)
    }
    note(records.token)
  }

  private mutating func note(_ token: DeliveryToken) {
    last = token
    if output.isWritten { confirmWritten() }
  }

  private mutating func confirmWritten() {
    if let last { confirmations.done(through: last) }
    last = nil
  }

  mutating func idle() throws {
    try output.flush()
    confirmWritten()
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
