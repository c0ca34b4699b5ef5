import AuditRecord
import Glibc
import Journal
import Keeper
import Linux

/// One input behind another: each generation of auditd brings its own, by a front that hands it to the
/// keeper.
final class NextInputs: Owner {
  /// What auditd writes last when it stops, DAEMON_END.
  private static let farewell = RecordType(rawValue: 1201)

  let base: Base
  private let custody: Custody
  private let ledger: Ledger
  private let input: Input
  private let control: Control
  /// Newest last.
  private var waiting: [HandedInput] = []
  /// Of the newest front.
  private var link: FrontLink?
  private var decision: InputSuccession
  private var deafReport = RateLimit(every: .seconds(10))

  init(_ base: Base, _ custody: Custody, _ ledger: Ledger, _ input: Input, _ control: Control) {
    self.base = base
    self.custody = custody
    self.ledger = ledger
    self.input = input
    self.control = control
    decision = InputSuccession(wait: custody.waitForNext)
  }

  /// A front was there before any input of its own.
  func meet(_ link: FrontLink) { self.link = link }

  /// A front has handed its input over.
  func came(_ handed: HandedInput) {
    waiting.append(handed)
    link = handed.link
    decision.came(loop.now)
    tend()
  }

  /// Goes on with the next input when it is time; without one asks for the end.
  func tend() {
    if input.takeEnd() { presentEnded() }
    guard ending.isRunning else { return }
    let step = decision.step(
      loop.now, waiting: waiting.count, isSettled: source.isSettled,
      keeperHears: custody.keeperHasAll)
    switch step {
    case .nothing: break
    case .look(let moment): loop.wake(.nextInputs, at: moment)
    case .cut:
      decision.wasCut(loop.now)
      if source.refuseMore() { input.read() }
      loop.wakeAll()
    case .goOn: goOn()
    case .stop: ending.ask("end of input")
    }
  }

  private func presentEnded() {
    decision.presentEnded(loop.now)
    guard decision.wait != nil, waiting.isEmpty else { return }
    custody.drained(isFarewell: source.lastTaken == Self.farewell)
  }

  /// What is published has to say that another stream begins before the keeper gives that to a
  /// successor, and the keeper has to know before anything of it is read.
  private func goOn() {
    guard let handed = waiting.first else { return }
    guard custody.keeperHasAll else { return keeperIsDeaf() }
    source.beginStream()
    guard custody.goesOn(ledger.publish()) else { return keeperIsDeaf() }
    waiting.removeFirst()
    decision.wentOn(waiting: waiting.count)
    dup2(handed.input.number, 0)
    loop.say(.info, "auditd has started another audispatchd: going on with its input")
    input.open()
    control.reload()
  }

  private func keeperIsDeaf() {
    if deafReport.pass(loop.now) != nil {
      loop.say(
        .warning,
        "the process that holds the input does not take what it is told: the next input waits for it"
      )
    }
    loop.wake(.custody, at: loop.now)
    loop.wake(.nextInputs, in: .milliseconds(20))
  }

  // MARK: Without a keeper

  /// Nobody brings another input; the front, which does not know that, speaks to us.
  func keeperIsGone() {
    decision.keeperIsGone()
    if let link { _ = loop.poller.add(link.number, Token.front, .read) }
    tend()
  }

  /// Takes what the front passes on: signals.
  func hearFront(_ body: (Int32) -> Void) {
    while let link {
      switch link.next() {
      case .signal(let signal): body(signal)
      case .nothing: return
      case .ended:
        loop.poller.remove(link.number)
        self.link = nil
      }
    }
  }

  /// Says to the front what the keeper would, were it there: nothing to one whose input nobody has
  /// read, so that it goes on with a keeper of its own.
  func tellFront(_ status: Int32) {
    if !custody.hasKeeper, waiting.isEmpty { link?.sayEnd(status) }
  }
}
