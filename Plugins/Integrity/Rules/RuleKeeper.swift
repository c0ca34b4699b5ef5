import Glibc
import Linux

/// Whoever has the kernel's audit rules: this process, or its helper.
protocol RuleKeeper: ~Copyable {
  /// Every rule in its order, and whether audit is enabled: 0, 1, or 2 for locked; `nil` where that
  /// could not be asked for.
  borrowing func state() throws(SystemError) -> (rules: [AuditRule], enabled: UInt32?)

  /// Puts a rule in front of the others; one that is there stays.
  borrowing func add(_ rule: AuditRule) throws(Errno)
}

/// The rules by way of the helper; nothing can be had where there is none.
struct HelperRules: RuleKeeper {
  let helper: Helper?

  func state() throws(SystemError) -> (rules: [AuditRule], enabled: UInt32?) {
    guard let helper else { throw SystemError("list", "the kernel's audit rules", Errno(EPERM)) }
    var reply = try helper.ask(.rules)
    guard case .rules(let enabled) = reply.answer, let file = reply.file.take() else {
      throw SystemError("list", "the kernel's audit rules", .invalidArgument)
    }
    let bytes = try Transfer.contents(
      of: file, named: "audit rules", limit: AuditControl.mostRuleBytes)
    return (AuditRule.all(in: bytes), enabled)
  }

  func add(_ rule: AuditRule) throws(Errno) {
    guard let helper else { throw Errno(EPERM) }
    do throws(SystemError) { _ = try helper.ask(.add(rule)) } catch { throw error.cause }
  }

  /// Has all rules of a path name what is there now: the kernel goes by the folder that was there when the
  /// first of them was added.
  func renew(_ rules: [AuditRule]) throws(Errno) {
    guard let helper else { throw Errno(EPERM) }
    do throws(SystemError) { _ = try helper.ask(.renew(rules)) } catch { throw error.cause }
  }
}
