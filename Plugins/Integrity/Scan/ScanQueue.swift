import Dispatch
import Synchronization

/// What several threads work off and one consumes: tasks last in, first out, so that few folders
/// are open at a time; events first in, first out, with a bound, so that a slow consumer makes the
/// threads wait.
final class ScanQueue<Work: Sendable, Event: Sendable>: Sendable {
  private struct State {
    var tasks: [Work] = []
    /// Tasks that wait or are worked on.
    var outstanding = 0
    var events: [Event] = []
    var read = 0
    var isStopped = false
  }

  private let state = Mutex(State())
  private let waiting = DispatchSemaphore(value: 0)
  private let filled = DispatchSemaphore(value: 0)
  private let room = DispatchSemaphore(value: 0)
  private let threads: Int

  /// - Parameter bound: events that may wait.
  init(threads: Int, bound: Int) {
    self.threads = threads
    // A semaphore must not end below the value that it began with, and a scan can be stopped.
    for _ in 0..<bound { room.signal() }
  }

  func push(_ tasks: [Work]) {
    state.withLock { state in
      state.tasks += tasks
      state.outstanding += tasks.count
    }
    for _ in tasks { waiting.signal() }
  }

  /// The next task; waits for one. `nil` when all is done or the scan was stopped.
  func next() -> Work? {
    waiting.wait()
    return state.withLock { $0.isStopped ? nil : $0.tasks.popLast() }
  }

  /// A task is done. After the last one every thread ends, and so do the events.
  func finish() {
    let isLast = state.withLock { state in
      state.outstanding -= 1
      return state.outstanding == 0
    }
    if isLast { wakeAll() }
  }

  /// Ends without the rest: nothing is handed out any more.
  func stop() {
    state.withLock { $0.isStopped = true }
    wakeAll()
  }

  private func wakeAll() {
    for _ in 0..<threads { waiting.signal() }
    filled.signal()
    // Threads that wait for room see that all has ended.
    for _ in 0..<threads { room.signal() }
  }

  /// Hands an event to the consumer; waits while that is behind. After `stop` it is let go.
  func emit(_ event: Event) {
    if state.withLock({ $0.isStopped }) { return }
    room.wait()
    state.withLock { $0.events.append(event) }
    filled.signal()
  }

  /// The next event; waits for one. `nil` at the end.
  func event() -> Event? {
    filled.wait()
    return state.withLock { state in
      guard state.read < state.events.count else { return nil }
      let event = state.events[state.read]
      state.read += 1
      if state.read == state.events.count || state.read >= 64 {
        state.events.removeFirst(state.read)
        state.read = 0
      }
      room.signal()
      return event
    }
  }
}
