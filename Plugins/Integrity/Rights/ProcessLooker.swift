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

  /// How long an answer is waited for.
  private static let patience: Int32 = 2000

  private let asked: Bell
  private let answered: Bell
  private let question = Mutex(Question.open)
  private let found = Mutex<Answer?>(nil)
  /// The last question has no answer yet, and nobody waits for it.
  private let isLate = Mutex(false)

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
          // What it says, without going there: that may be a mount that hangs.
          .workingFolder(Self.link("cwd", of: pid).map { FilePath($0) })
        }
      found.withLock { $0 = answer }
      answered.ring()
    }
  }

  private static func link(_ name: String, of pid: UInt32) -> [UInt8]? {
    let folder = try? Folder(Array("/proc/\(pid)".utf8))
    return try? folder?.target(of: FileName(Array(name.utf8)))
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

  /// `nil`: it takes too long, as where a file lies on a mount that hangs; until that is over nothing is
  /// asked.
  private func ask(_ next: Question) -> Answer? {
    if isLate.withLock({ $0 }) {
      guard Poll.wait(answered.number, for: .read, milliseconds: 0) else { return nil }
      answered.clear()
      isLate.withLock { $0 = false }
    }
    question.withLock { $0 = next }
    asked.ring()
    guard Poll.wait(answered.number, for: .read, milliseconds: Self.patience) else {
      isLate.withLock { $0 = true }
      return nil
    }
    answered.clear()
    return found.withLock { $0 }
  }
}
