/// Where the form `ecs` gives another value than others, and why (`Documentation/documents.md` has the
/// same list for readers). Fields that it gives beside theirs are no difference.
enum Differences {
  /// Than Auditbeat.
  static let ecs: [(path: String, reason: String)] = [
    ("file.device", "the device that the file is on, not the one that a device file is"),
    ("file.path", "absolute"),
    ("auditd.summary.object.primary", "a path is absolute"),
    ("auditd.summary.object.type", "by the bits of the mode: directory, symlink, socket, …"),
  ]

  /// One from go-libaudit.
  struct Known: Sendable {
    /// A `*` stands for one name.
    let path: String
    let reason: String
    /// Whether what both say differs in this way.
    let fits: @Sendable (_ theirs: Any, _ ours: Any?) -> Bool

    init(
      _ path: String, _ reason: String,
      _ fits: @escaping @Sendable (Any, Any?) -> Bool = { _, _ in true }
    ) {
      (self.path, self.reason, self.fits) = (path, reason, fits)
    }

    func isAbout(_ path: String, _ theirs: Any, _ ours: Any?) -> Bool {
      let names = path.split(separator: ".")
      let wanted = self.path.split(separator: ".")
      return names.count == wanted.count && zip(names, wanted).allSatisfy { $1 == "*" || $0 == $1 }
        && fits(theirs, ours)
    }
  }

  static let fromLibaudit: [Known] = [
    Known("@timestamp", "always three digits") { "\($0)".dropLast() == "\($1 ?? "")".dropLast(2) },
    Known("category", "go-libaudit's own; event.category has those of ECS") { $1 == nil },
    Known("user.ids.auid", "who did not log in is nobody") { "\($0)" == "unset" && $1 == nil },
    Known("user.ids.euid", "what is the same as the user says nothing") { $1 == nil },
    Known("user.ids.egid", "what is the same as the user's group says nothing") { $1 == nil },
    Known("ecs.user.id", "who did not log in is nobody") { "\($0)" == "unset" && $1 == nil },
    Known("ecs.user.effective.id", "what is the same as the user says nothing") { $1 == nil },
    Known("file.device", "the device that the file is on, not the one that a device file is"),
    Known("tags", "x86_64 is what auditd added, no key") { _, ours in ours == nil },
    Known("summary.action", "what AppArmor was asked to record is no violation"),
    Known("summary.object.secondary", "of what was recorded, the file"),
    Known("ecs.event.category", "by more tables, each once"),
    Known("ecs.event.type", "by more tables, each once"),
    Known("data.*", "all values of records of one type") { theirs, ours in
      (ours as? [Any])?.first.map { "\($0)" == "\(theirs)" } ?? false
    },
  ]
}
