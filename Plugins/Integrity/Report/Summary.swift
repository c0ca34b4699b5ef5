import AudispatchPlugin
import Linux

/// What is to be told to people: what differs, who did it, what was accepted, and how far all that
/// can be relied on.
struct Summary: Sendable {
  /// A change of the baseline with the paths that it accepted.
  struct Accepted: Sendable {
    var generation: Generation
    var paths: [FilePath]
  }

  /// Milliseconds since 1970.
  var at: Int64
  var node: String
  var database: String
  var head: ChainHead
  var update: PackageUpdate?
  /// The gravest first.
  var changes: [ChangeReport]
  /// The newest first.
  var accepted: [Accepted]
  /// The oldest first.
  var windows: [MaintenanceWindow]
  /// Where something may have been missed; empty when all is well.
  var findings: [String]
  /// `130,000 files, 5,100 MiB in 14.2 s`.
  var scanned: String

  /// Who can have made the changes, with how many of them, the most first.
  var authors: [(name: String, count: Int)] {
    var counts: [String: Int] = [:]
    for change in changes { counts[change.author, default: 0] += 1 }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
  }

  var counts: String {
    Severity.allCases.reversed().map { severity in
      "\(changes.count { $0.change.severity == severity }) \(severity.rawValue)"
    }.joined(separator: ", ")
  }

  /// A sentence.
  var outcome: String {
    let differing = TextReport.counted(changes.count, "difference", "differences")
    let known = findings.isEmpty ? "" : "; something may have been missed"
    return changes.isEmpty && update == nil
      ? "Nothing differs from the baseline\(known)." : "\(differing): \(counts)\(known)."
  }
}

extension ChangeReport {
  /// Who made it, in a few words; several who can have.
  var author: String {
    guard let attribution, !attribution.candidates.isEmpty else { return "unknown" }
    let names = attribution.candidates.map(TextReport.person).joined(separator: ", or ")
    return attribution.confidence == .exact ? names : "perhaps \(names)"
  }

  /// When it was made.
  var moment: String {
    time.map { Timestamp.text(milliseconds: $0) } ?? "unknown"
  }

  /// What differs, a line each.
  var details: [String] {
    (TextReport.lines(change).dropFirst() + (window.map { ["  window  \($0.shown)"] } ?? []))
      .map { String($0.dropFirst(2)) }
  }
}

extension Summary {
  /// Changes that are named on a terminal; the page names all.
  private static let mostNamed = 200

  var lines: [String] {
    var lines = [
      "report of \(Timestamp.text(milliseconds: at)) on \(SafeText.word(Array(node.utf8)))",
      outcome,
      "baseline \(SafeText.word(Array(database.utf8))), head \(head.shown)", "\(scanned)",
    ]
    if let update { lines += ["", "by packages"] + TextReport.lines(update).map { "  " + $0 } }
    if !changes.isEmpty {
      lines += ["", "by whom"] + authors.map { "  \($0.count)  \($0.name)" } + ["", "what"]
      for report in changes.prefix(Self.mostNamed) {
        let change = report.change
        let attributes = change.kind == .changed ? " (\(change.attributes.text))" : ""
        lines.append(
          "  \(report.moment)  \(TextReport.padded(change.kind.rawValue, 8)) "
            + "\(TextReport.padded(change.severity.rawValue, 9))\(change.path.shown)\(attributes)")
        lines.append("      by \(report.author)")
        if let window = report.window {
          lines.append("      in maintenance window \(window.generation.number)")
        }
      }
      if changes.count > Self.mostNamed {
        lines.append("  and \(changes.count - Self.mostNamed) more")
      }
    }
    if !windows.isEmpty {
      lines += ["", "maintenance"] + windows.map { "  \(count(in: $0)) in window \($0.shown)" }
    }
    lines += ["", "accepted"]
    lines += accepted.prefix(10).map { "  \($0.generation.shown): \($0.sizes)" }
    lines += ["", "coverage"]
    lines += findings.isEmpty ? ["  nothing is known that was missed"] : findings.map { "  " + $0 }
    return lines
  }

  private func count(in window: MaintenanceWindow) -> String {
    TextReport.counted(changes.count { $0.window == window }, "difference", "differences")
  }

  var page: String {
    var page = HTMLText(title: "File integrity of \(node)")
    page.element("h1", "File integrity of \(node)")
    page.element("p", class: findings.isEmpty ? nil : "problem", outcome)
    page.element(
      "p", class: "quiet",
      "\(Timestamp.text(milliseconds: at)); baseline \(database), head \(head.shown); \(scanned)")
    coverage(&page)
    if let update {
      page.element("h2", "Changed by packages")
      page.element("pre", TextReport.lines(update).joined(separator: "\n"))
    }
    people(&page)
    files(&page)
    maintenance(&page)
    history(&page)
    return page.finish()
  }

  private func coverage(_ page: inout HTMLText) {
    page.element("h2", "Coverage")
    guard !findings.isEmpty else {
      return page.element("p", "Nothing is known that was missed.")
    }
    page.element("ul") { list in
      for finding in findings { list.element("li", class: "problem", finding) }
    }
  }

  private func maintenance(_ page: inout HTMLText) {
    guard !windows.isEmpty else { return }
    page.element("h2", "Maintenance")
    page.element("ul") { list in
      for window in windows {
        list.element("li", "\(count(in: window)) in window \(window.shown)")
      }
    }
  }

  private func people(_ page: inout HTMLText) {
    guard !changes.isEmpty else { return }
    page.element("h2", "By whom")
    page.table(["Changes", "Who"]) { table in
      for (name, count) in authors {
        table.element("tr") {
          $0.element("td", class: "brief", String(count))
          $0.element("td", class: "long", name)
        }
      }
    }
  }

  private func files(_ page: inout HTMLText) {
    guard !changes.isEmpty else { return }
    page.element("h2", "What changed")
    page.table(["When", "What", "Severity", "File", "By"]) { table in
      for report in changes {
        table.element("tr") { row in
          row.element("td", class: "brief", report.moment)
          row.element("td", class: "brief", report.change.kind.rawValue)
          row.element(
            "td", class: Self.mark(report.change.severity), report.change.severity.rawValue)
          row.element("td", class: "long") { cell in
            cell.element("div", class: "path", report.change.path.shown)
            if let note = report.note { cell.element("div", class: "problem", note.text) }
            let details = report.details
            if !details.isEmpty {
              cell.element("details") {
                $0.element("summary", report.change.attributes.text)
                $0.element("pre", details.joined(separator: "\n"))
              }
            }
          }
          row.element("td", class: "long by") { cell in
            cell.element("div", report.author)
            guard let attribution = report.attribution else { return }
            cell.element("details") {
              $0.element("summary", attribution.confidence.rawValue)
              $0.element("pre", TextReport.lines(attribution).joined(separator: "\n"))
            }
          }
        }
      }
    }
  }

  private static func mark(_ severity: Severity) -> StaticString {
    switch severity {
    case .low: "brief low"
    case .medium: "brief medium"
    case .high: "brief high"
    case .critical: "brief critical"
    }
  }

  private func history(_ page: inout HTMLText) {
    page.element("h2", "Accepted")
    page.table(["When", "Command", "Who", "Reason", "Files"]) { table in
      for change in accepted {
        let generation = change.generation
        table.element("tr") { row in
          row.element("td", class: "brief", Timestamp.text(milliseconds: generation.at))
          row.element("td", class: "brief", generation.command)
          row.element("td", class: "long", generation.actor.shown)
          row.element("td", class: "long", generation.reason ?? "")
          row.element("td", class: "long") { cell in
            guard !change.paths.isEmpty else { return cell.element("div", change.sizes) }
            cell.element("details") {
              $0.element("summary", change.sizes)
              $0.element("pre", change.paths.map(\.shown).joined(separator: "\n"))
            }
          }
        }
      }
    }
  }
}

extension Summary.Accepted {
  /// `3 added, 0 removed, 1 changed`.
  fileprivate var sizes: String {
    "\(generation.added) added, \(generation.removed) removed, \(generation.changed) changed"
  }
}
