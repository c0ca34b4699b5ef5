import AudispatchPlugin
import EventDocument
import SyslogSending

/// A maintenance window, as it is told.
extension JSONReport {
  /// A member of `integrity`.
  static func maintenance(_ window: MaintenanceWindow, _ json: inout DocumentLine) {
    let generation = window.generation
    json.object("maintenance") { json in
      json.member("change", Int(generation.number))
      json.member("begun", Timestamp.text(milliseconds: generation.at))
      json.member("until", Timestamp.text(milliseconds: window.until))
      if let reason = generation.reason { json.member("reason", reason) }
      // Without a login there is no member, and above all no 0.
      if let login = generation.actor.login { json.member("login", String(login)) }
      if let session = generation.actor.session { json.member("session", String(session)) }
      json.member("uid", String(generation.actor.user))
    }
  }

  static func line(_ window: MaintenanceWindow, isBegun: Bool, at milliseconds: Int64) -> String {
    let event = Self.event(
      "maintenance", ["info"], isBegun ? "maintenance_begun" : "maintenance_over",
      ["configuration"], at: milliseconds)
    var json = DocumentLine()
    json.object {
      $0.head(event)
      $0.object("integrity") { maintenance(window, &$0) }
    }
    return json.text
  }
}

extension ToldEvent {
  init(
    _ window: MaintenanceWindow, isBegun: Bool, _ format: IntegrityOptions.Format, at now: Int64
  ) {
    self.init(
      lines: format == .json
        ? [JSONReport.line(window, isBegun: isBegun, at: now)]
        : ["window   \(isBegun ? "begun" : "over"): \(window.shown)"],
      record: { _ in RecordText.text(window, isBegun: isBegun) },
      name: isBegun ? "maintenance-begun" : "maintenance-over", level: .notice)
  }
}
