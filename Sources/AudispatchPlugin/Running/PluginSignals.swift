import Glibc
import Linux

/// The signals that a plugin's session takes, to be read like input.
struct PluginSignals: ~Copyable {
  private let source: SignalSource?

  /// Takes SIGHUP, SIGTERM and SIGUSR1 over even if they were ignored or blocked, as auditd's
  /// plugins inherit them. To be made before any other thread.
  ///
  /// - Parameter taken: `false` leaves the process's signals alone; then none comes.
  init(taken: Bool) throws(SystemError) {
    guard taken else {
      source = nil
      return
    }
    Signals.ignoreFailedWrites()
    let numbers = [SIGHUP, SIGTERM, SIGUSR1]
    // Handlers beside the descriptor: the dispatcher sends SIGHUP only to what catches it.
    for number in numbers { _ = signal(number, { _ in }) }
    source = try SignalSource(numbers)
  }

  /// Has a SIGHUP wait that comes before the session takes signals: what the options were read from
  /// may have changed since. The dispatcher sends it only to what catches it.
  static func holdReload() {
    Signals.hold([SIGHUP])
    _ = signal(SIGHUP, { _ in })
  }

  /// The descriptor to wait on; negative when no signal is taken.
  var number: Int32 {
    switch source {
    case .some(let source): source.number
    case .none: -1
    }
  }

  func next() -> Int32? {
    switch source {
    case .some(let source): source.next()
    case .none: nil
    }
  }
}

/// The clock that waits are measured by.
public enum MonotonicTime {
  /// Since the system's start.
  public static var now: Duration { .nanoseconds(Moment.now.nanoseconds) }
}
