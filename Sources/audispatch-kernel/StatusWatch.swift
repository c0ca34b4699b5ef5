import AuditRecord
import Linux

/// Follows what the kernel says of its audit system: whether it is on, and what it lost.
struct StatusWatch: ~Copyable {
  private static let interval = Duration.seconds(1)

  private var socket: AuditStatusSocket?
  private var next: Moment?
  private var last: UInt32?
  /// Records that the kernel lost since the start.
  private(set) var lost: UInt64 = 0
  private(set) var enabled = KernelCounters.unknown

  /// Begins to count; says on standard error what cannot be known, and when audit is off.
  init() {
    do {
      let socket = try AuditStatusSocket()
      take(try socket.status())
      self.socket = consume socket
    } catch {
      Report.say(
        "warning: \(error): what the kernel itself loses is not counted "
          + "(\(Surroundings.adviceOnAsking(error.cause)))")
      return
    }
    if enabled == 0 {
      Report.say("warning: audit is disabled in the kernel, nothing comes until auditctl -e 1")
    }
  }

  /// Asks again if the last time is long enough ago; true when something was asked and answered.
  mutating func refresh(at now: Moment, force: Bool) -> Bool {
    guard force || next.map({ now >= $0 }) ?? true, let answer = try? socket?.status() else {
      return false
    }
    next = now + StatusWatch.interval
    take(answer)
    return true
  }

  private mutating func take(_ status: KernelAuditStatus) {
    // Somebody may have set the kernel's counter back.
    if let last { lost += UInt64(status.lost >= last ? status.lost - last : status.lost) }
    last = status.lost
    enabled = UInt64(status.enabled)
  }
}
