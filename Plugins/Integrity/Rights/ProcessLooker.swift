import Linux
import Synchronization

/// Looks at what processes have open on a thread of its own: one that landlock confines may not.
final class ProcessLooker: ThreadWork {
  private let question: Bell
  private let answer: Bell
  private let found = Mutex<Reading?>(nil)

  init() throws(SystemError) {
    question = try Bell(waits: true)
    answer = try Bell(waits: true)
  }

  func run() {
    while true {
      question.clear()
      let reading = Reading.beginning
      found.withLock { $0 = reading }
      answer.ring()
    }
  }

  /// As it is now; waits for it, some milliseconds. For one thread.
  func reading() -> Reading {
    question.ring()
    answer.clear()
    return found.withLock { $0 } ?? .unknown
  }
}
