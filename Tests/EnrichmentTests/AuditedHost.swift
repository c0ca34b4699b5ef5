import Foundation
import Glibc
import Linux
import Testing

/// The host's audit system, ours alone while this lives, and put back as it was found.
///
/// Kernel audit exists once in a host: whoever touches it takes the same lock first. A process of
/// its own holds the lock and puts everything back when this lets go of it, or dies, or takes more
/// than two minutes.
final class AuditedHost {
  /// Whether this process may listen to the kernel's audit and change its settings.
  static let isUsable: Bool = {
    guard FileManager.default.isExecutableFile(atPath: "/sbin/auditctl") else { return false }
    guard let status = try? AuditStatusSocket().status() else { return false }
    return status.enabled < 2
  }()
  static let why: Comment = "needs root, auditctl and the kernel's audit, not locked"
  /// Nobody's number on the host.
  static let user = 54_321

  private static let guardian = """
    exec 9> /run/lock/audispatch-audit.lock
    flock --wait 600 9 || exit 1
    rule="always,exit -F arch=b64 -S execve -F uid=\(user) -k audispatch"
    state=$(auditctl -s)
    number() { sed -n "s/^$1 \\([0-9]*\\).*/\\1/p" <<< "$state"; }
    { auditctl -b 16384; auditctl -a $rule; auditctl -e 1; } > /dev/null 2>&1
    echo held
    timeout 900 cat > /dev/null
    { auditctl -d $rule; auditctl -e $(number enabled); auditctl -b $(number backlog_limit)
    } > /dev/null 2>&1
    """

  private let guardian: RunningScript
  /// The guardian's input: its end is what it waits for.
  private var rope: Int32?
  private var lostBefore: UInt32 = 0

  /// Waits until no other test has it, and turns audit on with a rule for every exec of `user`.
  static func take() async throws -> AuditedHost {
    let scratch = try Scratch()
    let said = try Descriptor.open(scratch.file("said"), O_WRONLY | O_CREAT)
    let (reading, writing) = try Linux.Pipe().release()
    let input = Descriptor(owning: reading)
    let guardian: RunningScript
    do {
      guardian = try RunningScript(
        self.guardian, in: "/", input: input.number, output: said.number, endsByItself: true)
    } catch {
      close(writing)
      throw error
    }
    let host = AuditedHost(guardian, rope: writing)
    let isHeld = try await eventually(within: .seconds(600)) {
      try scratch.text("said") == "held\n" || !guardian.isRunning
    }
    try #require(isHeld && guardian.isRunning)
    host.lostBefore = try AuditStatusSocket().status().lost
    return host
  }

  private init(_ guardian: RunningScript, rope: Int32) {
    self.guardian = guardian
    self.rope = rope
  }

  deinit { letGo() }

  private func letGo() {
    if let rope { close(rope) }
    rope = nil
  }

  /// Waits until everything is as it was found.
  func release() async throws {
    letGo()
    _ = try await guardian.end()
  }

  /// Lets the test's user execute a program `count` times.
  func execute(_ count: Int) async throws {
    try await Program.run(
      """
      setpriv --reuid \(Self.user) --regid \(Self.user) --clear-groups --inh-caps=-all \
        bash -c 'for ((i = 0; i < \(count); i++)); do /bin/true; done'
      """)
  }

  /// The records that the kernel lost since this began.
  var lost: UInt32 { get throws { try AuditStatusSocket().status().lost - lostBefore } }
}
