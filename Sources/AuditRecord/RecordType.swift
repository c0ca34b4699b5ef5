import CAudit

/// A record's type: a number of the kernel's `audit.h` or of libaudit's `audit-records.h`.
public struct RecordType: RawRepresentable, Equatable, Hashable, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The type of that name in libaudit's table or the kernel's, or the number that stands there,
  /// alone or as `UNKNOWN[number]`.
  public init?(name: String) {
    let number = unsafe audit_name_to_msg_type(name)
    if number >= 0 {
      rawValue = UInt32(number)
    } else if let number = RecordTypeTable.numbers[name] {
      rawValue = number
    } else {
      return nil
    }
  }

  /// The name in libaudit's table, or `UNKNOWN[number]`, as auditd writes it.
  public var name: String {
    guard rawValue <= UInt32(Int32.max), let name = unsafe audit_msg_type_to_name(Int32(rawValue))
    else { return "UNKNOWN[\(rawValue)]" }
    return unsafe String(cString: name)
  }

  /// The name for people: libaudit's, or the kernel's where libaudit is older than the record.
  public var knownName: String { RecordTypeTable.names[rawValue] ?? name }

  public static let login = RecordType(rawValue: 1006)
  public static let systemBoot = RecordType(rawValue: 1127)
  public static let daemonError = RecordType(rawValue: 1209)
  public static let syscall = RecordType(rawValue: 1300)
  public static let path = RecordType(rawValue: 1302)
  public static let execve = RecordType(rawValue: 1309)
  public static let endOfEvent = RecordType(rawValue: 1320)
  public static let packet = RecordType(rawValue: 1324)
  public static let proctitle = RecordType(rawValue: 1327)
}
