import AudispatchPlugin
import Linux
import SyslogSending

/// How an event goes out, and what is said with it.
extension IntegrityPlugin {
  /// Tells an event by the file of events and by syslog.
  ///
  /// - Returns: whether there is room for it.
  @discardableResult
  func pass(_ event: ToldEvent) -> Bool {
    guard output.event(event.lines) else { return false }
    syslog?.send(event, place: output.place)
    return true
  }

  /// Up to which event everybody has what was told: only that is known for good.
  var toldUpTo: UInt64 {
    guard let waits = syslog?.waitsFrom else { return output.writtenUpTo }
    return min(output.writtenUpTo, waits - 1)
  }

  /// Sends what waits for syslog.
  mutating func advanceSyslog() {
    for (severity, text) in syslog?.advance() ?? [] { log.write(severity, text) }
  }

  static func syslog(_ options: IntegrityOptions) throws(SystemError) -> SyslogOutput? {
    options.syslog.addresses.isEmpty ? nil : try SyslogOutput(options)
  }

  mutating func changeSyslog(to new: IntegrityOptions) {
    switch (syslog, new.syslog.addresses.isEmpty) {
    case (let syslog?, false): syslog.change(to: new)
    case (nil, true): break
    case (_, let isEmpty):
      log.write(
        .error,
        "syslog_server: messages are sent\(isEmpty ? " on" : "") only when this is started anew")
    }
  }

  /// Says that a maintenance window has begun, or is over.
  mutating func sayMaintenance() throws {
    let now = WallClock.milliseconds
    let open = try known.windows().last { $0.covers(now) }
    guard open?.generation.number != proving.window?.generation.number else { return }
    if let before = proving.window { say(before, isBegun: false, now) }
    if let open { say(open, isBegun: true, now) }
    proving.window = open
  }

  private mutating func say(_ window: MaintenanceWindow, isBegun: Bool, _ now: Int64) {
    let word = isBegun ? "has begun" : "is over"
    log.write(.notice, "maintenance window \(window.generation.number) \(word)")
    pass(ToldEvent(window, isBegun: isBegun, options.format, at: now))
  }
}
