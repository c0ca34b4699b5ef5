import AudispatchPlugin
import AuditRecord

extension AuditEvent {
  /// Whether records are missing that say what a call was made on, of one that can have changed files:
  /// fewer of them came than the call's own says that there are, or that one did not.
  var lacksPaths: Bool {
    let paths = records.count { $0.type == .path }
    guard let call = record(.syscall) ?? record(.uring) else { return paths > 0 }
    guard let items = number("items", of: call), items > paths,
      value("success", of: call)?.elementsEqual("no".utf8) != true
    else { return false }
    // Message queues have a folder that the kernel keeps to itself.
    if systemCallName(in: call)?.hasPrefix("mq_") == true { return false }
    return !CallEffect(self, call).isEmpty
  }
}
