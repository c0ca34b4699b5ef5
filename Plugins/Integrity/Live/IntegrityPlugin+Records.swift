import AudispatchPlugin
import Linux

/// Events as records of the kernel's audit.
extension IntegrityPlugin {
  /// Whether it has one.
  mutating func record(_ report: ChangeReport) -> Bool {
    guard options.auditRecords,
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
    guard options.auditRecords else { return }
    records.write(RecordText.text(update), isGood: update.severity == .low)
  }

  func record(_ subject: String, _ findings: [String]) {
    guard options.auditRecords else { return }
    records.write(RecordText.text(subject, findings), isGood: findings.isEmpty)
  }

  /// Says that none can be written, and when they can again; and so of marks, without which silence is
  /// no proof.
  mutating func lookAfterRecords() {
    Self.say("audit records", records.figures.obstacle, &saidOfRecords, &log)
    Self.say("marks into the stream", marks.figures.obstacle, &saidOfMarks, &log)
  }

  private static func say(
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
