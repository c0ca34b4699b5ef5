import AudispatchPlugin
import Linux

/// Events as records of the kernel's audit.
extension IntegrityPlugin {
  mutating func record(_ report: ChangeReport) {
    guard options.auditRecords else { return }
    // What is amended was told a moment ago, and is so once.
    let held = report.isAmended ? 0 : repeats.take(report.change.path, at: MonotonicTime.now)
    guard let held else { return }
    records.write(RecordText.text(report, held: held), isGood: false)
  }

  func record(_ update: PackageUpdate) {
    guard options.auditRecords else { return }
    records.write(RecordText.text(update), isGood: update.severity == .low)
  }

  func record(_ subject: String, _ findings: [String]) {
    guard options.auditRecords else { return }
    records.write(RecordText.text(subject, findings), isGood: findings.isEmpty)
  }

  /// Says that none can be written, and when they can again.
  mutating func lookAfterRecords() {
    let now = records.figures.obstacle
    guard now != saidOfRecords else { return }
    saidOfRecords = now
    if let now {
      log.write(.error, "cannot write audit records: \(now)")
    } else {
      log.write(.notice, "audit records are written again")
    }
  }
}
