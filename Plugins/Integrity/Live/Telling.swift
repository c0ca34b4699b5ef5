import AudispatchPlugin
import Linux
import SyslogSending

/// How events go out: by the file of events, by syslog, and as records of the kernel's audit.
///
/// Its deadline is that of the servers. Only `flush` and `finish` write into the file and to the servers;
/// records are written on a thread of their own.
struct Telling {
  /// What is configured of it.
  struct Settings: Equatable {
    var format: IntegrityOptions.Format
    var hasRecords: Bool

    init(_ options: IntegrityOptions) {
      (format, hasRecords) = (options.format, options.auditRecords)
    }
  }

  private var settings: Settings
  private let output: EventOutput
  private let syslog: SyslogOutput?
  private let records = AuditRecords()
  private var repeats = RecordRepeats()
  private var alerts = WaitingAlerts()
  /// What keeps it from writing, as it was said last.
  private var said = (file: "", records: String?.none)

  init(_ options: IntegrityOptions) throws(SystemError) {
    settings = Settings(options)
    output = EventOutput(options.events)
    syslog = options.syslog.addresses.isEmpty ? nil : try SyslogOutput(options)
  }

  var watched: Int32? { syslog?.watched }
  var deadline: Duration? { syslog?.deadline }
  var hasLost: Bool {
    output.waits || output.dropped > 0 || !alerts.isEmpty || alerts.dropped > 0
      || syslog?.hasLost == true
  }

  var format: IntegrityOptions.Format { settings.format }

  /// The place of the event that was told last.
  var place: UInt64 { output.place }

  /// Whether everybody has what was told at a place: only that is known for good.
  func isDone(_ place: UInt64) -> Bool { isWritten(place) && syslog?.waits(place) != true }

  /// Whether the file of events has it.
  func isWritten(_ place: UInt64) -> Bool { place <= output.writtenUpTo }

  // MARK: Events

  /// Tells an event that is found again where there is no room for it: whether there was.
  mutating func pass(_ event: ToldEvent) -> Bool {
    tellAlerts()
    return write(event)
  }

  /// Tells an event that would not be found again: now, or when there is room.
  mutating func alert(_ event: ToldEvent) {
    alerts.add(event)
    tellAlerts()
  }

  private mutating func tellAlerts() {
    let (output, syslog, format) = (output, syslog, format)
    alerts.tell {
      output.hasRoom && Self.write($0, output, syslog)
    } summary: { count in
      let finding = "\(TextReport.counted(count, "alert", "alerts")) found no room and is not told"
      return ToldEvent("events", [finding], well: "", format, at: WallClock.milliseconds)
    }
  }

  private func write(_ event: ToldEvent) -> Bool { Self.write(event, output, syslog) }

  private static func write(
    _ event: ToldEvent, _ output: EventOutput, _ syslog: SyslogOutput?
  ) -> Bool {
    guard output.event(event.lines) else { return false }
    syslog?.send(event, place: output.place)
    return true
  }

  // MARK: Records

  /// Whether a change has one.
  mutating func record(_ report: ChangeReport) -> Bool {
    guard settings.hasRecords,
      let held = repeats.take(report.change.path, at: MonotonicTime.now)
    else { return false }
    records.write(RecordText.text(report, held: held), isGood: false)
    return true
  }

  /// Of a change that has one: it was told once more.
  func amendRecord(_ report: ChangeReport) {
    records.write(RecordText.text(report), isGood: false)
  }

  func record(_ update: PackageUpdate) {
    guard settings.hasRecords else { return }
    records.write(RecordText.text(update), isGood: update.severity == .low)
  }

  func record(_ subject: String, _ findings: [String]) {
    guard settings.hasRecords else { return }
    records.write(RecordText.text(subject, findings), isGood: findings.isEmpty)
  }

  // MARK: Going out

  /// Writes and sends what waits.
  ///
  /// - Parameter obstacle: what keeps from remembering what was told.
  mutating func flush(_ log: inout PluginLog) {
    output.flush()
    tellAlerts()
    output.flush()
    for (severity, text) in syslog?.advance() ?? [] { log.write(severity, text) }
    AuditRecords.say("audit records", records.figures.obstacle, &said.records, &log)
  }

  /// Says what keeps events from being written or remembered, and when nothing does any more.
  mutating func sayObstacle(_ other: String?, _ log: inout PluginLog) {
    let now = output.obstacle ?? other ?? ""
    guard now != said.file else { return }
    said.file = now
    if now.isEmpty {
      log.write(.notice, "events are written and kept again")
    } else {
      log.write(.error, now)
    }
  }

  mutating func reload(_ new: IntegrityOptions, _ log: inout PluginLog) {
    settings = Settings(new)
    // It may have been moved away: opened anew in any case.
    output.move(to: new.events)
    switch (syslog, new.syslog.addresses.isEmpty) {
    case (let syslog?, false): syslog.change(to: new)
    case (nil, true): break
    case (_, let isEmpty):
      log.write(
        .error,
        "syslog_server: messages are sent\(isEmpty ? " on" : "") only when this is started anew")
    }
  }

  mutating func finish(by end: Duration, _ log: inout PluginLog) {
    records.finish(by: end)
    flush(&log)
    syslog?.finish(by: end)
    flush(&log)
  }

  var figures: [(name: String, value: Int)] {
    [
      ("events_written", output.written), ("events_dropped", output.dropped),
      ("alerts_waiting", alerts.count), ("alerts_dropped", alerts.dropped),
      ("records_written", records.figures.written), ("records_held", repeats.held),
      ("records_dropped", records.figures.dropped),
    ]
      + (syslog.map {
        [
          ("syslog_sent", $0.sent), ("syslog_waiting", $0.waiting), ("syslog_dropped", $0.dropped),
        ]
      } ?? [])
  }
}

extension AuditRecords {
  /// Says that none can be written, and when they can again.
  static func say(
    _ what: String, _ now: String?, _ said: inout String?, _ log: inout PluginLog
  ) {
    guard now != said else { return }
    said = now
    if let now {
      log.write(.error, "cannot write \(what): \(now)")
    } else {
      log.write(.notice, "\(what) are written again")
    }
  }
}
