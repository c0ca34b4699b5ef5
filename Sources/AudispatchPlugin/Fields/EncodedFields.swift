package import AuditRecord

/// Which fields hold text that is written in hex where it holds more than plain characters.
///
/// Sources: the format "encoded" of the audit project's field dictionary; what libauparse 3.0.9
/// takes for escaped, with which a test compares; and what the kernel writes by
/// `audit_log_untrustedstring` and its kin, up to Linux 6.18. Names that look alike but are never
/// encoded are left as they are: `new_pe` and the other capabilities are numbers, `unit`,
/// `grantors`, `vm-ctx` and `list_name` plain words.
package enum EncodedFields {
  /// Encoded in whatever record they stand.
  static let names: Set<String> = [
    // Files, programs and rules of the kernel's records.
    "name", "path", "cwd", "dir", "file", "watch", "exe", "comm", "ocomm", "proctitle", "key",
    "cgroup", "invalid_context", "data",
    // What user space writes: accounts, commands, packages, what virtual machines are given.
    "acct", "grp", "new_group", "cmd", "root_dir", "sw", "vm", "device",
    "new-chardev", "old-chardev", "new-disk", "old-disk", "new-fs", "old-fs", "new-net", "old-net",
    "new-rng", "old-rng",
    // AppArmor's, which libauparse takes for encoded wherever they stand.
    "apparmor", "operation", "profile", "info", "requested_mask", "denied_mask",
  ]

  /// Encoded in the records of security modules only; elsewhere they are other things.
  static let ofSecurityModules: Set<String> = [
    // security/lsm_audit.c
    "dev", "kmod", "key_desc", "anonclass",
    // security/selinux: contexts that the policy does not know.
    "srawcon", "trawcon",
    // security/apparmor
    "peer", "label", "target", "srcname", "trans", "fstype", "namespace", "ns", "addr", "peer_addr",
    // security/smack
    "subject", "object",
  ]

  /// security/integrity
  static let ofIntegrity: Set<String> = ["dev", "xattr"]

  /// What usbguard writes.
  static let ofUserDevice: Set<String> = [
    "device.rule", "target.new", "target.old", "target", "rule", "rule.new", "rule.old",
  ]

  package static func contains(_ name: ArraySlice<UInt8>, type: RecordType) -> Bool {
    if type == .execve, isArgument(name) { return true }
    let name = String(decoding: name, as: UTF8.self)
    if names.contains(name) { return true }
    switch type.rawValue {
    // AVC and SELINUX_ERR; AppArmor's own of old kernels; IPE; Landlock.
    case 1400, 1401, 1500...1599, 1420, 1423, 1424: return ofSecurityModules.contains(name)
    case 1800...1899: return ofIntegrity.contains(name)
    // USER_DEVICE
    case 1137: return ofUserDevice.contains(name)
    // USER, whose whole text was encoded by old senders.
    case 1005: return name == "msg"
    default: return false
    }
  }

  /// `a0`, `a12`, `a1[3]`; not `argc`, `a1_len`.
  private static func isArgument(_ name: ArraySlice<UInt8>) -> Bool {
    guard name.first == UInt8(ascii: "a"), let second = name.dropFirst().first,
      second &- 0x30 < 10
    else { return false }
    return name.dropFirst().allSatisfy { $0 &- 0x30 < 10 || $0 == 0x5b || $0 == 0x5d }
  }
}
