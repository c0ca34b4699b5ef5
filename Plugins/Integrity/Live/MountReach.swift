import Linux
import Synchronization

/// Which mount points do not answer, as of a network file system whose server is gone: whoever looks into
/// one waits for it, so each is tried on a thread of its own first.
struct MountReach {
  /// How long an answer is waited for.
  private static let patience: Int32 = 1000
  /// Threads that may wait at a time: beyond it a mount point counts as silent untried.
  private static let most = 8

  private let bell: @Sendable () -> Void
  private var questions: [FilePath: Question] = [:]

  /// - Parameter bell: is called when one answers that was silent.
  init(bell: @escaping @Sendable () -> Void) { self.bell = bell }

  /// Those that are silent.
  var silent: [FilePath] { questions.keys.sorted() }

  /// Whether a path lies in one that is silent.
  func covers(_ path: FilePath) -> Bool {
    questions.keys.contains {
      path == $0 || path.bytes.starts(with: $0.bytes + [UInt8(ascii: "/")])
    }
  }

  /// Whether it can be looked into; waits for a second at most.
  mutating func answers(_ path: FilePath) -> Bool {
    if let question = questions[path] { return question.isAnswered }
    guard questions.count < Self.most else { return false }
    do throws(SystemError) {
      let question = try Question(path, bell)
      try WorkThread(question).detach()
      if question.waits(Self.patience) { return true }
      questions[path] = question
    } catch {}
    return false
  }

  /// Those that answer by now, once.
  mutating func takeAnswered() -> [FilePath] {
    let answered = questions.filter { $0.value.isAnswered }.keys.sorted()
    for path in answered { questions[path] = nil }
    return answered
  }
}

private final class Question: ThreadWork {
  private let path: FilePath
  private let bell: @Sendable () -> Void
  private let answer: Bell
  private let state = Mutex((isAnswered: false, isLate: false))

  init(_ path: FilePath, _ bell: @escaping @Sendable () -> Void) throws(SystemError) {
    self.path = path
    self.bell = bell
    answer = try Bell()
  }

  var isAnswered: Bool { state.withLock(\.isAnswered) }

  /// Whether it is answered within so many milliseconds.
  func waits(_ milliseconds: Int32) -> Bool {
    _ = Poll.wait(answer.number, for: .read, milliseconds: milliseconds)
    return state.withLock { state in
      state.isLate = !state.isAnswered
      return state.isAnswered
    }
  }

  func run() {
    // Whatever comes of it: it has not hung.
    _ = try? Folder(path.bytes).entries()
    let isLate = state.withLock { state in
      state.isAnswered = true
      return state.isLate
    }
    answer.ring()
    if isLate { bell() }
  }
}
