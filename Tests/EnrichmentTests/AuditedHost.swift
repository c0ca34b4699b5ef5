import Foundation
import Glibc
import Linux
import Testing

/// The host's audit system, ours alone while this lives, and put back as it was found.
///
/// Kernel audit exists once in a host: whoever touches it takes the same lock first.
struct AuditedHost: ~Copyable {
  /// Whether this process may listen to the kernel's audit and change its settings, and no audit
  /// daemon is disturbed by that.
  static let isUsable: Bool = {
    guard geteuid() == 0, FileManager.default.isExecutableFile(atPath: "/sbin/auditctl") else {
      return false
    }
    return (try? AuditStatusSocket().status()) != nil
  }()
  static let why: Comment = "needs root, the kernel's audit and auditctl"
  /// Nobody's number on the host.
  static let user = 54_321

  private static let rule = "always,exit -F arch=b64 -S execve -F uid=\(user) -k audispatch"

  private let lock: Descriptor
  private let before: KernelAuditStatus

  private init(lock: consuming Descriptor, before: KernelAuditStatus) {
    self.lock = lock
    self.before = before
  }

  /// Turns audit on with a rule for every exec of `user`.
  static func take() throws -> AuditedHost {
    let lock = try Descriptor.open("/run/lock/audispatch-audit.lock", O_RDWR | O_CREAT)
    let patience = ContinuousClock.now + .seconds(120)
    while flock(lock.number, LOCK_EX | LOCK_NB) != 0 {
      guard ContinuousClock.now < patience else { throw Errno(EBUSY) }
      usleep(50_000)
    }
    let before = try AuditStatusSocket().status()
    try Program.run("(auditctl -b 16384; auditctl -a \(rule); auditctl -e 1) > /dev/null 2>&1")
    return AuditedHost(lock: lock, before: before)
  }

  deinit {
    _ = try? Program.run(
      """
      (auditctl -d \(Self.rule); auditctl -e \(before.enabled)
      auditctl -b \(before.backlogLimit)) > /dev/null 2>&1
      """)
  }

  /// Lets the test's user execute a program `count` times.
  func execute(_ count: Int) throws {
    try Program.run(
      """
      setpriv --reuid \(Self.user) --regid \(Self.user) --clear-groups --inh-caps=-all \
        bash -c 'for ((i = 0; i < \(count); i++)); do /bin/true; done'
      """)
  }

  /// The records that the kernel lost since this began.
  var lost: UInt32 { get throws { try AuditStatusSocket().status().lost - before.lost } }
}
