import Synchronization

/// Work on a thread of its own that gives one result: what may wait for a disk, a name server or a
/// program, and so for ever.
public final class Errand<Result: Sendable>: Sendable {
  private let task: Task

  /// Starts it. Nobody waits for the thread: it ends with its work.
  ///
  /// - Parameter work: says its result once, by `answer`, and may go on.
  public init(
    _ work: @escaping @Sendable (_ answer: (Result) -> Void) -> Void
  ) throws(SystemError) {
    task = Task(try Bell(), work)
    try WorkThread(task).detach()
  }

  /// Readable once there is a result.
  public var number: Int32 { task.bell.number }

  /// `nil`: there is none yet.
  public var result: Result? { task.result.withLock { $0 } }

  /// What the thread keeps, whoever else has let go of it.
  private final class Task: ThreadWork {
    let bell: Bell
    let result = Mutex<Result?>(nil)
    private let work: @Sendable ((Result) -> Void) -> Void

    init(_ bell: consuming Bell, _ work: @escaping @Sendable ((Result) -> Void) -> Void) {
      self.bell = bell
      self.work = work
    }

    func run() {
      work { found in
        result.withLock { $0 = found }
        bell.ring()
      }
    }
  }
}
