import CAudispatch
import Glibc

/// Signals of this process.
public enum Signals {
  /// Undoes what a parent left behind: every disposition to its default, nothing blocked but `held`,
  /// which wait until somebody takes them over.
  public static func reset(holding held: [Int32] = []) {
    unsafe held.withUnsafeBufferPointer {
      unsafe ad_reset_signals($0.baseAddress, Int32($0.count))
    }
  }

  /// Lets signals wait until somebody takes them over.
  public static func hold(_ signals: [Int32]) {
    unsafe signals.withUnsafeBufferPointer {
      unsafe ad_block_signals($0.baseAddress!, Int32($0.count))
    }
  }

  /// A write to what nobody reads, or beyond a limit on file sizes (`ulimit -f`), fails with its
  /// reason, EPIPE or EFBIG, and does not end the process.
  public static func ignoreFailedWrites() { ad_ignore_failed_writes() }
}

/// Signals as something to read. The corresponding call is `signalfd`.
public struct SignalSource: ~Copyable {
  private let descriptor: Descriptor

  /// Blocks the signals and takes them over.
  public init(_ signals: [Int32]) throws(SystemError) {
    let fd = unsafe signals.withUnsafeBufferPointer { buffer in
      unsafe ad_signal_descriptor(buffer.baseAddress!, Int32(buffer.count))
    }
    guard fd >= 0 else { throw SystemError("watch", "signals", .current) }
    descriptor = Descriptor(owning: fd)
  }

  public var number: Int32 { descriptor.number }

  /// The next signal that waits, `nil` when none does.
  public func next() -> Int32? {
    let signal = ad_next_signal(descriptor.number)
    return signal > 0 ? signal : nil
  }
}

/// The nice value of this process.
public enum ProcessPriority {
  /// A value that is not permitted leaves things as they are. The call is `setpriority`.
  public static var nice: Int32 {
    get { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }
    set { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, newValue) }
  }

  /// Gives this process `nice`, and the session that it leads, if it leads one, the same: where sessions
  /// share the processors as groups (sched(7), *The autogroup feature*), a value of its own counts only
  /// within its group. What is not permitted leaves things as they are.
  public static func raise(to nice: Int32) {
    let nice = max(nice, -20)
    self.nice = nice
    guard nice < 0, getsid(0) == getpid(),
      let group = try? Descriptor.open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC)
    else { return }
    try? Transfer.writeAll(group.number, Array("\(nice)".utf8))
  }
}
