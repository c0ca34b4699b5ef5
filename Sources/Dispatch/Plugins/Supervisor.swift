import Configuration
import Glibc
import Journal
import Linux

/// Starts, watches and ends the children of plugins, as each plugin's life says.
final class Supervisor: Owner {
  /// How long one turn of the loop may spend on starting plugins.
  private static let startingTime = Duration.milliseconds(5)
  /// What our plugins exit with when something that they took is stored nowhere (EX_IOERR).
  private static let lostStatus: Int32 = 74

  let base: Base
  private let ledger: Ledger
  private let custody: Custody
  private let delivery: Delivery
  private let overflows: OverflowActions
  private let durable: DurableQueues
  private let confirming: Confirming
  private let output: PluginOutput
  private let starter: PluginStarter
  private var startsUntil = Moment(nanoseconds: 0)
  private var random = SystemRandomNumberGenerator()

  init(
    _ base: Base, _ ledger: Ledger, _ custody: Custody, _ delivery: Delivery,
    _ overflows: OverflowActions, _ durable: DurableQueues, _ confirming: Confirming,
    _ output: PluginOutput
  ) {
    self.base = base
    self.ledger = ledger
    self.custody = custody
    self.delivery = delivery
    self.overflows = overflows
    self.durable = durable
    self.confirming = confirming
    self.output = output
    self.starter = PluginStarter(base, ledger, custody, output)
  }

  /// Takes a plugin in; it is started when time has passed.
  func add(_ configuration: PluginConfiguration) {
    let (slot, share) = ledger.place(of: configuration.name)
    let plugin = plugins.add(configuration, slot: slot, now: loop.now)
    if let share {
      plugin.inherit(
        Inheritance(
          queue: share, isAwaited: ledger.isStream(share) && custody.has(share.child)))
    }
    durable.take(plugin)
  }

  /// What is due for a plugin: some are started, some are ended.
  func tend(_ body: (Plugin) -> Void) {
    startsUntil = .now + Self.startingTime
    for plugin in plugins.all {
      handle(plugin, .tick)
      body(plugin)
    }
    startsUntil = Moment(nanoseconds: 0)
    // While the first child is being made.
    if hasLaunches { runtime.awaitsChildren() }
    starter.tend(take)
  }

  /// Whether a plugin is on its way to its program.
  var hasLaunches: Bool { starter.hasLaunches }

  /// Tells a plugin's life what happened and does what follows from it.
  func handle(_ plugin: Plugin, _ event: PluginLifecycle.Event) {
    let jitter = Double.random(in: 0.8...1.2, using: &random)
    let wasStopped = plugin.lifecycle.state == .stopped
    switch plugin.handle(event, now: loop.now, jitter: jitter) {
    case .none: break
    case .spawn: launch(plugin)
    case .abandon: abandon(plugin)
    case .endInput: delivery.endInput(plugin)
    case .terminate: plugin.child?.process.signal(SIGTERM)
    case .kill:
      loop.say(.warning, "plugin \(plugin.name) ignored the end of its input and SIGTERM: killed")
      plugin.child?.process.signal(SIGKILL)
    case .finished(let goal): finish(plugin, goal)
    case .hold(let deaths):
      loop.say(
        .error,
        "plugin \(plugin.name) died \(deaths) times without reading anything: held, next try in "
          + "\(plugin.configuration.heldDelay)")
    case .retire:
      loop.say(
        .error, "plugin \(plugin.name) died and max_restarts = 0: it is not started again")
    }
    if let deadline = plugin.lifecycle.deadline, deadline > loop.now {
      loop.wake(.plugins, at: deadline)
    }
    // A stop may wait for just that.
    if !wasStopped, plugin.lifecycle.state == .stopped { loop.wakeAll() }
  }

  // MARK: Start

  private func launch(_ plugin: Plugin) {
    guard runtime.isOurs, !runtime.awaitsEnd(of: plugin.name), !durable.awaits(plugin),
      plugin.inheritance == nil
    else { return loop.wake(.plugins, in: .milliseconds(100)) }
    guard Moment.now < startsUntil else { return loop.wake(.plugins, at: loop.now) }
    // While the dispatcher stops nothing is restarted, whoever ended it, but for what a reload has
    // begun to replace.
    guard ending.isRunning || plugin.lifecycle.state == .starting else { return }
    do {
      guard try starter.launch(plugin) else { return }
      plugin.launches(since: loop.now)
      handle(plugin, .launched)
    } catch { failed(plugin, "\(error)", passes: (error as? SpawnError)?.cause.passes ?? true) }
  }

  func hearStarter() { starter.hear(take) }

  /// The list of children has one that is on its way.
  func listed(_ child: LaunchNumber) { starter.listed(child) }

  func hearStraggler(_ id: Stragglers.ID) { starter.hearStraggler(id, take) }

  /// A child on its way has become its program, or could not.
  func hearStart(_ plugin: Plugin) {
    if let news = starter.news(of: plugin) { take(plugin, news) }
  }

  private func take(_ plugin: Plugin, _ news: PluginStarter.News) {
    switch news {
    case .runs: begin(plugin)
    case .failed(let failure):
      let reason = StartFailure(.found(failure)).reason(
        failure.error, plugin.configuration.confinement)
      failed(
        plugin, "\(failure.error)" + (reason.map { ": \($0)" } ?? ""),
        passes: failure.error.cause.passes)
    case .notMade:
      plugin.launches(since: nil)
      handle(plugin, .notLaunched)
      // It is asked for again, of another starter.
      loop.wake(.plugins, at: loop.now)
    case .isGone: if case .givingUp = plugin.lifecycle.state { gaveUp(plugin) }
    }
    // A stop may wait for it, or the rest of the start.
    if !ending.isRunning || !hasLaunches { loop.wakeAll() }
  }

  private func begin(_ plugin: Plugin) {
    do throws(SystemError) {
      guard let child = try starter.take(plugin) else { return }
      output.begin(child)
      plugin.started(child, now: loop.now)
      starter.keep(child, of: plugin)
      handle(plugin, .spawned)
      tellReload(plugin, isNew: false)
      delivery.flush(plugin)
    } catch { failed(plugin, "\(error)", passes: true) }
  }

  /// A reload leaves a plugin's child as it is, or had done so: it is told if it wants to be.
  func tellReload(_ plugin: Plugin, isNew: Bool) {
    plugin.tellReload(isNew: isNew, loop.now)
    if let look = plugin.reloadNotice.deadline { loop.wake(.plugins, at: look) }
  }

  private func failed(_ plugin: Plugin, _ text: String, passes: Bool) {
    loop.say(.error, "plugin \(plugin.name): \(text)")
    plugin.failedToStart(text, passes: passes)
    handle(plugin, .spawnFailed)
  }

  /// Kills the child that is on its way: it hangs, or is not wanted any more.
  private func abandon(_ plugin: Plugin) {
    if case .givingUp(nil, _) = plugin.lifecycle.state {
      let text =
        "starting: has not answered for \(Int(plugin.lifecycle.policy.launch.inSeconds)) s: killed"
      loop.say(.error, "plugin \(plugin.name): \(text)")
      plugin.failedToStart(text, passes: false)
      starter.giveUpStarter(ifSilentOn: plugin, take)
    }
    plugin.launches(since: nil)
    if !starter.abandon(plugin) { gaveUp(plugin) }
    // A service manager is told that all was started, or tried to be.
    loop.wake(.service, at: loop.now)
  }

  private func gaveUp(_ plugin: Plugin) {
    handle(plugin, .exited(progress: false))
    loop.wakeAll()
  }

  // MARK: End

  func childEnded(_ plugin: Plugin) {
    // It may have been its program for a moment.
    hearStart(plugin)
    guard let child = plugin.child, let end = child.process.reap() else { return }
    output.read(plugin)
    output.end(child)
    confirming.read(plugin, hasEnded: true)
    let outstanding = plugin.subscription.outstanding
    // Where it cannot be told what the child had not read, it is all that was written.
    plugin.subscription.restart(
      unread: min(child.unread ?? outstanding, outstanding), journal: journal)
    let wasStopping = plugin.lifecycle.state != .running
    plugin.ended(end)
    letGo(of: child)
    // Nobody else is to read what will be given again.
    child.discardUnread()
    for fd in [child.process.pidfd, child.outputNumber, child.inputNumber] {
      loop.poller.remove(fd)
    }
    let progress = plugin.subscription.counters.delivered > plugin.atStart.delivered
    let loss = noteLoss(plugin, end)
    if !wasStopping {
      loop.say(.warning, "plugin \(plugin.name) ended by itself (\(end))\(loss)")
    } else if end != .exit(0) {
      loop.say(.notice, "plugin \(plugin.name) ended with \(end)\(loss)")
    }
    runtime.ended(plugin.name)
    handle(plugin, .exited(progress: progress))
    // What waits for its end, a stop above all, goes on at once.
    loop.wakeAll()
  }

  /// A child's end was seen, and its queue knows of it.
  private func letGo(of child: PluginChild) {
    if let number = child.number { custody.forget(number, ledger.publish()) }
  }

  /// What an end says of records that the plugin had taken, as a clause. What a plugin confirms is
  /// given again or counted, so that nothing is concluded from its death.
  private func noteLoss(_ plugin: Plugin, _ end: ChildEnd) -> String {
    var loss = ""
    switch end {
    case .exit(Self.lostStatus): loss = ": not everything that it had taken is stored"
    case .signal where !plugin.configuration.confirms && source.canWait:
      loss = ": what it had taken may be lost"
    default: return ""
    }
    if source.canWait { ending.noteLoss() }
    return loss
  }

  /// Nothing is left to do for a plugin: what it was to get has its fate.
  private func finish(_ plugin: Plugin, _ goal: PluginLifecycle.Goal) {
    overflows.report(plugin, isLast: true)
    let left = plugin.subscription.counters.queued
    let kept = goal == .remove ? durable.keepQueue(of: plugin) : 0
    if kept > 0 {
      loop.say(.notice, "plugin \(plugin.name): \(kept) records are kept in the spool")
      if left > kept { sayUndelivered(plugin, left - kept) }
    } else if left > 0 {
      // Until all others have ended this is looked at again and again.
      guard plugin.losses.isNews(left: left) else { return }
      drop(plugin, left, goal)
    }
    guard goal == .remove else { return }
    plugins.remove(plugin)
    ledger.leave(plugin)
  }

  private func drop(_ plugin: Plugin, _ left: UInt64, _ goal: PluginLifecycle.Goal) {
    let waiting =
      plugin.subscription.isDurable
      ? left - UInt64(plugin.subscription.queuedInMemoryOnly) : 0
    if left > waiting {
      sayUndelivered(plugin, left - waiting)
      plugin.subscription.dropHeld(goal == .remove ? .removed : .stopDeadline)
      plugin.report { $0.wereSaid(plugin.subscription.counters) }
    }
    if waiting > 0 {
      loop.say(.notice, "plugin \(plugin.name): \(waiting) records wait in the spool")
    }
    plugin.report { $0.said(left: waiting) }
  }

  private func sayUndelivered(_ plugin: Plugin, _ count: UInt64) {
    loop.say(.error, "plugin \(plugin.name) stopped with \(count) records undelivered")
  }

  // MARK: Asked for

  func resumeAll() { for plugin in plugins.all { resume(plugin) } }

  func resume(_ plugin: Plugin) {
    plugin.refresh()
    plugin.subscription.resume(journal: journal)
    plugin.report { $0.overflowEnded() }
    if ending.isRunning, !plugin.lifecycle.hasChild { handle(plugin, .resume) }
  }
}
