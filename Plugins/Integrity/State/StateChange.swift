import Linux

/// Two states of a path beside each other.
struct StateChange: Equatable, Sendable {
  enum Kind: String, Sendable {
    case added, removed, changed
  }

  let path: FilePath
  let before: FileState?
  let after: FileState?
  /// The attributes that differ, among those that count.
  let attributes: AttributeSet
  let severity: Severity

  var kind: Kind { before == nil ? .added : after == nil ? .removed : .changed }

  /// `nil` where nothing that counts differs.
  init?(
    _ path: FilePath, before: FileState?, after: FileState?, counting: AttributeSet,
    severity: Severity
  ) {
    var differing = AttributeSet()
    if let before, let after {
      differing = Self.difference(before, after).intersection(counting)
      if counting.contains(.growing) { differing.subtract(Self.allowedGrowth(before, after)) }
      if differing.isEmpty { return nil }
    } else if before == nil, after == nil {
      return nil
    }
    self.path = path
    self.before = before
    self.after = after
    attributes = differing
    self.severity = max(severity, Self.leastSeverity(path, before, after))
  }

  /// What is kept of both and differs. What one of them lacks is no difference, but where the
  /// attribute itself can be absent (an access list, a label).
  private static func difference(_ a: FileState, _ b: FileState) -> AttributeSet {
    var set = AttributeSet()
    func note(_ attribute: AttributeSet, _ differs: Bool) { if differs { set.insert(attribute) } }
    note(.type, a.type != b.type)
    note(.mode, a.facts.mode != b.facts.mode)
    note(.user, a.facts.user != b.facts.user)
    note(.group, a.facts.group != b.facts.group)
    note(.size, a.facts.size != b.facts.size)
    note(.modified, a.facts.modified != b.facts.modified)
    note(.changed, a.facts.changed != b.facts.changed)
    note(.born, a.facts.born != b.facts.born)
    note(.links, a.facts.links != b.facts.links)
    note(.inode, a.facts.inode != b.facts.inode)
    note(.device, a.facts.device != b.facts.device)
    note(.special, a.facts.special != b.facts.special)
    note(.target, a.target != b.target)
    if !b.unread.contains(where: { $0.hasPrefix("extended") || $0.hasPrefix("content and") }) {
      note(.accessControl, a.accessList != b.accessList || a.defaultList != b.defaultList)
      note(.capabilities, a.capabilities != b.capabilities)
      note(.label, a.label != b.label)
      note(.extended, a.extended != b.extended)
    }
    note(.flags, a.flags != nil && b.flags != nil && a.flags != b.flags)
    note(.sha256, differs(a.sha256, b.sha256))
    note(.sha512, differs(a.sha512, b.sha512))
    note(.blake2b, differs(a.blake2b, b.blake2b))
    note(.verity, a.verity != b.verity)
    return set
  }

  private static func differs(_ a: [UInt8]?, _ b: [UInt8]?) -> Bool {
    guard let a, let b else { return false }
    return a != b
  }

  /// What a log may do: become longer.
  private static func allowedGrowth(_ a: FileState, _ b: FileState) -> AttributeSet {
    b.facts.size >= a.facts.size ? [.size, .modified, .changed, .sha256, .sha512, .blake2b] : []
  }

  /// Some changes matter whatever the rule says: new rights for whoever runs the file, and files
  /// that decide what others run.
  private static func leastSeverity(
    _ path: FilePath, _ before: FileState?, _ after: FileState?
  ) -> Severity {
    guard let after else { return .low }
    if gainsRights(before, after) { return .critical }
    return decisive.contains { path.isWithin($0) } ? .high : .low
  }

  /// Whether whoever runs the file has rights by it that he had not before.
  var gainsRights: Bool { after.map { Self.gainsRights(before, $0) } ?? false }

  private static func gainsRights(_ before: FileState?, _ after: FileState) -> Bool {
    let bits: UInt32 = 0o6000
    let gained =
      after.facts.kind == .regular
      ? after.facts.mode & bits & ~(before?.facts.mode ?? 0) : 0
    return gained != 0
      || after.capabilities != nil && after.capabilities != before?.capabilities
  }

  private static let decisive = [
    "/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/pam.d", "/etc/security",
    "/etc/sudoers", "/etc/sudoers.d", "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow",
    "/etc/crontab", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly",
    "/etc/cron.monthly", "/var/spool/cron", "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d",
    "/etc/systemd/system", "/etc/audit", "/etc/audispatch", "/root/.ssh", "/boot",
  ].map { FilePath($0) }
}
