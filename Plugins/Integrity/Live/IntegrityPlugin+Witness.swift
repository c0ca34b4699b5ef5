import AudispatchPlugin
import Linux

/// What the watch of the files saw beside audit.
extension IntegrityPlugin {
  /// Tells by itself that somebody was seen at a file of whom no record tells.
  mutating func alert(_ report: ChangeReport) {
    guard let circumstances = report.circumstances, circumstances.testimony == .disagrees else {
      return
    }
    let seen = circumstances.witnesses.filter { $0.login != .unknown }.map(\.shown).sorted()
    let finding =
      "\(report.change.path.shown): seen was \(seen.joined(separator: ", ")), and audit names "
      + (report.attribution?.candidates.isEmpty == false ? "others" : "nobody")
    pass(
      ToldEvent("witness", [finding], well: "", options.format, at: WallClock.milliseconds))
    // One for each record of a change, which are bounded.
    if report.hasRecord { record("witness", [finding]) }
  }
}

extension Witness {
  fileprivate var shown: String {
    var text = "pid \(pid)"
    if let executable { text += " (\(SafeText.word(executable)))" }
    text += login == .unset ? " without a login" : " of login uid \(login.shown)"
    if let session { text += " in session \(session)" }
    return text
  }
}
