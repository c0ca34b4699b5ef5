import Glibc
import Linux

/// The process that starts plugins and helpers, which is started again when it ends.
final class StarterLink {
  /// What the answers for helpers are called, and those for plugins never.
  private static let helperNumbers: UInt64 = 1 << 63

  private let loop: Loop
  private var starter: Starter?
  /// When the present one, or the one before, was started.
  private var startedAt = Moment.now
  private var pause = DoublingPause(from: .milliseconds(50), to: .seconds(5))
  /// One was given up for a helper: whoever asked it for plugins does not know that yet.
  private(set) var owesEnd = false
  /// There is none, or it has as much to do as it can note: this moment changes that, or its next
  /// answer.
  private var busyUntil: Moment?
  /// Those that it has not made yet, by their numbers.
  private var helpers: [UInt64: HelperProcess] = [:]
  private var helpersAsked: UInt64 = 0

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
    _ request: StartRequest, number: UInt64, input: Int32, output: Int32, error: Int32,
    extra: Int32 = -1, attempt: Int32
  ) -> Starter.Asked {
    if let failure = startAgain() { return .failed(failure) }
    let asked = starter?.ask(
      request, number: number, input: input, output: output, error: error, extra: extra,
      attempt: attempt)
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
    if loop.now - startedAt > .seconds(60) { pause.reset() }
    let next = loop.now + pause.next()
    busyUntil = next
    loop.wake(.plugins, at: next)
  }

  /// Has a program of ours started, with those descriptors as 0, 1, 2 and, if given, 3. Never waits for
  /// what it lies on.
  func start(
    _ request: StartRequest, input: Int32, output: Int32, error: Int32, extra: Int32 = -1
  ) throws(SystemError) -> HelperProcess {
    let helper = try HelperProcess(request, now: loop.now)
    helpersAsked += 1
    let number = Self.helperNumbers | helpersAsked
    guard mayBeAsked() else { throw SystemError("start", request.path, .again) }
    let asked = ask(
      request, number: number, input: input, output: output, error: error, extra: extra,
      attempt: helper.childNumber)
    switch asked {
    case .taken: break
    case .busy: throw SystemError("start", request.path, .again)
    case .failed(let cause): throw SystemError("start", request.path, cause)
    }
    helper.wasHandedOver()
    helpers[number] = helper
    return helper
  }

  /// Its next answer about a plugin; helpers have theirs. After `ended` there is none until another one
  /// is asked.
  func receive() -> Starter.Answer {
    if owesEnd {
      owesEnd = false
      return .ended
    }
    while true {
      guard let answer = starter?.receive() else { return .nothing }
      busyUntil = nil
      switch consume answer {
      case .child(let number, let process):
        guard number & Self.helperNumbers != 0 else {
          return .child(number: number, process)
        }
        guard let helper = helpers.removeValue(forKey: number) else {
          process.endNow()
          continue
        }
        helper.has(process)
      case .failed(let number, let cause):
        guard number & Self.helperNumbers != 0 else { return .failed(number: number, cause) }
        helpers.removeValue(forKey: number)?.wasNotMade(cause)
      case .nothing: return .nothing
      case .ended: return ended()
      }
    }
  }

  private func ended() -> Starter.Answer {
    let end = letGo()
    loop.say(
      .warning,
      "the process that starts plugins ended"
        + (end.map { " (\($0))" } ?? "") + ": another one is started")
    return .ended
  }

  /// A helper that has had its time is ended; where nobody has even made it, the starter hangs.
  func giveUp(on helper: HelperProcess) {
    let isMade = helper.isMade
    helper.giveUp()
    guard !isMade, starter != nil else { return }
    giveUp()
    owesEnd = true
    loop.wake(.plugins, at: loop.now)
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
    for helper in helpers.values { helper.wasNotMade(Errno(ECONNRESET)) }
    helpers = [:]
    rest()
    return end
  }
}
