import Configuration
import Glibc
import Journal
import Linux

/// Makes plugins' processes, with all that belongs to them: by a process that starts them, so that
/// nothing here waits for what a plugin's path or its confinement's paths lie on.
final class PluginStarter: Owner {
  /// What is known of a plugin's child now.
  enum News {
    case runs
    case failed(StartAttempt.Failure)
    /// What was to make it is gone, and has not.
    case notMade
    /// It was killed before it had become its program, and is gone.
    case isGone
  }

  /// With so many processes of a plugin that do not end no further one is made.
  static let mostLeftBehind = 8

  let base: Base
  private let ledger: Ledger
  private let custody: Custody
  private let output: PluginOutput
  private let link: StarterLink
  private let stragglers: Stragglers
  private var launches: [PluginID: Launch] = [:]
  /// Of plugins whose last child was given up: the straggler that it is.
  private var awaited: [PluginID: Stragglers.ID] = [:]
  private var asked: UInt32 = 0
  /// Somebody was to be started when the starter had no room.
  private var hasRefused = false
  /// What plugins that confirm know their gap records by: nobody else has it.
  private let gapWord = String(UInt64.random(in: .min ... .max), radix: 36)

  init(
    _ base: Base, _ ledger: Ledger, _ custody: Custody, _ output: PluginOutput
  ) {
    self.base = base
    self.ledger = ledger
    self.custody = custody
    self.output = output
    link = base.starting
    stragglers = Stragglers(base.loop)
  }

  /// Whether a child is on its way.
  var hasLaunches: Bool { !launches.isEmpty }

  // MARK: Asking

  /// Asks for a plugin's process.
  ///
  /// - Returns: `false`: not now.
  func launch(_ plugin: Plugin) throws -> Bool {
    guard link.mayBeAsked(), !link.owesEnd else { return refuse() }
    guard !plugin.hasTooManyLeftBehind else {
      loop.wake(.plugins, in: .seconds(1))
      return false
    }
    let configuration = plugin.configuration
    plugin.subscription.confirms = configuration.confirms
    plugin.subscription.setGapMark(configuration.confirms ? gapWord : nil)
    var confinement = configuration.confinement
    confinement.isOrdinary = true
    asked &+= 1
    let launch = try Launch(
      LaunchNumber(asked, of: plugin.id),
      StartRequest(
        path: configuration.path, arguments: configuration.arguments,
        environment: environment(of: plugin), confinement: confinement),
      of: configuration, passed: try output.prepare(for: plugin))
    switch launch.ask(link) {
    case .taken: break
    case .busy: return refuse()
    case .failed(let cause):
      throw SpawnError(path: configuration.path, stage: "hand it to its starter", cause: cause)
    }
    launches[plugin.id] = launch
    awaited[plugin.id] = nil
    return true
  }

  private func refuse() -> Bool {
    hasRefused = true
    loop.wake(.plugins, in: .seconds(1))
    return false
  }

  private func environment(of plugin: Plugin) -> [String] {
    var environment = [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "AUDISPATCH_PLUGIN=\(plugin.name)", "AUDISPATCH_VERSION=\(Dispatcher.version)",
      "\(RuntimeFolder.variable)=\(runtime.path)",
      "AUDISPATCH_OUTPUT=\(plugin.configuration.output.rawValue)",
    ]
    environment += room(for: plugin)
    if let hosts = Self.hosts(of: plugin, settings.daemon) {
      environment.append("AUDISPATCH_HOSTS=\(hosts)")
    }
    if plugin.configuration.confirms {
      environment.append("AUDISPATCH_FIRST=\(plugin.subscription.firstNumber.value)")
      environment.append("AUDISPATCH_GAP=\(gapWord)")
    }
    return environment
  }

  /// Whether what other hosts send is among its records, and told apart from this host's own; `nil`: none
  /// sends any.
  private static func hosts(of plugin: Plugin, _ daemon: DaemonConfiguration) -> String? {
    if daemon.remoteSources.isEmpty { return nil }
    if plugin.configuration.hosts == .own { return "own" }
    return daemon.remote.nodePolicy == .accept ? "mixed" : "marked"
  }

  /// What may wait for it here, so that it can say how long that lasts: in memory also of a durable
  /// one, while the log takes nothing.
  private func room(for plugin: Plugin) -> [String] {
    guard let bound = plugin.subscription.memoryBound else {
      return [
        "AUDISPATCH_QUEUE_BYTES=\(plugin.configuration.spoolBytes)",
        "AUDISPATCH_SPOOL=\(settings.daemon.spoolDirectory)",
      ]
    }
    return [
      "AUDISPATCH_QUEUE_BYTES=\(bound.bytes)", "AUDISPATCH_QUEUE_RECORDS=\(bound.records)",
    ]
  }

  // MARK: Hearing

  /// Takes the starter's answers: children that are there go on.
  func hear(_ body: (Plugin, News) -> Void) {
    while true {
      switch link.receive() {
      case .child(let number, let process): take(consume process, LaunchNumber(number), body)
      case .failed(let number, let cause):
        guard let (plugin, launch) = launch(LaunchNumber(number)) else { continue }
        fail(plugin, launch, cause, body)
      case .nothing: return goOnAsking()
      case .ended:
        failUnanswered(body)
        return goOnAsking()
      }
    }
  }

  private func goOnAsking() {
    if hasRefused { loop.wakeAll() }
    hasRefused = false
  }

  private func launch(_ number: LaunchNumber) -> (Plugin, Launch)? {
    guard let launch = launches[number.plugin], launch.number == number,
      let plugin = plugins[number.plugin]
    else { return nil }
    return (plugin, launch)
  }

  private func take(
    _ process: consuming ChildProcess, _ number: LaunchNumber, _ body: (Plugin, News) -> Void
  ) {
    guard let (plugin, launch) = launch(number) else {
      // It was given up, knows that by its socket, and ends.
      process.endNow()
      return
    }
    launch.take(process)
    guard loop.poller.add(launch.pidfd, .pluginEnd(plugin.id), .read),
      loop.poller.add(launch.reportNumber, .pluginStart(plugin.id), .read)
    else { return fail(plugin, launch, .current, body) }
    // Before it does anything: should this process die, its successor knows whom to wait for.
    if !runtime.started(plugin.name, launch.pid, number) { launch.go() }
  }

  /// The list of children has one that is there.
  func listed(_ number: LaunchNumber) { launch(number)?.1.go() }

  private func failUnanswered(_ body: (Plugin, News) -> Void) {
    for (id, launch) in launches where launch.pid < 0 {
      launches[id] = nil
      if let plugin = plugins[id] { body(plugin, .notMade) }
    }
  }

  private func fail(
    _ plugin: Plugin, _ launch: Launch, _ cause: Errno, _ body: (Plugin, News) -> Void
  ) {
    letGo(launch, of: plugin)
    let error = SpawnError(path: launch.request.path, stage: "clone", cause: cause)
    body(plugin, .failed(StartAttempt.Failure(error)))
  }

  /// A child has become its program, or could not; `nil`: neither.
  func news(of plugin: Plugin) -> News? {
    guard let launch = launches[plugin.id], launch.pid > 0 else { return nil }
    switch launch.outcome {
    case nil: return nil
    case .runs: return .runs
    case .failed(let failure):
      letGo(launch, of: plugin)
      return .failed(failure)
    }
  }

  /// A straggler may have ended.
  func hearStraggler(_ id: Stragglers.ID, _ body: (Plugin, News) -> Void) {
    guard let number = stragglers.takeEnded(id) else { return }
    let isAwaited = awaited[number] == id
    if isAwaited { awaited[number] = nil }
    guard let plugin = plugins[number] else { return }
    plugin.leaves(behind: stragglers.leftBehind(of: number))
    if isAwaited { body(plugin, .isGone) }
  }

  // MARK: Giving up

  /// Kills a child that is on its way.
  ///
  /// - Returns: whether its end is to be waited for: it may be its program already.
  func abandon(_ plugin: Plugin) -> Bool {
    guard let launch = launches[plugin.id] else { return false }
    let isThere = launch.pid > 0
    letGo(launch, of: plugin)
    return isThere
  }

  /// A starter that has not even answered in time is another's place, for all that it was asked.
  func giveUpStarter(ifSilentOn plugin: Plugin, _ body: (Plugin, News) -> Void) {
    guard let launch = launches[plugin.id], launch.pid < 0 else { return }
    launches[plugin.id] = nil
    link.giveUp()
    failUnanswered(body)
  }

  private func letGo(_ launch: Launch, of plugin: Plugin) {
    launches[plugin.id] = nil
    guard launch.pid > 0 else { return }
    loop.poller.remove(launch.pidfd)
    loop.poller.remove(launch.reportNumber)
    runtime.ended(plugin.name)
    guard let process = launch.takeProcess() else { return }
    awaited[plugin.id] = stragglers.add(process, of: plugin)
  }

  /// Says which children that were given up do not end, and of a starter that was, that it is gone.
  func tend(_ body: (Plugin, News) -> Void) {
    if link.owesEnd { hear(body) }
    for id in stragglers.unwatched { hearStraggler(id, body) }
    for id in stragglers.tend() {
      guard let plugin = plugins[id] else { continue }
      plugin.leaves(behind: stragglers.leftBehind(of: id))
      if plugin.hasTooManyLeftBehind {
        loop.say(
          .error,
          "plugin \(plugin.name): \(Self.mostLeftBehind) processes of it do not end: no further one is "
            + "started until one does")
      }
    }
  }

  // MARK: A child that runs

  /// The child, which the plugin does not have yet.
  func take(_ plugin: Plugin) throws(SystemError) -> PluginChild? {
    guard let launch = launches.removeValue(forKey: plugin.id) else { return nil }
    loop.poller.remove(launch.reportNumber)
    let child = launch.child(
      plugin.slot.map { _ in custody.nextChild(ledger.survivor.generation) })
    try watch(child, of: plugin)
    return child
  }

  /// Its end is waited for already.
  private func watch(_ child: PluginChild, of plugin: Plugin) throws(SystemError) {
    do throws(SystemError) {
      try loop.poller.watch(child.outputNumber, .pluginOutput(plugin.id), .read)
      if child.canConfirm {
        try loop.poller.watch(child.inputNumber, .pluginInput(plugin.id), .read)
      }
    } catch {
      child.process.endNow(within: .seconds(1))
      loop.poller.remove(child.process.pidfd)
      throw error
    }
  }

  /// The plugin has its child: should this process die, others have its socket.
  func keep(_ child: PluginChild, of plugin: Plugin) {
    guard let slot = plugin.slot, let number = child.number else { return }
    ledger.survivor.beginChild(slot, plugin.name, number.value)
    custody.keep(child, ledger.publish())
  }
}
