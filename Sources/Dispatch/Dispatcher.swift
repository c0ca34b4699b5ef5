public import Configuration
import Glibc
import Journal
public import Linux

/// The dispatcher: one event loop, without locks, over a source, the journal, the plugins and the
/// control socket. It waits for a plugin 2 ms at most, and 1 % of its time
/// (`Distribution.letRead`).
///
/// Puts the owners together; `Rounds` gives each what its descriptors have, and asks whose moment has come.
public final class Dispatcher {
  public static let version = Release.version

  private let owners: Owners
  private let rounds: Rounds

  /// Opens what does not depend on the runtime folder; reads nothing yet.
  ///
  /// - Parameter node: what the configuration in force has as the node's name, if it was looked for now.
  /// - Parameter arguments: of this process, with which another one reads the configuration again.
  /// - Parameter starter: what is to start plugins and helpers, made while this process was small; `nil`: one
  ///   is executed when it is needed.
  public init(
    configuration inForce: InForce, node: NodeAtStart?, legacy: Legacy,
    starter: consuming Starter?, arguments: [String]
  ) throws {
    let loop = try Loop()
    let signals = try SignalSource([
      SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT, SIGCHLD,
    ])
    let supply = try SourceSupply(inForce.daemon, node: inForce.node)
    let keeper = legacy.keeper
    let manager = legacy.service
    // First: the manager is to keep nothing longer that is not taken here.
    let runtime = try RuntimeFolder(
      path: inForce.daemon.runtimeDirectory,
      lock: keeper?.takeLock() ?? manager?.takeInherited(ServiceLink.lock), line: keeper?.takeLine()
    )
    try loop.poller.watch(runtime.number, Token.folder, .read)
    let heldMemory = supply.origin == .standardInput ? keeper?.memory : nil
    let survivor = try heldMemory ?? Survivor(held: Custody.takeMemory(manager, supply))
    let predecessor = Predecessor(survivor)
    let sockets = Custody.takeSockets(manager, of: predecessor)
    let journal = Journal(
      node: inForce.node, firstRecord: predecessor?.settled.record ?? Ledger.firstRecord,
      firstEvent: predecessor?.nextEvent ?? Ledger.firstEvent)
    let source = supply.makeSource(survivor, predecessor)
    let base = Base(
      loop: loop, starting: StarterLink(loop, starter), settings: Settings(inForce),
      ending: Ending(), runtime: runtime, journal: journal, source: source,
      plugins: PluginTable(journal, node: inForce.node))
    let link = ServiceLink(manager, supply, loop)
    let ledger = Ledger(base, survivor, predecessor)
    let custody = Custody(loop, keeper: keeper, manager: link, sockets: sockets)
    let delivery = Delivery(base, ledger, isBehindAuditd: supply.isAuditd)
    let overflows = OverflowActions(base)
    let remoteMemory =
      inForce.daemon.remoteSources.isEmpty ? nil : try RemoteMemory(in: survivor)
    let durable = DurableQueues(
      base, ledger, custody, delivery, overflows, senders: remoteMemory?.senders)
    let plugins = PluginHost(base, ledger, custody, delivery, overflows, durable)
    let desk = ControlDesk(base, custody)
    let claim = RuntimeClaim(base: base, custody: custody, durable: durable)
    let distribution = Distribution(base, ledger, delivery, overflows, durable, desk)
    let input = Input(base, supply, ledger, durable, distribution, link)
    let remote = RemoteInput(base, remoteMemory, ledger, durable, distribution, input)
    let reloading = Reloading(
      base, custody, durable, plugins.supervisor, desk, remote, link, arguments: arguments)
    let control = Control(
      base: base, desk: desk, reloading: reloading,
      status: Status(
        base: base, supply: supply, ledger: ledger, durable: durable, control: desk,
        remote: remote),
      supervisor: plugins.supervisor, durable: durable)
    let inputs = NextInputs(base, custody, ledger, input, control)
    let service = ServiceReport(base, supply, input, link)
    let stopping = Stopping(
      base: base, custody: custody, ledger: ledger, durable: durable, host: plugins, input: input,
      remote: remote, service: link, readsStandardInput: supply.origin == .standardInput)
    let lateNode = try LateNode(
      base, custody, remote, supply.origin == .kernel ? nil : node?.lookup)
    owners = Owners(
      base: base, claim: claim, custody: custody, overflows: overflows, durable: durable,
      plugins: plugins, distribution: distribution, input: input, remote: remote, inputs: inputs,
      control: control, service: service, lateNode: lateNode, stopping: stopping)
    rounds = try Rounds(owners, signals)
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
    let base = owners.base
    Pause.makeFine()
    owners.input.open()
    owners.custody.inputIsOpen()
    owners.stopping.beginIfAsked()
    rounds.tend()
    while !base.ending.isDone { rounds.go() }
    owners.durable.close()
    owners.custody.end()
    owners.control.writeState()
    base.runtime.leave()
    base.loop.finishMessages()
    let status: Int32 = base.ending.isIncomplete ? 3 : 0
    owners.inputs.tellFront(status)
    return status
  }
}

extension Dispatcher {
  /// Whether a plugin of a dispatcher with the same runtime folder has started this process.
  public static func wouldServeItself(_ configuration: DaemonConfiguration) -> Bool {
    RuntimeFolder.isServing(configuration.runtimeDirectory)
  }

  /// What records that name no node are given as theirs: waits for a name server for 20 ms at most where
  /// somebody writes to us, and else for a second.
  public static func node(by configuration: DaemonConfiguration) -> NodeAtStart {
    NodeLookup.start(by: configuration)
  }

  /// The file that this process was started from.
  public static var executable: String { Installed.executable }

  /// Whether a descriptor of that name, which a service manager kept, has a meaning.
  public static func knowsDescriptor(named name: String) -> Bool { ServiceLink.knows(name) }
}
