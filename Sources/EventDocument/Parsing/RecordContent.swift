/// The fields of one record, read and decoded.
struct RecordContent: Sendable {
  var fields = FieldMap()
  /// The keys of the rules that made the record.
  var keys: [Text] = []
  /// What auditd added behind 0x1d: names in upper case, values interpreted.
  var meanings = FieldMap()
  /// The normalization of the system call, where the record names one.
  var call: SystemCall?
  /// Why the record could not be read; it has no fields then.
  var failure: String?

  mutating func removeAll() {
    fields.removeAll()
    meanings.removeAll()
    keys.removeAll(keepingCapacity: true)
    call = nil
    failure = nil
  }
}

/// The names of types of records that are asked for by number.
enum RecordNumber {
  static let login: UInt32 = 1006
  static let credentialsDisposed: UInt32 = 1104
  static let userStart: UInt32 = 1105
  static let userEnd: UInt32 = 1106
  static let userAVC: UInt32 = 1107
  static let userLogin: UInt32 = 1112
  static let userCommand: UInt32 = 1123
  static let userTerminal: UInt32 = 1124
  static let syscall: UInt32 = 1300
  static let path: UInt32 = 1302
  static let socketAddress: UInt32 = 1306
  static let execve: UInt32 = 1309
  static let object: UInt32 = 1318
  static let terminal: UInt32 = 1319
  static let end: UInt32 = 1320
  static let seccomp: UInt32 = 1326
  static let proctitle: UInt32 = 1327
  static let avc: UInt32 = 1400
}
