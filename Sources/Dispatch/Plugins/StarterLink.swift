import Glibc
import Linux

/// The process that starts plugins, which is started again when it ends.
final class StarterLink {
  private static let firstPause = Duration.milliseconds(50)
  private static let longestPause = Duration.seconds(5)

  private let loop: Loop
  private var starter: Starter?
  /// When the present one, or the one before, was started.
  private var startedAt = Moment.now
  private var pause = StarterLink.firstPause
  /// There is none, or it has as much to do as it can note: this moment changes that, or its next
  /// answer.
  private var busyUntil: Moment?

  init(_ loop: Loop, _ starter: consuming Starter?) {
    self.loop = loop
    self.starter = starter
    wait()
  }

  private func wait() {
    guard let number = starter?.number, !loop.poller.add(number, Token.starter, .read) else {
      return
    }
    // Its answers would not be heard.
    _ = letGo()
  }

  /// Whether it may be asked now; if not, plugins have their turn when it may.
  func mayBeAsked() -> Bool { busyUntil.map { loop.hasCome($0, .plugins) } ?? true }

  /// Asks for a child. Never waits for anything that its request names.
  func ask(
    _ request: StartRequest, number: LaunchNumber, input: Int32, output: Int32, error: Int32,
    attempt: Int32
  ) -> Starter.Asked {
    if let failure = startAgain() { return .failed(failure) }
    let asked = starter?.ask(
      request, number: number.value, input: input, output: output, error: error, attempt: attempt)
    guard let asked else { return .busy }
    // One that has just died says so by its end.
    guard asked == .busy || asked == .failed(Errno(EPIPE)) else { return asked }
    busyUntil = loop.now + .seconds(1)
    return .busy
  }

  /// - Returns: why there is none, and will not be soon.
  private func startAgain() -> Errno? {
    guard starter == nil else { return nil }
    busyUntil = nil
    startedAt = loop.now
    do {
      starter = try Starter.execute()
      wait()
      return nil
    } catch {
      loop.say(.error, "no process that starts plugins: \(error)")
      rest()
      return (error as? SpawnError)?.cause ?? (error as? SystemError)?.cause ?? Errno(EAGAIN)
    }
  }

  /// One that ends again and again is started less and less often.
  private func rest() {
    pause =
      loop.now - startedAt > .seconds(60) ? Self.firstPause : min(pause * 2, Self.longestPause)
    busyUntil = loop.now + pause
    loop.wake(.plugins, at: loop.now + pause)
  }

  /// Its next answer. After `ended` there is none until another one is asked.
  func receive() -> Starter.Answer {
    guard let answer = starter?.receive() else { return .nothing }
    busyUntil = nil
    switch consume answer {
    case .child(let number, let process): return .child(number: number, process)
    case .failed(let number, let cause): return .failed(number: number, cause)
    case .nothing: return .nothing
    case .ended:
      let end = letGo()
      loop.say(
        .warning,
        "the process that starts plugins ended"
          + (end.map { " (\($0))" } ?? "") + ": another one is started")
      return .ended
    }
  }

  /// Ends one that does not answer.
  func giveUp() {
    guard starter != nil else { return }
    _ = letGo()
    loop.say(.warning, "the process that starts plugins does not answer: another one is started")
  }

  private func letGo() -> ChildEnd? {
    if let number = starter?.number { loop.poller.remove(number) }
    let end = starter.take()?.end()
    rest()
    return end
  }
}
