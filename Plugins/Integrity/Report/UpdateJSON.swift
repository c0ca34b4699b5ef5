import AudispatchPlugin
import EventDocument

/// What a package manager changed, in the words of the Elastic Common Schema where that has them.
extension JSONReport {
  static func line(
    _ update: PackageUpdate, _ head: ChainHead, at milliseconds: Int64
  ) -> String {
    var event = Self.event(
      "package", Set(update.steps.map { type($0.kind) }).sorted(), "packages_changed", ["package"],
      at: milliseconds)
    event.outcome = "success"
    event.severity = update.severity.score
    var json = DocumentLine()
    json.object {
      $0.head(event)
      if update.steps.count == 1, let step = update.steps.first {
        $0.object("package") { json in
          json.member("name", step.name.name)
          json.member("architecture", step.name.architecture)
          if let package = step.after ?? step.before { json.member("version", package.version) }
        }
      }
      if let attribution = update.attribution { person(attribution, &$0) }
      $0.object("integrity") {
        integrity(update, &$0)
        if let window = update.window { maintenance(window, &$0) }
        baseline(head, &$0)
      }
    }
    return json.text
  }

  private static func integrity(_ update: PackageUpdate, _ json: inout DocumentLine) {
    json.member("severity", update.severity.rawValue)
    json.objects("packages", update.steps) { step, json in
      json.member("name", step.name.name)
      json.member("architecture", step.name.architecture)
      json.member("action", step.kind.rawValue)
      for (name, package) in [("version_before", step.before), ("version_after", step.after)] {
        guard let package, package.isUnpacked else { continue }
        json.member(name, package.version)
      }
    }
    json.object("files") { json in
      json.member("as_packaged", update.packaged)
      json.member("without_sum", update.listed)
      json.member("removed", update.removed)
      json.member("by_scripts", update.byScripts.count)
    }
    json.objects("by_scripts", update.byScripts) { change, json in
      json.member("path", bytes: change.path.bytes)
      json.member("action", change.kind.rawValue)
    }
    if let attribution = update.attribution { Self.attribution(attribution, &json) }
    json.objects("seen", update.seen.named.sorted { $0.pid < $1.pid }) { witness, json in
      self.witness(witness, &json)
      json.objects("package_manager", witness.manager ?? []) { program($0, &$1) }
    }
    if !update.seen.others.isEmpty { json.member("seen_more", update.seen.others.count) }
  }

  static func note(_ note: PackageNote, _ json: inout DocumentLine) {
    json.object("package") { json in
      json.member("name", note.package.name)
      json.member("architecture", note.package.architecture)
      if let version = note.version { json.member("version", version) }
      json.member("reason", note.reason)
    }
  }

  private static func type(_ kind: PackageStep.Kind) -> String {
    switch kind {
    case .installed: "installation"
    case .removed: "deletion"
    case .updated, .reinstalled, .configured: "change"
    }
  }
}
