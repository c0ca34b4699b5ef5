/// Record types that a libaudit may be too old to name (3.0.9 ends with 1337): those of the kernel
/// up to 7.0, from its `include/uapi/linux/audit.h`, and those of AppArmor, from libaudit's
/// `audit-records.h`, which not every libaudit has in its table.
///
/// Ubuntu's kernels before 6.17 gave 1420 and 1421 to what upstream calls 1425 and 1426.
enum RecordTypeTable {
  static let names: [UInt32: String] = {
    var names: [UInt32: String] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let first = UInt32(words[0]) else { preconditionFailure("no number: \(line)") }
      for (index, name) in words.dropFirst().enumerated() {
        names[first + UInt32(index)] = String(name)
      }
    }
    return names
  }()

  static let numbers = Dictionary(uniqueKeysWithValues: names.map { ($0.value, $0.key) })

  /// Each line: a number, and the names from there on.
  private static let text = """
    1000 GET SET LIST ADD DEL USER LOGIN WATCH_INS WATCH_REM WATCH_LIST SIGNAL_INFO ADD_RULE
    1012 DEL_RULE LIST_RULES TRIM MAKE_EQUIV TTY_GET TTY_SET SET_FEATURE GET_FEATURE
    1138 SOFTWARE_UPDATE
    1204 DAEMON_RECONFIG
    1301 FS_WATCH
    1308 FS_INODE
    1328 FEATURE_CHANGE REPLACE KERN_MODULE FANOTIFY TIME_INJOFFSET TIME_ADJNTPVAL BPF
    1335 EVENT_LISTENER URINGOP OPENAT2 DM_CTRL DM_EVENT
    1418 MAC_CALIPSO_ADD MAC_CALIPSO_DEL
    1420 IPE_ACCESS IPE_CONFIG_CHANGE IPE_POLICY_LOAD LANDLOCK_ACCESS LANDLOCK_DOMAIN
    1425 MAC_TASK_CONTEXTS MAC_OBJ_CONTEXTS BPF_LSM_ACCESS
    1500 APPARMOR APPARMOR_AUDIT APPARMOR_ALLOWED APPARMOR_DENIED APPARMOR_HINT
    1505 APPARMOR_STATUS APPARMOR_ERROR APPARMOR_KILL
    1703 ANOM_CREAT
    1806 INTEGRITY_EVM_XATTR INTEGRITY_POLICY_RULE INTEGRITY_USERSPACE
    2313 USER_MAC_STATUS
    """
}
