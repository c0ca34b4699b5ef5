import AuditRecord
public import Configuration
import Glibc
import Journal
import Linux

/// The dispatcher: one event loop, without locks, over a source, the journal, the plugins and the
/// control socket. It never waits for a plugin.
public final class Dispatcher {
  public static let version = Release.version

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

  let loader: @Sendable () -> LoadedConfiguration
  /// The configuration is being read, for those who asked.
  var loading: Loading?
  var configuration: DaemonConfiguration
  var inactive: [PluginConfiguration] = []
  /// Whoever outlives this process has what is in force.
  var isInForceKept = false
  var plugins: [Plugin] = []
  var nextID: UInt32 = 0
  let journal: Journal
  let node: String?
  var source: Source
  var intake: SourceSupply
  /// Where other hosts' records come from, if they do.
  let remote: RemoteSources?
  var poller: Poller
  let signals: SignalSource
  var control: ControlServer?
  /// There is none yet: when it is tried again, and why that failed last.
  var controlRetry: (at: Moment, reason: String)?
  var runtime: RuntimeFolder
  /// That a predecessor's plugins are waited for was said.
  var saidOrphans = false
  var messages: Messages
  var refusalReport = RateLimit(every: .seconds(10))
  var malformedReport = RateLimit(every: .seconds(10))
  var ending = Shutdown()
  var now = Moment.now
  let started = Moment.now
  var hasForgottenStart = false
  /// Records and events are counted from here, so that there is room below for what a spool has.
  static let firstRecord = RecordNumber(1 << 62)
  static let firstEvent = EventNumber(1 << 62)
  var durable: DurableQueues?
  /// What a successor needs, should this process die.
  let survivor: Survivor
  var holder: HolderLink?
  /// Inputs that other fronts bring, behind the one that is read.
  var inputs: NextInputs
  let predecessor: Predecessor?
  /// Of a predecessor's children, which a service manager kept, by their numbers.
  var keptSockets: [UInt64: ChildSockets]
  /// Events begun by predecessors.
  var eventsBefore: UInt64 = 0
  var nextChild: UInt64 = 0
  /// Plugins that are added go on with what a predecessor had for them.
  var isTakingOver = true
  /// The number of the first record that came to this process.
  var ownFirst = Dispatcher.firstRecord
  /// Plugins are started until then, and again in the next turn of the loop.
  var startsUntil = Moment(nanoseconds: 0)
  /// When `housekeeping` is due.
  var nextTick = Moment.now
  var scratch: [UInt8] = []
  var random = SystemRandomNumberGenerator()
  /// What plugins that confirm know their gap records by: nobody else has it.
  let gapWord = String(UInt64.random(in: .min ... .max), radix: 36)
  /// Children that are neither plugins nor a source: what `single` and `halt` executed.
  var actions: [ActionChild] = []
  /// What plugins print, on its way.
  var passing = Passing()
  /// The file that a replay reads.
  var replayed: ReplayedFile?
  /// No plugin can ever be started.
  var isHopeless = false
  /// Reading was paused because a plugin of a replay has no room.
  var isPaused = false
  var gathering: Gathering
  var openEvents = OpenEvents()
  var service: ServiceLink?
  var grace = Grace()

  /// Opens what does not depend on the runtime folder; reads nothing yet.
  public init(
    configuration inForce: InForce, legacy: Legacy,
    loader: @escaping @Sendable () -> LoadedConfiguration
  ) throws {
    self.loader = loader
    let manager = legacy.service
    configuration = inForce.daemon
    messages = Messages(program: "audispatchd", neverWaits: true)
    poller = try Poller()
    signals = try SignalSource([
      SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT, SIGCHLD,
    ])
    node = inForce.node
    intake = try SourceSupply(inForce.daemon, node: node)
    remote = RemoteSources(inForce.daemon, node: node)
    gathering = Gathering(
      longest: intake.canWait ? .zero : inForce.daemon.latencyMax, now: .now)
    holder = legacy.holder
    inputs = NextInputs(legacy.holder?.waitForNext)
    // First: the manager is to keep nothing longer that is not taken here.
    runtime = RuntimeFolder(
      path: inForce.daemon.runtimeDirectory,
      lock: holder?.takeLock() ?? manager?.takeInherited(ServiceLink.lock))
    let heldMemory = intake.origin == .standardInput ? holder?.memory : nil
    survivor = try heldMemory ?? Survivor(held: Self.takeKept(manager, intake))
    predecessor = Predecessor(survivor)
    keptSockets = Self.takeSockets(manager, of: predecessor)
    journal = Journal(
      node: node, firstRecord: predecessor?.settled.record ?? Self.firstRecord,
      firstEvent: predecessor?.nextEvent ?? Self.firstEvent)
    source = intake.makeSource(survivor, predecessor)
    try poller.watch(signals.number, Token.signals, .read)
    inactive = inForce.inactive
    for plugin in inForce.active { add(plugin) }
    makeServiceLink(manager)
    openLeftSpool()
    takeOver()
  }

  /// Runs until the source has ended or a signal stops it.
  ///
  /// - Returns: the exit status: 0, or 3 when a replay could not give every plugin everything.
  public func run() -> Int32 {
    Pause.makeFine()
    let active = plugins.count
    say(
      .info, "reading from \(intake.description), \(active) active plugin\(active == 1 ? "" : "s")")
    openSource()
    holder?.ready()
    housekeeping()
    while !ending.isDone {
      waitAndHandle()
      if now >= nextTick { housekeeping() }
    }
    closeSpool()
    service?.forgetMemory()
    writeState()
    runtime.leave()
    messages.finish()
    return tellFront(ending.isIncomplete ? 3 : 0)
  }

  func say(_ severity: Severity, _ text: String) { messages.write(severity, text) }

  // MARK: The loop

  private func waitAndHandle() {
    let alwaysReady = sourceIsReadable && !source.isPolled && !isPaused
    var timeout: Int64 = 0
    if !alwaysReady {
      let due = min(nextTick, gathering.nextLook ?? nextTick)
      timeout = max(0, due.nanoseconds - Moment.now.nanoseconds)
    }
    let count = poller.wait(nanoseconds: timeout)
    now = Moment.now
    for index in 0..<count {
      let (token, interest) = poller.event(index)
      handle(token, interest)
    }
    if alwaysReady || gathering.nextLook.map({ now >= $0 }) ?? false { readSource() }
    awaitSource()
  }

  private func handle(_ token: UInt64, _ interest: Interest) {
    let number = Token.number(token)
    switch Token.kind(token) {
    case Token.source: readSource()
    case Token.signals: handleSignals()
    case Token.pluginInput:
      if let plugin = plugin(number) {
        if interest.contains(.read) { readConfirmations(plugin) }
        if !interest.isDisjoint(with: [.write, .ended]) { becameWritable(plugin) }
      }
    case Token.pluginEnd:
      if let plugin = plugin(number) { childEnded(plugin) }
    case Token.pluginOutput:
      if let plugin = plugin(number) { readOutput(plugin) }
    case Token.passedOutput: if let output = passing.output(number) { pass(output) }
    case Token.outputSink: hearSink()
    case Token.spool: handleSpool()
    case Token.loading: finishLoading()
    case Token.receiver: readReceiver()
    case Token.receiverOutput: readReceiverOutput()
    case Token.holder: hearHolder()
    case Token.front: hearFront()
    case Token.control: acceptClients()
    case Token.client: handleClient(number, interest)
    case Token.helperOutput: readHelperOutput()
    default: preconditionFailure("a token that was never given out")
    }
  }

  func plugin(_ id: UInt32) -> Plugin? { plugins.first { $0.id == id } }

  /// Makes `housekeeping` happen at that moment at the latest.
  func scheduleTick(_ moment: Moment) { if moment < nextTick { nextTick = moment } }

  /// Makes `housekeeping` happen within a second.
  func scheduleTickSoon() {
    scheduleTick(Moment(nanoseconds: now.nanoseconds + 1_000_000_000))
  }

  private func handleSignals() {
    while let signal = signals.next() { handleSignal(signal) }
  }

  func handleSignal(_ signal: Int32) {
    switch signal {
    case SIGTERM, SIGINT: beginStop("signal \(signal)")
    case SIGHUP: load(.reload, for: nil)
    case SIGUSR2: resumeAll()
    case SIGCONT, SIGUSR1: writeState()
    default: break  // SIGCHLD: the pidfds tell.
    }
  }
}
