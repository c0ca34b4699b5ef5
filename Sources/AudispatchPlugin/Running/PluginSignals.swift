import Glibc
import Linux

/// The signals that a plugin's session takes, to be read like input.
struct PluginSignals: ~Copyable {
  private let source: SignalSource

  /// Takes SIGHUP, SIGTERM and SIGUSR1 over even if they were ignored or blocked, as auditd's
  /// plugins inherit them. To be made before any other thread.
  init() throws(SystemError) {
    Signals.ignoreBrokenPipes()
    let numbers = [SIGHUP, SIGTERM, SIGUSR1]
    // Handlers beside the descriptor: the dispatcher sends SIGHUP only to what catches it.
    for number in numbers { _ = signal(number, { _ in }) }
    source = try SignalSource(numbers)
  }

  /// The descriptor to wait on.
  var number: Int32 { source.number }

  func next() -> Int32? { source.next() }
}

/// The clock that waits are measured by.
public enum MonotonicTime {
  /// Since the system's start.
  public static var now: Duration { .nanoseconds(Moment.now.nanoseconds) }
}
