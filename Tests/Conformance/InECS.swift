import EventDocument
import Foundation

/// Where what go-libaudit says of an event stands in the form `ecs`, and which of it is another there.
struct InECS {
  /// Which of the known differences there were.
  private(set) var met: Set<String> = []
  private var writer: DocumentWriter = {
    var options = DocumentOptions()
    options.accounts = .none
    return DocumentWriter(.ecs, options)
  }()

  /// What of a golden event is not in ours, or is something else, for no known reason.
  mutating func differences(_ expected: NSDictionary, _ lines: [String]) -> [String] {
    guard let event = event(lines) else { return ["not an event"] }
    let got = object(writer.document(event))
    var found: [String] = []
    for (path, value) in Self.leaves(expected, "") {
      let place = Self.place(of: path)
      var ours = place.flatMap { Self.value($0, got) }
      // Where a record says who did something, that one is the user.
      if path == "user.ids.uid", let own = Self.value("auditd.data.uid", got) { ours = own }
      if Self.isSame(value, ours) { continue }
      if let known = Differences.fromLibaudit.first(where: { $0.isAbout(path, value, ours) }) {
        met.insert(known.path)
      } else {
        let shown = ours.map { "\($0)" } ?? "nothing"
        found.append("in ecs, \(path) (\(place ?? "nowhere")): \(value), not \(shown)")
      }
    }
    return found
  }

  /// Lists are leaves, but for those of objects.
  private static func leaves(_ value: Any, _ path: String) -> [(String, Any)] {
    if let object = value as? NSDictionary {
      return object.allKeys.compactMap { $0 as? String }.sorted().flatMap { key in
        leaves(object[key] ?? "", path.isEmpty ? key : path + "." + key)
      }
    }
    if let list = value as? [NSDictionary] {
      return list.enumerated().flatMap { leaves($0.element, path + ".\($0.offset)") }
    }
    return [(path, value)]
  }

  private static func value(_ path: String, _ document: NSDictionary) -> Any? {
    var value: Any? = document
    for name in path.split(separator: ".") {
      if let list = value as? [Any] {
        value = Int(name).flatMap { list.indices.contains($0) ? list[$0] : nil }
      } else {
        value = (value as? NSDictionary)?[String(name)]
      }
    }
    return value
  }

  /// Numbers are texts there.
  private static func isSame(_ theirs: Any, _ ours: Any?) -> Bool {
    if let theirs = theirs as? [Any] {
      return theirs.map { "\($0)" } == (ours as? [Any])?.map { "\($0)" }
    }
    return ours.map { "\($0)" == "\(theirs)" } ?? false
  }

  private static let names = [
    "sequence": "auditd.sequence", "record_type": "auditd.message_type", "tags": "tags",
    "result": "auditd.result", "session": "auditd.session", "summary.action": "event.action",
    "process.ppid": "process.parent.pid", "process.exe": "process.executable",
    "process.cwd": "process.working_directory", "@timestamp": "@timestamp",
    "user.ids.uid": "user.id", "user.ids.auid": "user.audit.id",
    "user.ids.euid": "user.effective.id", "user.ids.suid": "user.saved.id",
    "user.ids.fsuid": "user.filesystem.id", "user.ids.gid": "user.group.id",
    "user.ids.egid": "user.effective.group.id", "user.ids.sgid": "user.saved.group.id",
    "user.ids.fsgid": "user.filesystem.group.id",
  ]
  private static let beginnings = [
    ("data.socket_", "auditd.data.socket."), ("data.", "auditd.data."), ("paths.", "auditd.paths."),
    ("summary.", "auditd.summary."), ("user.ids.", "auditd.data."), ("ecs.", ""),
    ("process.", "process."), ("file.", "file."), ("user.selinux.", "user.selinux."),
    ("source.", "source."), ("destination.", "destination."), ("network.", "network."),
  ]

  private static func place(of path: String) -> String? {
    if let name = names[path] { return name }
    return beginnings.first { path.hasPrefix($0.0) }.map { $0.1 + path.dropFirst($0.0.count) }
  }
}
