/// Where the form `ecs` gives another value than Auditbeat, and why (`Documentation/documents.md`
/// has the same list for readers). Fields that it gives beside Auditbeat's are no difference.
enum Differences {
  static let ecs: [(path: String, reason: String)] = [
    ("file.device", "the device that the file is on, not the one that a device file is"),
    ("file.path", "absolute"),
    ("auditd.summary.object.primary", "a path is absolute"),
    ("auditd.summary.object.type", "by the bits of the mode: directory, symlink, socket, …"),
  ]
}
