import AuditRecord
import CAudit

/// Names of system calls from libaudit's tables, where auditd and libauparse have none: both look
/// at a call by the architecture of a SYSCALL record, and a SECCOMP has none of its own for them.
public enum SystemCallName {
  /// The name of a call by the `arch` of a record, as the kernel writes it (in hexadecimal).
  public static func name(_ number: Int, arch: UInt32) -> String? {
    let machine = audit_elf_to_machine(arch)
    guard number >= 0, machine >= 0, let number = Int32(exactly: number) else { return nil }
    if let name = unsafe audit_syscall_to_name(number, machine) {
      return unsafe String(cString: name)
    }
    let place = Int(number) - first
    return newer.indices.contains(place) ? newer[place] : nil
  }

  /// From `include/uapi/asm-generic/unistd.h` of Linux 6.18: the same on every architecture that
  /// libaudit knows. libaudit 3.0.9 ends before it.
  private static let first = 451
  private static let newer = [
    "cachestat", "fchmodat2", "map_shadow_stack", "futex_wake", "futex_wait", "futex_requeue",
    "statmount", "listmount", "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules",
    "mseal", "setxattrat", "getxattrat", "listxattrat", "removexattrat", "open_tree_attr",
    "file_getattr", "file_setattr",
  ]

  /// The number of a call on a machine of libaudit's (`audit_detect_machine`); `nil` where it has none.
  public static func number(_ name: String, _ machine: Int32) -> Int? {
    let number = unsafe audit_name_to_syscall(name, machine)
    if number >= 0 { return Int(number) }
    return newer.firstIndex(of: name).map { $0 + first }
  }

  /// The name of the call in a field of a record that names its architecture.
  static func name(of field: Field, _ record: EventRecord, _ bytes: [UInt8]) -> String? {
    guard let number = Digits.value(bytes[field.value]) else { return nil }
    var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
    while let other = scanner.next(bytes.span), other.section == .record {
      guard bytes[other.name].elementsEqual("arch".utf8) else { continue }
      let text = String(decoding: bytes[other.value].prefix(8), as: UTF8.self)
      return UInt32(text, radix: 16).flatMap { name(number, arch: $0) }
    }
    return nil
  }
}

extension AuditEvent {
  /// The name of the system call that a record tells of: auditd's, else libaudit's, else `nil`.
  public func systemCallName(in record: EventRecord) -> String? {
    if let name = enrichment("SYSCALL", of: record) {
      return String(decoding: bytes[name.value], as: UTF8.self)
    }
    return field("syscall", of: record).flatMap { SystemCallName.name(of: $0, record, bytes) }
  }
}
