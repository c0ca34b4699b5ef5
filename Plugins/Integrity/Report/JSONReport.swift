import AudispatchPlugin
import EventDocument
import Linux

/// What changed, a JSON object a line, with the names of the Elastic Common Schema where that has
/// one; as documents of events are written (`DocumentLine`).
enum JSONReport {
  /// This host; as in documents of events.
  private static let host = (try? NodeName.resolve(.hostname, name: nil)) ?? ""

  static func line(
    _ report: ChangeReport, _ head: ChainHead, at milliseconds: Int64
  ) -> String {
    let change = report.change
    var event = Self.event(
      "file", [Self.type(change.kind)], Self.action(change), ["file"], at: milliseconds)
    event.outcome = "success"
    event.severity = change.severity.score
    var json = DocumentLine()
    json.object {
      $0.head(event)
      $0.object("file") { Self.file(change.path, change.after ?? change.before, &$0) }
      if let rule = report.rule { $0.object("rule") { $0.member("name", rule) } }
      if let attribution = report.attribution { Self.person(attribution, &$0) }
      $0.object("integrity") {
        $0.member("severity", change.severity.rawValue)
        $0.array(
          "changed",
          AttributeSet.names.filter { change.attributes.contains($0.set) }.map(\.name))
        for (name, state) in [("before", change.before), ("after", change.after)] {
          guard let state else { continue }
          $0.object(name) { json in
            for (name, attribute) in AttributeSet.names
            where change.kind != .changed || change.attributes.contains(attribute) {
              if let text = state.text(of: attribute) { json.member(name, text) }
            }
          }
        }
        if let attribution = report.attribution { Self.attribution(attribution, &$0) }
        if report.isAmended { $0.member("amended", true) }
        if let note = report.note { Self.note(note, &$0) }
        if let window = report.window { Self.maintenance(window, &$0) }
        if let circumstances = report.circumstances { Self.circumstances(circumstances, &$0) }
        Self.baseline(head, &$0)
        if change.after?.isUnstable == true { $0.member("unstable", true) }
        if let unread = change.after?.unread, !unread.isEmpty { $0.array("unread", unread) }
      }
    }
    return json.text
  }

  static func event(
    _ dataset: String, _ type: [String], _ action: String, _ category: [String],
    at milliseconds: Int64
  ) -> DocumentEvent {
    var event = DocumentEvent(
      at: milliseconds, category: category, type: type, action: action, module: "integrity",
      dataset: "integrity.\(dataset)")
    event.host = host
    return event
  }

  /// An accepted state, for `export` and `list`.
  static func line(_ path: FilePath, _ state: FileState) -> String {
    var json = DocumentLine()
    json.object {
      $0.object("file") { Self.file(path, state, &$0) }
      $0.object("integrity") { json in
        for (name, attribute) in AttributeSet.names {
          if let text = state.text(of: attribute) { json.member(name, text) }
        }
      }
    }
    return json.text
  }

  private static func file(_ path: FilePath, _ state: FileState?, _ json: inout DocumentLine) {
    json.member("path", bytes: path.bytes)
    json.member("directory", bytes: path.folder.bytes)
    json.member("name", bytes: Array(path.name.bytes))
    guard let state else { return }
    json.member("type", state.type.rawValue)
    json.member("inode", String(state.facts.inode))
    json.member("mode", FileState.octal(state.facts.mode))
    json.member("uid", String(state.facts.user))
    json.member("gid", String(state.facts.group))
    json.member("size", Int(clamping: state.facts.size))
    json.member("mtime", Timestamp.text(nanoseconds: state.facts.modified))
    json.member("ctime", Timestamp.text(nanoseconds: state.facts.changed))
    if let target = state.target { json.member("target_path", bytes: target) }
    let hashes = [("sha256", state.sha256), ("sha512", state.sha512)]
    if hashes.contains(where: { $0.1 != nil }) {
      json.object("hash") { json in
        for case (let name, let digest?) in hashes { json.member(name, FileState.hex(digest)) }
      }
    }
  }

  /// Against which baseline it differs.
  static func baseline(_ head: ChainHead, _ json: inout DocumentLine) {
    json.object("baseline") { json in
      json.member("change", Int(head.sequence))
      json.member("head", FileState.hex(head.digest))
    }
  }

  private static func type(_ kind: StateChange.Kind) -> String {
    switch kind {
    case .added: "creation"
    case .removed: "deletion"
    case .changed: "change"
    }
  }

  private static func action(_ change: StateChange) -> String {
    switch change.kind {
    case .added: "created"
    case .removed: "deleted"
    case .changed:
      change.attributes.isDisjoint(with: AttributeSet.hashes.union([.size, .verity, .target]))
        ? "attributes_modified" : "updated"
    }
  }
}
