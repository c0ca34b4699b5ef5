import SyslogSending

/// An event as it is told: lines for the file of events, one line for syslog.
struct ToldEvent {
  var lines: [String]
  /// As a record of the kernel's audit has it, in so many bytes if names can be cut for that.
  var record: @Sendable (Int) -> String
  /// What it is called in the header of a message.
  var name: String
  var level: SyslogPriority.Level
}

extension ToldEvent {
  init(_ report: ChangeReport, _ head: ChainHead, _ format: IntegrityOptions.Format, at now: Int64)
  {
    self.init(
      lines: format == .json
        ? [JSONReport.line(report, head, at: now)] : TextReport.lines(report) + [head.line],
      record: { RecordText.text(report, room: $0) }, name: "file-\(report.change.kind.rawValue)",
      level: report.change.severity.level)
  }

  init(_ update: PackageUpdate, _ head: ChainHead, _ format: IntegrityOptions.Format, at now: Int64)
  {
    self.init(
      lines: format == .json
        ? [JSONReport.line(update, head, at: now)] : TextReport.lines(update) + [head.line],
      record: { _ in RecordText.text(update) }, name: "packages-changed",
      level: update.severity.level)
  }

  /// Whether the program sees what it should.
  init(
    _ subject: String, _ findings: [String], well: String, _ format: IntegrityOptions.Format,
    at now: Int64
  ) {
    let isWell = findings.isEmpty
    self.init(
      lines: format == .json
        ? [JSONReport.line(subject, findings, at: now)]
        : isWell
          ? ["sees     \(subject): \(well)"] : findings.map { "blind    \(subject): \($0)" },
      record: { RecordText.text(subject, findings, room: $0) },
      name: isWell ? "integrity-sees" : "integrity-blind", level: isWell ? .notice : .crit)
  }
}

extension ChainHead {
  fileprivate var line: String { "  head    \(shown)" }
}

extension Severity {
  fileprivate var level: SyslogPriority.Level {
    switch self {
    case .low: .notice
    case .medium: .warning
    case .high: .err
    case .critical: .crit
    }
  }
}
