import Linux
import Synchronization

/// Connects to a socket by its path, on a thread of its own: what that lies on may hang.
final class Connecting: ThreadWork {
  private let path: String
  private let began = Moment.now
  private let result = Mutex<Result<Int32, SystemError>?>(nil)

  private init(_ path: String) { self.path = path }

  static func begin(_ path: String) throws(SystemError) -> Connecting {
    let new = Connecting(path)
    try WorkThread(new).detach()
    return new
  }

  /// When to look next what came of it: mostly it takes no time.
  var patience: Duration {
    Moment.now - began < .milliseconds(100) ? .milliseconds(1) : .milliseconds(50)
  }

  /// What came of it, once; `nil` until then. A descriptor is the caller's.
  func take() -> Result<Int32, SystemError>? { result.withLock { $0.take() } }

  func run() {
    let made: Result<Int32, SystemError>
    do throws(SystemError) {
      made = .success(try UnixSocket.connect(path).release())
    } catch { made = .failure(error) }
    result.withLock { $0 = made }
  }
}
