public import AuditRecord

/// Records that tell more about what another one tells, and are nothing by themselves.
enum EventParts {
  /// What the kernel's `audit_log_exit` and what it calls write beside a SYSCALL or a URINGOP
  /// (kernel/auditsc.c), today and in older kernels; AVC_PATH (security/lsm_audit.c of Linux 2.6);
  /// EOE and PROCTITLE; and REPLACE, which only asks auditd.
  static let types: Set<UInt32> = [
    1300, 1301, 1302, 1303, 1304, 1306, 1307, 1308, 1309, 1311, 1312, 1313, 1314, 1315, 1316, 1317,
    1318, 1320, 1321, 1322, 1323, 1327, 1329, 1336, 1337, 1402, 1425, 1426,
  ]

  /// Whether a record only tells more about another one.
  static func contains(_ record: EventRecord, _ event: AuditEvent) -> Bool {
    if types.contains(record.type.rawValue) { return true }
    // Who made the Landlock domain that has just denied something for the first time.
    if record.type == .landlockDomain {
      return event.records.contains { $0.type == .landlockAccess }
    }
    // Ubuntu's numbers of MAC_TASK_CONTEXTS and MAC_OBJ_CONTEXTS; IPE's fields are others.
    guard record.type.rawValue == 1420 || record.type.rawValue == 1421 else { return false }
    let body = event.bytes[record.body..<record.line.upperBound]
    return body.starts(with: "subj_".utf8) || body.starts(with: "obj_".utf8)
  }
}

/// Which fields hold the number of an account or of a group: libauparse's `typetab.h`, and what it
/// makes of `id` by the record's type.
public enum AccountFields {
  static let users: Set<String> = [
    "auid", "uid", "euid", "suid", "fsuid", "ouid", "oauid", "old-auid", "iuid", "id", "inode_uid",
    "sauid", "obj_uid",
  ]
  static let groups: Set<String> = [
    "gid", "egid", "sgid", "fsgid", "ogid", "igid", "inode_gid", "obj_gid", "new_gid",
  ]
  /// Records whose `id` is a group's: ADD_GROUP, DEL_GROUP, GRP_MGMT.
  static let groupRecords: Set<UInt32> = [1116, 1117, 1132]

  public static func isGroup(_ field: String, in type: RecordType) -> Bool {
    field == "id" ? groupRecords.contains(type.rawValue) : groups.contains(field)
  }
}
