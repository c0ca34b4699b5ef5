import Glibc
import Journal
import Linux

/// All owners.
struct Owners {
  let base: Base
  let claim: RuntimeClaim
  let custody: Custody
  let overflows: OverflowActions
  let durable: DurableQueues
  let plugins: PluginHost
  let distribution: Distribution
  let input: Input
  let remote: RemoteInput?
  let inputs: NextInputs
  let control: Control
  let service: ServiceReport?
  let lateNode: LateNode
  let stopping: Stopping
}

/// The rounds of the loop: what a descriptor has goes to its owner, and each owner whose moment has
/// come is asked what is due.
final class Rounds {
  private let owners: Owners
  private let signals: SignalSource
  private var start = StartOrder()
  private var hasSaidStart = false
  private var hasForgottenStart = false

  private var loop: Loop { owners.base.loop }

  init(_ owners: Owners, _ signals: consuming SignalSource) throws(SystemError) {
    self.owners = owners
    self.signals = signals
    try owners.base.loop.poller.watch(self.signals.number, Token.signals, .read)
  }

  /// Waits for something to happen and gives it to whom it concerns; asks what is due.
  func go() {
    waitAndHandle()
    owners.stopping.beginIfAsked()
    if loop.isDue { tend() }
  }

  private func waitAndHandle() {
    let isAlwaysReady = owners.input.isAlwaysReady
    let count = isAlwaysReady ? loop.look() : loop.wait(orUntil: owners.distribution.nextLook)
    for index in 0..<count {
      let (token, interest) = loop.poller.event(index)
      handle(Token(word: token), interest)
    }
    if isAlwaysReady || owners.distribution.nextLook.map({ loop.now >= $0 }) ?? false {
      owners.input.read()
    }
    owners.input.awaitSource()
  }

  private func handle(_ token: Token, _ interest: Interest) {
    switch token {
    case .source: owners.input.read()
    case .signals: takeSignals()
    case .pluginInput(let id):
      owners.plugins.inputIsReady(id, interest)
      // A replay may have waited for just this plugin.
      owners.input.unpauseIfPossible()
    case .pluginEnd(let id): owners.plugins.hearEnd(id)
    case .pluginStart(let id): owners.plugins.hearStart(id)
    case .starter: owners.plugins.supervisor.hearStarter()
    case .straggler(let id): owners.plugins.supervisor.hearStraggler(id)
    case .pluginOutput(let id): owners.plugins.hearOutput(id)
    case .passedOutput(let id): owners.plugins.output.pass(id)
    case .outputSink: owners.plugins.output.hearSink()
    case .spool: owners.durable.hear()
    case .loading: owners.control.configurationIsRead()
    case .receiver: owners.remote?.read()
    case .receiverOutput: owners.remote?.receiver.readOutput()
    case .keeper: hearKeeper()
    case .folder: hearFolder()
    case .node: owners.lateNode.hear()
    case .front: owners.inputs.hearFront(take)
    case .control: owners.control.accept()
    case .client(let id): owners.control.handle(id, interest)
    case .helperOutput: owners.input.readHelperOutput()
    }
  }

  private func takeSignals() { while let signal = signals.next() { take(signal) } }

  private func take(_ signal: Int32) {
    switch signal {
    case SIGTERM, SIGINT: owners.stopping.begin("signal \(signal)")
    case SIGHUP: owners.control.reload()
    case SIGUSR2: owners.plugins.supervisor.resumeAll()
    case SIGCONT, SIGUSR1: owners.control.writeState()
    default: break  // SIGCHLD: the pidfds tell.
    }
  }

  /// Something was done in the runtime folder.
  private func hearFolder() {
    for news in owners.base.runtime.hear() {
      if case .listed(let child) = news {
        owners.plugins.supervisor.listed(child)
      } else {
        owners.control.hear(news)
      }
    }
    if !owners.base.runtime.isOurs { loop.wakeAll() }
  }

  private func hearKeeper() {
    let isThere = owners.custody.hearKeeper { news in
      switch news {
      case .ended(let child): owners.durable.predecessorsChildEnded(child)
      case .front(let link): owners.inputs.meet(link)
      case .input(let handed): owners.inputs.came(handed)
      }
    }
    if !isThere { owners.inputs.keeperIsGone() }
  }

  /// Asks each whose moment has come what is due.
  func tend() {
    let due = loop.takeDue()
    if due.contains(.start) { forgetStart() }
    if due.contains(.claim) { owners.claim.tend() }
    if due.contains(.plugins) { owners.plugins.tend() }
    if due.contains(.start) { finishStart() }
    if due.contains(.custody) { tendCustody() }
    if due.contains(.durable) { owners.durable.tend() }
    if due.contains(.stopping) { owners.stopping.finishReplay() }
    if due.contains(.input) { owners.input.tend() }
    if due.contains(.nextInputs) { owners.inputs.tend() }
    if due.contains(.remote) { owners.remote?.tend() }
    if due.contains(.distribution) { owners.distribution.forgetHistoryWhenIdle() }
    if due.contains(.control) { owners.control.tend() }
    if due.contains(.overflows) { owners.overflows.tend() }
    owners.stopping.beginIfAsked()
    if due.contains(.stopping) { owners.stopping.advance() }
    if due.contains(.service) { owners.service?.tend() }
    if due.contains(.everybody) { tendQueues() }
    owners.base.journal.trim()
  }

  private func tendCustody() {
    owners.custody.tend()
    if start.isFinished { owners.custody.keep { InForce(owners.base) } }
  }

  /// As long as records wait everybody looks after them.
  private func tendQueues() {
    if owners.base.plugins.all.contains(where: { !$0.subscription.isEmpty }) { loop.wakeAllSoon() }
  }

  /// Does what no plugin's first record waits for.
  private func finishStart() {
    let step = start.step(
      ownsFolder: owners.base.runtime.isOurs, launches: owners.plugins.supervisor.hasLaunches,
      loop.now)
    switch step {
    case .wait(let until): return loop.wake(.start, at: until)
    case .finish:
      owners.control.open()
      tendCustody()
    case .nothing: break
    }
    // The first message makes a thread.
    guard !hasSaidStart else { return }
    hasSaidStart = true
    let active = owners.base.plugins.all.count
    loop.say(
      .info, "reading from \(owners.input.name), \(counted(active, "active plugin"))")
  }

  /// A moment after the start most of what was needed for it is not needed again.
  private func forgetStart() {
    guard !hasForgottenStart, loop.hasCome(loop.started + .milliseconds(300), .start) else {
      return
    }
    hasForgottenStart = true
    forgetStartingCode()
  }
}
