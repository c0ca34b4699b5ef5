import Configuration
import Glibc
import Linux

/// What is read where nobody has said it, and whether it may be.
extension SourceSupply {
  /// With no source given: standard input if somebody feeds it or it is a file, else auditd's socket,
  /// else the kernel.
  static func choose() throws(SetupError) -> Origin {
    if DescriptorKind.isSocket(0) || DescriptorKind.isPipe(0) || DescriptorKind.isRegularFile(0) {
      return .standardInput
    }
    for path in ["/run/audit/audispd_events", "/var/run/audispd_events"]
    where unsafe access(path, F_OK) == 0 {
      return .unixSocket(path)
    }
    guard Capabilities.effective.contains(.auditRead) else {
      throw SetupError(
        "no source: standard input is no socket, pipe or file, auditd's socket "
          + "/run/audit/audispd_events does not exist, and reading from the kernel needs "
          + "CAP_AUDIT_READ; name one with --source stdin, unix:PATH, kernel or file:PATH")
    }
    return .kernel
  }

  static func checkKernelAccess() throws(SetupError) {
    guard Capabilities.effective.contains(.auditRead) else {
      throw SetupError(
        "the source 'kernel' needs CAP_AUDIT_READ: run as root, or give the service "
          + "AmbientCapabilities=CAP_AUDIT_READ CAP_NET_ADMIN CAP_AUDIT_CONTROL")
    }
  }
}
