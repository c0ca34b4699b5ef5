import AuditRecord

/// auditd's binary form of a record: version 1, the line without its newline.
enum BinaryRecord {
  static let headerBytes = 16
  /// A payload in auditd is never longer.
  static let longest = 8970

  /// Appends a record, cut where it is longer than readers take.
  static func append(
    _ line: ArraySlice<UInt8>, _ type: RecordType, fixed: Bool, to bytes: inout [UInt8]
  ) {
    let payload = line.prefix(longest)
    for word in [1, UInt32(headerBytes), type.rawValue, UInt32(payload.count)] {
      unsafe withUnsafeBytes(of: word) { unsafe bytes.append(contentsOf: $0) }
    }
    bytes += payload
    if fixed { bytes += repeatElement(0, count: longest - payload.count) }
  }
}
