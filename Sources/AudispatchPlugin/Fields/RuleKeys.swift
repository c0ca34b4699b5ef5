import AuditRecord

extension AuditEvent {
  /// The keys of the rules that made the event (`auditctl -k`), each once, in their order.
  ///
  /// The kernel writes several keys of one rule as one value with 0x01 between them, in hex.
  public func ruleKeys() -> [[UInt8]] {
    var keys: [[UInt8]] = []
    for record in records where record.type.mayHaveKey {
      guard let value = value("key", of: record) else { continue }
      for key in value.split(separator: 1) where !keys.contains(Array(key)) {
        keys.append(Array(key))
      }
    }
    return keys
  }
}

extension RecordType {
  /// Whether a record of this type ends with the key of the rule that asked for it.
  fileprivate var mayHaveKey: Bool {
    self == .syscall || self == .uringOperation || self == .configChange
  }
  fileprivate static let configChange = RecordType(rawValue: 1305)
}
