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

  /// Blocks SIGHUP until the session takes signals: one that comes while the options are read means
  /// that the file may have changed since, and must not get lost. It has a handler as well, since
  /// the dispatcher signals only processes that catch it.
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
