import Glibc
import Linux

/// The programs that stand between an input and us, the one next to us last.
final class SourceHelpers {
  private var running: [SourceHelper] = []
  private var output: OutputCatcher?
  /// One of them failed: what it was to give is not complete.
  private(set) var haveFailed = false

  var isEmpty: Bool { running.isEmpty }
  /// Their standard error, to be waited for.
  var outputNumber: Int32? { output?.number }

  /// - Parameter extra: a descriptor that it gets beside the three usual ones; -1: none.
  /// - Returns: our end of its output.
  func start(
    _ path: String, _ arguments: [String], input: consuming Descriptor, extra: Int32 = -1,
    keepsCapabilities: Bool = false
  ) throws(SystemError) -> Descriptor {
    let ends = try UnixSocket.pair()
    let ourEnd = ends.ours
    let theirEnd = ends.theirs
    let pipe = try Pipe()
    let errors = pipe.writing
    let output = OutputCatcher(owning: pipe.reading)
    do throws(SpawnError) {
      let child = try ChildProcess(
        path: path, arguments: arguments,
        environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"], input: input.number,
        output: theirEnd.number, error: errors.number, extra: extra,
        confinement: Self.confinement(keepsCapabilities))
      running.append(SourceHelper(path, child))
    } catch {
      throw SystemError("start", path, error.cause)
    }
    self.output = consume output
    return ourEnd
  }

  /// Helpers read what others have written, and need nothing for it; the kernel's reader gives up
  /// itself what it has no use for any more.
  private static func confinement(_ keepsCapabilities: Bool) -> Confinement {
    var confinement = Confinement()
    confinement.noNewPrivileges = true
    confinement.isOrdinary = !keepsCapabilities
    if !keepsCapabilities, Capabilities.permitted.contains(.setBound) {
      confinement.capabilities = []
    }
    return confinement
  }

  /// What they have to say.
  ///
  /// - Returns: whether more may follow.
  func readOutput(_ now: Moment, _ say: (String) -> Void) -> Bool {
    (output?.read(now, say) ?? .ended) != .ended
  }

  func askToEnd() { for helper in running { helper.child.signal(SIGTERM) } }

  /// Which of them failed, to be asked when the input has ended.
  func takeFailure() -> String? {
    var failure: String?
    for helper in running {
      // Its output has ended, so it is about to end; what hangs is not waited for.
      for _ in 0..<50 {
        if let end = helper.child.reap() {
          if end != .exit(0) {
            haveFailed = true
            failure = failure ?? "\(helper.name) ended with \(end)"
          }
          break
        }
        Pause.nanoseconds(1_000_000)
      }
    }
    running.removeAll()
    return failure
  }
}

/// A program that stands between an input and us.
private final class SourceHelper {
  let name: String
  let child: ChildProcess

  init(_ name: String, _ child: consuming ChildProcess) {
    self.name = name
    self.child = child
  }
}
