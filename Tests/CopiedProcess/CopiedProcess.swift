import Glibc
import Linux

/// Copies itself; two threads of the copy meet at a lock of Swift's runtime. Ends with 0 when both go on.
@main
enum CopiedProcess {
  static func main() {
    // From here on this thread remembers its number.
    _ = Quick.value
    guard let copy = try? ChildProcess.copy({ meet() }) else { exit(2) }
    let end = Moment.now + .seconds(20)
    while Moment.now < end {
      if let how = copy.reap() { exit(how == .exit(0) ? 0 : 3) }
      Pause.nanoseconds(5_000_000)
    }
    copy.signal(SIGKILL)
    exit(1)
  }

  private static func meet() -> Never {
    guard let other = try? WorkThread(Other()) else { exit(2) }
    _ = Slow.value
    other.join()
    exit(0)
  }
}

private final class Other: ThreadWork {
  func run() {
    Pause.nanoseconds(100_000_000)
    _ = Slow.value
  }
}

private enum Quick {
  static let value = getpid()
}

/// Is made when it is asked for first; who asks meanwhile waits at the lock.
private enum Slow {
  static let value: Int32 = {
    Pause.nanoseconds(500_000_000)
    return getpid()
  }()
}
