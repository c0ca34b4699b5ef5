import Configuration
import Glibc
import Linux
import Synchronization

/// Has the configuration read by a process of its own, an `Examiner`, which a thread waits for: there
/// may be thousands of files, on a disk that is slow, or that does not answer. What hangs there is not
/// this process, which so can always end.
final class ConfigurationReading: ThreadWork {
  enum Outcome: Sendable {
    case read(LoadedConfiguration)
    /// Why nothing is known of it.
    case failed(String)
  }

  /// How long it may take.
  private static let patience = Duration.seconds(30)

  /// Rings when it is done.
  let bell: Bell
  /// Of the daemon, without the program's name.
  private let arguments: [String]
  private let result = Mutex<Outcome?>(nil)

  init(_ arguments: [String]) throws(SystemError) {
    self.arguments = arguments
    bell = try Bell()
  }

  /// What came of it, once it is done.
  var outcome: Outcome? { result.withLock { $0 } }

  func run() {
    do {
      let file = try Descriptor.anonymousFile("audispatch examination")
      let examiner = try Examiner.start(arguments, into: file)
      if Poll.readable([examiner.pidfd], within: Self.patience)[0] {
        finish(Self.outcome(examiner.reap(), file))
      } else {
        examiner.signal(SIGKILL)
        finish(
          .failed(
            "reading the configuration has not ended within \(Int(Self.patience.inSeconds)) s: "
              + "a file system that it names does not answer"))
        // It may be kept in the kernel, and is waited for by this thread alone.
        while examiner.reap() == nil { _ = Poll.readable([examiner.pidfd], within: nil) }
      }
    } catch { finish(.failed("the configuration cannot be read: \(error)")) }
  }

  private func finish(_ outcome: Outcome) {
    result.withLock { $0 = outcome }
    bell.ring()
  }

  private static func outcome(_ end: ChildEnd?, _ file: consuming Descriptor) -> Outcome {
    guard end == .exit(0) else {
      return .failed("who reads the configuration ended with \(end.map { "\($0)" } ?? "nothing")")
    }
    do {
      return .read(try Examiner.answer(in: file))
    } catch { return .failed("what was read of the configuration cannot be used: \(error)") }
  }
}
