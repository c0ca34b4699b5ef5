public import Configuration
import Glibc
import Journal
public import Linux

/// The dispatcher: one event loop, without locks, over a source, the journal, the plugins and the
/// control socket. It never waits for a plugin.
///
/// Puts the owners together, gives each what its descriptors have, and asks each what is due.
public final class Dispatcher {
  public static let version = Release.version

  private let base: Base
  private let signals: SignalSource
  private let claim: RuntimeClaim
  private let custody: Custody
  private let overflows: OverflowActions
  private let durable: DurableQueues
  private let plugins: PluginHost
  private let distribution: Distribution
  private let input: Input
  private let remote: RemoteInput?
  private let inputs: NextInputs
  private let control: Control
  private let service: ServiceReport?
  private let stopping: Stopping
  private var start = StartOrder()
  private var hasSaidStart = false
  private var hasForgottenStart = false

  /// Opens what does not depend on the runtime folder; reads nothing yet.
  ///
  /// - Parameter arguments: of this process, with which another one reads the configuration again.
  /// - Parameter starter: what is to start the plugins, made while this process was small; `nil`: one
  ///   is executed when it is needed.
  public init(
    configuration inForce: InForce, legacy: Legacy, starter: consuming Starter?,
    arguments: [String]
  ) throws {
    let loop = try Loop()
    signals = try SignalSource([
      SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT, SIGCHLD,
    ])
    let supply = try SourceSupply(inForce.daemon, node: inForce.node)
    let holder = legacy.holder
    let manager = legacy.service
    // First: the manager is to keep nothing longer that is not taken here.
    let runtime = RuntimeFolder(
      path: inForce.daemon.runtimeDirectory,
      lock: holder?.takeLock() ?? manager?.takeInherited(ServiceLink.lock))
    let heldMemory = supply.origin == .standardInput ? holder?.memory : nil
    let survivor = try heldMemory ?? Survivor(held: Custody.takeMemory(manager, supply))
    let predecessor = Predecessor(survivor)
    let sockets = Custody.takeSockets(manager, of: predecessor)
    let journal = Journal(
      node: inForce.node, firstRecord: predecessor?.settled.record ?? Ledger.firstRecord,
      firstEvent: predecessor?.nextEvent ?? Ledger.firstEvent)
    let source = supply.makeSource(survivor, predecessor)
    base = Base(
      loop: loop, settings: Settings(inForce), ending: Ending(), runtime: runtime,
      journal: journal, source: source, plugins: PluginTable(journal, node: inForce.node))
    let link = ServiceLink(manager, supply, loop)
    let ledger = Ledger(base, survivor, predecessor)
    custody = Custody(loop, holder: holder, manager: link, sockets: sockets)
    let delivery = Delivery(base, survivor, isBehindAuditd: supply.isAuditd)
    overflows = OverflowActions(base)
    durable = DurableQueues(base, ledger, custody, delivery, overflows)
    plugins = PluginHost(base, ledger, custody, delivery, overflows, durable, starter)
    let desk = ControlDesk(base, custody)
    claim = RuntimeClaim(base: base, custody: custody, durable: durable)
    distribution = Distribution(base, ledger, delivery, overflows, durable, desk)
    input = Input(base, supply, ledger, durable, distribution, link)
    remote = RemoteInput(base, ledger, durable, distribution, input)
    let reloading = Reloading(
      base, custody, durable, plugins.supervisor, desk, remote, link, arguments: arguments)
    control = Control(
      base: base, desk: desk, reloading: reloading,
      status: Status(
        base: base, supply: supply, ledger: ledger, durable: durable, control: desk,
        remote: remote),
      supervisor: plugins.supervisor, durable: durable)
    inputs = NextInputs(base, custody, ledger, input, control)
    service = ServiceReport(base, supply, input, link)
    stopping = Stopping(
      base: base, custody: custody, ledger: ledger, durable: durable, host: plugins, input: input,
      remote: remote, service: link, readsStandardInput: supply.origin == .standardInput)
    try loop.poller.watch(signals.number, Token.signals, .read)
    for plugin in inForce.active { plugins.supervisor.add(plugin) }
    durable.openLeft()
    TakeOver(
      base: base, ledger: ledger, custody: custody, durable: durable, input: input
    ).run()
  }

  /// Runs until the source has ended or a signal stops it.
  ///
  /// - Returns: the exit status: 0, or 3 when a replay could not give every plugin everything.
  public func run() -> Int32 {
    let loop = base.loop
    let ending = base.ending
    Pause.makeFine()
    input.open()
    custody.inputIsOpen()
    stopping.beginIfAsked()
    tend()
    while !ending.isDone {
      waitAndHandle(loop)
      stopping.beginIfAsked()
      if loop.isDue { tend() }
    }
    durable.close()
    custody.end()
    control.writeState()
    base.runtime.leave()
    loop.finishMessages()
    let status: Int32 = ending.isIncomplete ? 3 : 0
    inputs.tellFront(status)
    return status
  }

  // MARK: The loop

  private func waitAndHandle(_ loop: Loop) {
    let isAlwaysReady = input.isAlwaysReady
    let count = isAlwaysReady ? loop.look() : loop.wait(orUntil: distribution.nextLook)
    for index in 0..<count {
      let (token, interest) = loop.poller.event(index)
      handle(token, interest)
    }
    if isAlwaysReady || distribution.nextLook.map({ loop.now >= $0 }) ?? false { input.read() }
    input.awaitSource()
  }

  private func handle(_ token: UInt64, _ interest: Interest) {
    let number = Token.number(token)
    switch Token.kind(token) {
    case Token.source: input.read()
    case Token.signals: takeSignals()
    case Token.pluginInput:
      plugins.inputIsReady(number, interest)
      // A replay may have waited for just this plugin.
      input.unpauseIfPossible()
    case Token.pluginEnd: plugins.hasEnded(number)
    case Token.pluginStart: plugins.hasStarted(number)
    case Token.starter: plugins.supervisor.hearStarter()
    case Token.straggler: plugins.supervisor.hearStraggler(number)
    case Token.pluginOutput: plugins.hasPrinted(number)
    case Token.passedOutput: plugins.output.pass(number)
    case Token.outputSink: plugins.output.hearSink()
    case Token.spool: durable.hear()
    case Token.loading: control.configurationIsRead()
    case Token.receiver: remote?.read()
    case Token.receiverOutput: remote?.receiver.readOutput()
    case Token.holder: hearHolder()
    case Token.front: inputs.hearFront(take)
    case Token.control: control.accept()
    case Token.client: control.handle(number, interest)
    case Token.helperOutput: input.readHelperOutput()
    default: preconditionFailure("a token that was never given out")
    }
  }

  private func takeSignals() { while let signal = signals.next() { take(signal) } }

  private func take(_ signal: Int32) {
    switch signal {
    case SIGTERM, SIGINT: stopping.begin("signal \(signal)")
    case SIGHUP: control.reload()
    case SIGUSR2: plugins.supervisor.resumeAll()
    case SIGCONT, SIGUSR1: control.writeState()
    default: break  // SIGCHLD: the pidfds tell.
    }
  }

  private func hearHolder() {
    let isThere = custody.hearHolder { news in
      switch news {
      case .ended(let child): durable.predecessorsChildEnded(child)
      case .front(let link): inputs.meet(link)
      case .input(let handed): inputs.came(handed)
      }
    }
    if !isThere { inputs.keeperIsGone() }
  }

  /// Asks everybody what is due because time has passed.
  private func tend() {
    base.loop.beginRound()
    forgetStart()
    claim.tend()
    plugins.tend()
    finishStart()
    custody.tend()
    if start.isFinished { custody.keep { InForce(base) } }
    durable.tend()
    stopping.finishReplay()
    input.tend()
    inputs.tend()
    remote?.tend()
    input.unpauseIfPossible()
    distribution.forgetHistoryWhenIdle()
    control.tend()
    overflows.tend()
    stopping.beginIfAsked()
    stopping.advance()
    service?.tend()
    if base.plugins.all.contains(where: { !$0.subscription.isEmpty }) { base.loop.wakeSoon() }
    base.journal.trim()
  }

  /// Does what no plugin's first record waits for.
  private func finishStart() {
    let step = start.step(
      ownsFolder: base.runtime.isOurs, launches: plugins.supervisor.hasLaunches, base.loop.now)
    switch step {
    case .wait(let until): return base.loop.wake(at: until)
    case .finish: control.open()
    case .nothing: break
    }
    // The first message makes a thread.
    guard !hasSaidStart else { return }
    hasSaidStart = true
    let active = base.plugins.all.count
    base.loop.say(
      .info, "reading from \(input.name), \(active) active plugin\(active == 1 ? "" : "s")")
  }

  /// A moment after the start most of what was needed for it is not needed again.
  private func forgetStart() {
    guard !hasForgottenStart, base.loop.hasCome(base.loop.started + .milliseconds(300)) else {
      return
    }
    hasForgottenStart = true
    forgetStartingCode()
  }
}

extension Dispatcher {
  /// Whether a plugin of a dispatcher with the same runtime folder has started this process.
  public static func wouldServeItself(_ configuration: DaemonConfiguration) -> Bool {
    RuntimeFolder.isServing(configuration.runtimeDirectory)
  }

  /// What records that name no node are given as theirs: waits for a name server for a second at
  /// most, and then says what is used in its place.
  public static func node(
    by configuration: DaemonConfiguration
  ) throws -> (name: String?, problem: String?) { try NodeLookup.node(by: configuration) }

  /// The file that this process was started from.
  public static var executable: String { Installed.executable }

  /// Whether a descriptor of that name, which a service manager kept, has a meaning.
  public static func knowsDescriptor(named name: String) -> Bool { ServiceLink.knows(name) }
}

extension InForce {
  /// What is in force now, for a successor.
  fileprivate init(_ base: Base) {
    self.init(
      daemon: base.settings.daemon,
      active: base.plugins.all.filter { !$0.lifecycle.isBeingRemoved }.map(\.configuration),
      inactive: base.settings.inactive, node: base.settings.node)
  }
}
