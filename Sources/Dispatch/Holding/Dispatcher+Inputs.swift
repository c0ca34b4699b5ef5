import AuditRecord
import Glibc
import Journal
import Keeper
import Linux

/// One input behind another: each auditd generation brings its own.
extension Dispatcher {
  /// What auditd writes last when it stops, DAEMON_END.
  private static let farewell = RecordType(rawValue: 1201)

  /// The input has ended. Another one may follow, or has come already.
  ///
  /// - Returns: `false`: none can.
  func awaitNextInput() -> Bool {
    guard ending.isRunning, intake.origin == .standardInput,
      inputs.decision.wait != nil || inputs.decision.waiting > 0
    else { return false }
    inputs.presentEnded(now)
    if inputs.decision.waiting == 0 {
      holder?.drained(isFarewell: journal.lastTaken == Self.farewell)
    }
    tendInputs()
    return true
  }

  /// A front has handed its input over.
  func inputCame(_ handed: HandedInput) {
    inputs.came(handed, now)
    tendInputs()
  }

  /// Goes on with the next input when it is time.
  func tendInputs() {
    guard ending.isRunning else { return }
    let step = inputs.decision.step(
      now, isSettled: source.isSettled, keeperHears: holder?.hasNothingToSend ?? true)
    switch step {
    case .nothing: break
    case .look(let moment): scheduleTick(moment)
    case .cut:
      inputs.wasCut(now)
      if source.refuseMore() { readSource() }
      scheduleTick(now)
    case .goOn: goOnWithNextInput()
    case .stop: beginStop("end of input")
    }
  }

  /// What is published has to say that another stream begins before the keeper gives that to a
  /// successor, and the keeper has to know before anything of it is read.
  private func goOnWithNextInput() {
    guard let handed = inputs.waiting.first else { return }
    source.beginStream()
    publish()
    if let holder, !holder.goesOn() { return scheduleTick(now + .milliseconds(1)) }
    _ = inputs.next()
    dup2(handed.input.number, 0)
    say(.info, "auditd has started another audispatchd: going on with its input")
    openSource()
    load(.reload, for: nil)
  }

  // MARK: Without a keeper

  /// Nobody brings another input; the front, which does not know that, speaks to us.
  func keeperIsGone() {
    inputs.keeperIsGone()
    if let link = inputs.link { _ = poller.add(link.number, Token.front, .read) }
    tendInputs()
  }

  /// Says to the front what the keeper would, were it there.
  func tellFront(_ status: Int32) -> Int32 {
    if holder == nil { inputs.link?.sayEnd(status) }
    return status
  }

  func hearFront() {
    while let link = inputs.link {
      switch link.next() {
      case .signal(let signal): handleSignal(signal)
      case .nothing: return
      case .ended:
        poller.remove(link.number)
        inputs.link = nil
      }
    }
  }
}
