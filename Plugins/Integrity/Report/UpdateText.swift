import AudispatchPlugin

/// What a package manager changed, for a person at a terminal.
extension TextReport {
  /// Packages and files that are named; a document names all.
  private static let mostNamed = 20

  static func lines(_ report: ChangeReport) -> [String] {
    var lines = lines(report.change)
    if report.isAmended { lines.append("  amended it was told before as certain") }
    if let note = report.note { lines.append("  package \(note.text)") }
    if let window = report.window { lines.append("  window  \(window.shown)") }
    if let attribution = report.attribution { lines += Self.lines(attribution) }
    return lines
  }

  ///     update   low       hello 2.10-3 -> 2.11-1, libhello none -> 2.11-1
  ///       files   100 equal to the sums of their packages, 6 folders and links, 0 removed
  ///       script  changed /etc/shells
  ///       by      alice (1000) in session 5 as uid 0 on pts1: exact
  ///       seen    dpkg -i hello.deb [/usr/bin/dpkg, pid 4242], from bash, by login uid 1000
  static func lines(_ update: PackageUpdate) -> [String] {
    let names = update.steps.prefix(mostNamed).map(\.shown).joined(separator: ", ")
    let more = update.steps.count - mostNamed
    var lines = [
      "\(padded("update", 8)) \(padded(update.severity.rawValue, 9))"
        + SafeText.line(Array(names.utf8)) + (more > 0 ? " and \(more) more" : "")
    ]
    lines.append(
      "  files   \(update.packaged) equal to the sums of their packages, \(update.listed) folders "
        + "and links, \(update.removed) removed")
    for change in update.byScripts.prefix(mostNamed) {
      lines.append("  script  \(change.kind.rawValue) \(change.path.shown)")
    }
    let others = update.byScripts.count - mostNamed
    if others > 0 { lines.append("  script  and \(others) more") }
    if let window = update.window { lines.append("  window  \(window.shown)") }
    if let attribution = update.attribution { lines += Self.lines(attribution) }
    for line in Set(update.seen.named.compactMap(seen)).sorted() {
      lines.append("  seen    \(line)")
    }
    if !update.seen.others.isEmpty {
      lines.append("  seen    and \(update.seen.others.count) more")
    }
    return lines
  }

  private static func seen(_ witness: Witness) -> String? {
    guard let manager = witness.manager, let first = manager.first else { return nil }
    var text = "\(command(first)) [\(executable(first)), pid \(first.pid)]"
    text += manager.dropFirst().map { ", from \(command($0))" }.joined()
    if case .user(let login) = witness.login { text += ", by login uid \(login)" }
    if case .unset = witness.login { text += ", by no login" }
    if let session = witness.session { text += " in session \(session)" }
    return text
  }
}
