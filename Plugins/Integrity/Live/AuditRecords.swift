import AudispatchPlugin
import CAudit
import Glibc
import Linux
import Synchronization

/// Writes records into the kernel's audit, on a thread of its own: while the kernel's queue is full, it
/// holds up whoever writes, for up to a minute, and the stream must not wait so long. Needs
/// CAP_AUDIT_WRITE. While audit is disabled the kernel takes records and throws them away.
final class AuditRecords: ThreadWork {
  /// What has become of them.
  struct Figures: Equatable, Sendable {
    var written = 0
    var dropped = 0
    /// Why the last one could not be written; `nil`: it could.
    var obstacle: String?
  }

  private struct State {
    var waiting: [(text: String, isGood: Bool)] = []
    var isRunning = false
    var figures = Figures()
  }

  /// Records that may wait.
  private static let bound = 1000

  private let state = Mutex(State())

  /// - Parameter isGood: whether it is a result that one may be glad of.
  func write(_ text: String, isGood: Bool) {
    let starts = state.withLock { state in
      guard state.waiting.count < Self.bound else {
        state.figures.dropped += 1
        return false
      }
      state.waiting.append((text, isGood))
      defer { state.isRunning = true }
      return !state.isRunning
    }
    guard starts else { return }
    do throws(SystemError) { try begin { fail("no thread can be started") } } catch { return }
  }

  var figures: Figures { state.withLock(\.figures) }

  /// Waits until all are written, for so long at most.
  func finish(by end: Duration) {
    while state.withLock(\.isRunning), MonotonicTime.now < end { usleep(5000) }
  }

  func run() {
    let number = audit_open()
    guard number >= 0 else { return fail("\(Errno.current)") }
    let socket = Descriptor(owning: number)
    while let (text, isGood) = next() {
      let result = unsafe audit_log_user_message(
        socket.number, RecordText.type, text, nil, nil, nil, isGood ? 1 : 0)
      let cause = Errno(result < -1 ? -result : errno)
      state.withLock { state in
        if result > 0 {
          state.figures.written += 1
          state.figures.obstacle = nil
        } else {
          state.figures.dropped += 1
          state.figures.obstacle = "\(cause)"
        }
      }
    }
  }

  private func next() -> (text: String, isGood: Bool)? {
    state.withLock { state in
      if state.waiting.isEmpty { state.isRunning = false }
      return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
    }
  }

  private func fail(_ reason: String) {
    state.withLock { state in
      state.figures.dropped += state.waiting.count
      state.figures.obstacle = reason
      state.waiting = []
      state.isRunning = false
    }
  }
}
