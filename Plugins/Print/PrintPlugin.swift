import AudispatchPlugin
import Linux

/// Prints each event as one readable line, or its records as they are.
struct PrintPlugin: AuditPlugin, ~Copyable {
  private let raw: Bool
  private var log: PluginLog
  private var output: LineOutput
  private var summary: EventSummary

  init(_ options: PrintOptions, log: PluginLog) throws {
    raw = options.raw
    self.log = log
    output = try LineOutput(path: options.output)
    summary = EventSummary(zone: options.utc ? .utc : .local)
  }

  mutating func handle(_ event: AuditEvent) throws {
    guard raw else {
      try output.add(summary.line(for: event).utf8)
      return
    }
    for record in event.records {
      let line = event.bytes[record.line]
      if output.isTerminal {
        try output.add(SafeText.line(line).utf8)
      } else {
        try output.add(line)
      }
    }
  }

  mutating func idle() throws { try output.flush() }

  mutating func reload() {
    do {
      try output.reopen()
    } catch {
      log.write(.error, "\(error); still writing to the file as it was")
    }
  }

  mutating func finish() throws { try output.flush() }
}
