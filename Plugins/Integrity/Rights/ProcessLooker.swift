import Linux
import Synchronization

/// Looks at what processes have open, and where they are, on a thread of its own: one that landlock
/// confines may not.
final class ProcessLooker: ThreadWork {
  private enum Question {
    case open
    case workingFolder(UInt32)
  }

  private enum Answer {
    case open(Reading)
    case workingFolder(FilePath?)
  }

  private let asked: Bell
  private let answered: Bell
  private let question = Mutex(Question.open)
  private let found = Mutex<Answer?>(nil)

  init() throws(SystemError) {
    asked = try Bell(waits: true)
    answered = try Bell(waits: true)
  }

  func run() {
    while true {
      asked.clear()
      let answer: Answer =
        switch question.withLock({ $0 }) {
        case .open: .open(.beginning)
        case .workingFolder(let pid):
          .workingFolder((try? Files.resolved("/proc/\(pid)/cwd")).map { FilePath($0) })
        }
      found.withLock { $0 = answer }
      answered.ring()
    }
  }

  /// What is open now; waits for it, some milliseconds. For one thread, as is all that is asked.
  func reading() -> Reading {
    guard case .open(let reading) = ask(.open) else { return .unknown }
    return reading
  }

  /// Where a process is; `nil` where it is gone.
  func workingFolder(of pid: UInt32) -> FilePath? {
    guard case .workingFolder(let folder) = ask(.workingFolder(pid)) else { return nil }
    return folder
  }

  private func ask(_ next: Question) -> Answer? {
    question.withLock { $0 = next }
    asked.ring()
    answered.clear()
    return found.withLock { $0 }
  }
}
