import Glibc
import Linux

/// A program of ours, first on its way and then a process. The starter makes it, so that nothing here
/// waits for what the program lies on.
final class HelperProcess {
  /// What programs of ours are given.
  static let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]
  /// How long it may take to become its program.
  private static let patience = Duration.seconds(10)
  /// Why one that has not is given up.
  static let late = Errno(ETIME)

  let path: String
  private let request: StartRequest
  /// `nil`: it is its program, or will never be.
  private var attempt: StartAttempt?
  private var process: ChildProcess?
  /// A signal that came before there was a process.
  private var waitingSignal: Int32?
  private var outcome: StartAttempt.Outcome?
  private var end: ChildEnd?
  /// Nobody has made it, and nobody will.
  private var isUnmade = false
  /// It is given up then, unless it is its program.
  private let latest: Moment

  init(_ request: StartRequest, now: Moment) throws(SystemError) {
    path = request.path
    self.request = request
    attempt = try StartAttempt()
    latest = now + Self.patience
  }

  // MARK: How it is made

  /// What goes to the child with the request.
  var childNumber: Int32 { attempt?.childNumber ?? -1 }

  func wasHandedOver() { attempt?.wasHandedOver() }

  var isMade: Bool { process != nil }
  /// `nil` until it is made.
  var pid: pid_t? { process?.pid }

  /// The child is there, and goes on.
  func has(_ process: consuming ChildProcess) {
    if let waitingSignal { process.signal(waitingSignal) }
    self.process = consume process
    attempt?.go()
  }

  /// What was to make it could not, or is gone.
  func wasNotMade(_ cause: Errno) {
    isUnmade = true
    if outcome == nil {
      outcome = .failed(.init(SpawnError(path: path, stage: "start", cause: cause)))
    }
    attempt = nil
  }

  // MARK: How it fares

  private func look() {
    guard attempt != nil, process != nil, let outcome = attempt?.outcome(of: request) else {
      return
    }
    if self.outcome == nil { self.outcome = outcome }
    attempt = nil
  }

  /// Why it could not become its program.
  var failure: SpawnError? {
    look()
    if case .failed(let failure) = outcome { return failure.error }
    return nil
  }

  /// When it is given up; `nil`: it is its program, or will never be.
  var deadline: Moment? {
    look()
    return outcome == nil ? latest : nil
  }

  /// It is not its program by its deadline: what it lies on does not answer. What waits in the kernel
  /// for that does not even end.
  func giveUp() {
    outcome = .failed(.init(SpawnError(path: path, stage: "start", cause: Self.late)))
    attempt = nil
    signal(SIGKILL)
  }

  func signal(_ number: Int32) {
    if process == nil { waitingSignal = number } else { process?.signal(number) }
  }

  /// How it ended; `nil` while it is on its way or runs, and where it never was.
  func reap() -> ChildEnd? {
    look()
    if end == nil { end = process?.reap() }
    return end
  }

  /// Whether nothing is left of it.
  var isGone: Bool { isUnmade && process == nil || reap() != nil }
}
