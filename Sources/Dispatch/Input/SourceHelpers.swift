import Glibc
import Linux

/// The programs that stand between an input and us, the one next to us last.
final class SourceHelpers {
  private var running: [SourceHelper] = []
  /// The kernel's reader, which may be on its way.
  private var reader: HelperProcess?
  /// One that was given up, and has not ended: no further one is started until it has.
  private var straggler: HelperProcess?
  private var output: OutputCatcher?
  /// One of them failed: what it was to give is not complete.
  private(set) var haveFailed = false

  var isEmpty: Bool { running.isEmpty && reader == nil }
  /// Their standard error, to be waited for.
  var outputNumber: Int32? { output?.number }

  /// Starts what stands between a file and us, and waits until it runs: a replay can.
  ///
  /// - Returns: our end of its output.
  func start(
    _ path: String, _ arguments: [String], input: consuming Descriptor
  ) throws(SystemError) -> Descriptor {
    let ends = try UnixSocket.pair()
    let ourEnd = ends.ours
    let theirEnd = ends.theirs
    let pipe = try Pipe()
    let errors = pipe.writing
    let output = OutputCatcher(owning: pipe.reading)
    do throws(SpawnError) {
      let child = try ChildProcess(
        path: path, arguments: arguments, environment: HelperProcess.environment,
        input: input.number,
        output: theirEnd.number, error: errors.number,
        confinement: Self.confinement(keepsCapabilities: false))
      running.append(SourceHelper(path, child))
    } catch {
      throw SystemError("start", path, error.cause)
    }
    self.output = consume output
    return ourEnd
  }

  /// Has the kernel's reader started. Nothing waits for that.
  ///
  /// - Parameter counters: a descriptor that it gets beside the three usual ones.
  /// - Returns: our end of its output.
  func startReader(
    _ path: String, _ arguments: [String], counters: Int32, by starter: StarterLink
  ) throws(SystemError) -> Descriptor {
    if straggler?.isGone ?? false { straggler = nil }
    if straggler != nil { throw SystemError("start another", path, Errno(EBUSY)) }
    let ends = try UnixSocket.pair()
    let ourEnd = ends.ours
    let theirEnd = ends.theirs
    let pipe = try Pipe()
    let errors = pipe.writing
    let output = OutputCatcher(owning: pipe.reading)
    let null = try Descriptor.open("/dev/null", O_RDONLY)
    reader = try starter.start(
      StartRequest(
        path: path, arguments: arguments, environment: HelperProcess.environment,
        confinement: Self.confinement(keepsCapabilities: true)),
      input: null.number, output: theirEnd.number, error: errors.number, extra: counters)
    self.output = consume output
    return ourEnd
  }

  /// When the kernel's reader is given up, as long as it is not its program.
  var deadline: Moment? { reader?.deadline }

  /// What the reader lies on does not answer: nothing else waits for it.
  func giveUp(by starter: StarterLink) { if let reader { starter.giveUp(on: reader) } }

  /// Helpers read what others have written, and need nothing for it; the kernel's reader gives up
  /// itself what it has no use for any more.
  private static func confinement(keepsCapabilities: Bool) -> Confinement {
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

  func askToEnd() {
    for helper in running { helper.child.signal(SIGTERM) }
    reader?.signal(SIGTERM)
  }

  /// Why the reader whose output has ended never ran, if that is so; once.
  func takeStartFailure() -> SystemError? {
    guard let reader, let failure = reader.failure else { return nil }
    self.reader = nil
    if !reader.isGone { straggler = reader }
    return SystemError("start", failure.path, failure.cause)
  }

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
    return takeReadersFailure() ?? failure
  }
}

extension SourceHelpers {
  private func takeReadersFailure() -> String? {
    guard let reader, reader.failure == nil else { return nil }
    self.reader = nil
    guard reader.isMade else { return nil }
    for _ in 0..<50 where !reader.isGone { Pause.nanoseconds(1_000_000) }
    guard let end = reader.reap(), end != .exit(0) else { return nil }
    haveFailed = true
    return "\(reader.path) ended with \(end)"
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
