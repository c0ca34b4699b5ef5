import CFileWatch
import Glibc
import Linux

/// The kernel's list of audit rules. Needs CAP_AUDIT_CONTROL.
struct AuditControl: ~Copyable, RuleKeeper {
  private static let add: UInt16 = 1011
  private static let delete: UInt16 = 1012
  /// All rules together are no longer.
  static let mostRuleBytes = 8 << 20

  private let socket: Descriptor

  init() throws(SystemError) {
    let fd = fw_audit_open()
    guard fd >= 0 else { throw SystemError("open", "the kernel's audit control", .current) }
    socket = Descriptor(owning: fd)
  }

  func state() throws(SystemError) -> (rules: [AuditRule], enabled: UInt32?) {
    (AuditRule.all(in: try ruleBytes()), Self.enabled)
  }

  static var enabled: UInt32? { try? AuditStatusSocket().status().enabled }

  /// Every rule, in the order in which the kernel looks at those of a list, each behind its size in
  /// 4 bytes.
  func ruleBytes() throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.mostRuleBytes)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe fw_audit_rules(socket.number, $0.baseAddress!, $0.count)
    }
    guard count >= 0 else { throw SystemError("list", "the kernel's audit rules", .current) }
    return Array(bytes.prefix(count))
  }

  func add(_ rule: AuditRule) throws(Errno) {
    do throws(Errno) { try change(Self.add, rule) } catch {
      if error.number != EEXIST { throw error }
    }
  }

  func delete(_ rule: AuditRule) throws(Errno) { try change(Self.delete, rule) }

  private func change(_ type: UInt16, _ rule: AuditRule) throws(Errno) {
    let result = unsafe rule.encoded(isFirst: type == Self.add).withUnsafeBytes {
      unsafe fw_audit_change(socket.number, type, $0.baseAddress!, $0.count)
    }
    guard result == 0 else { throw .current }
  }
}

extension AuditRule {
  /// Those of `AuditControl.ruleBytes`; one that makes no sense is left out, and so is all that is
  /// behind one that is cut.
  static func all(in bytes: [UInt8]) -> [AuditRule] {
    var rules: [AuditRule] = []
    var at = 0
    while at + 4 <= bytes.count {
      let size = (0..<4).reversed().reduce(0) { $0 << 8 | Int(bytes[at + $1]) }
      at += 4
      guard size <= bytes.count - at else { break }
      if let rule = AuditRule(Array(bytes[at..<(at + size)])) { rules.append(rule) }
      at += size
    }
    return rules
  }
}
