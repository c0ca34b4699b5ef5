import Linux
import Synchronization

/// Synchronises a file while records go on being written to it. One order at a time.
final class SyncThread: ThreadWork {
  enum Outcome: Equatable, Sendable {
    case done
    case failed(Errno)
  }

  private struct State {
    var file: Int32?
    var outcome: Outcome?
    var ends = false
  }

  private let state = Mutex(State())
  private let orders: Bell
  private let results: Bell

  init() throws(SystemError) {
    orders = try Bell()
    results = try Bell()
  }

  /// Readable when an outcome waits.
  var number: Int32 { results.number }

  /// The file must stay open until the outcome was taken.
  func start(_ file: Int32) {
    state.withLock { $0.file = file }
    orders.ring()
  }

  /// The outcome of the last order, once; `nil` while it is worked on.
  func take() -> Outcome? {
    results.clear()
    return state.withLock { state in
      defer { state.outcome = nil }
      return state.outcome
    }
  }

  /// Waits for the outcome.
  func wait() -> Outcome {
    while true {
      if let outcome = take() { return outcome }
      _ = Poll.readable([results.number], within: nil)
    }
  }

  func end() {
    state.withLock { $0.ends = true }
    orders.ring()
  }

  func run() {
    while true {
      _ = Poll.readable([orders.number], within: nil)
      orders.clear()
      let (file, ends) = state.withLock { ($0.file, $0.ends) }
      if let file {
        let outcome: Outcome
        do throws(Errno) {
          try Descriptor.sync(file)
          outcome = .done
        } catch { outcome = .failed(error) }
        state.withLock {
          $0.file = nil
          $0.outcome = outcome
        }
        results.ring()
      }
      if ends { return }
    }
  }
}
