import Synchronization

/// A thread that a class keeps, so that it can be waited for, or left to itself, once.
public final class KeptThread: Sendable {
  private let thread: Mutex<WorkThread?>

  /// Starts it; see `WorkThread`.
  public init(_ work: any ThreadWork) throws(SystemError) {
    thread = Mutex(try WorkThread(work))
  }

  /// Waits until the work is done.
  public func join() {
    let taken = thread.withLock { $0.take() }
    if let taken { taken.join() }
  }

  /// Leaves it to itself.
  public func detach() {
    let taken = thread.withLock { $0.take() }
    if let taken { taken.detach() }
  }
}
