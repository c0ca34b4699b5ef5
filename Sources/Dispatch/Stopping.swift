import Journal
import Linux

/// The end: what `Shutdown` decides is done here.
struct Stopping: Owner {
  let base: Base
  let custody: Custody
  let ledger: Ledger
  let durable: DurableQueues
  let host: PluginHost
  let input: Input
  let remote: RemoteInput?
  let service: ServiceLink?
  let readsStandardInput: Bool

  /// Begins the end if somebody has asked for it.
  func beginIfAsked() { if let reason = ending.takeRequest() { begin(reason) } }

  /// Reads what is still in the source, lets the plugins drain, and ends.
  func begin(_ reason: String) {
    // Asked once more, by whoever signals all that is called audispatchd: it stops already.
    guard ending.handle(.stop, now: loop.now) == .readRest else {
      return host.output.waitForReader(false)
    }
    loop.say(.info, "stopping: \(reason)")
    host.watch.sayWhatReplayWaitedFor()
    service?.stops()
    custody.stopping()
    if readsStandardInput, DescriptorKind.isPipe(0) { letGoOfPipe() }
    input.beginEnd()
    remote?.receiver.finish()
    if input.isClosed, isRemoteFinished { perform(.inputIsEmpty) }
    loop.wakeAll()
  }

  private var isRemoteFinished: Bool { remote?.isFinished ?? true }

  private func perform(_ event: Shutdown.Event) {
    if case .readingRest(let until) = ending.state,
      event == .inputIsEmpty || event == .tick && loop.now >= until
    {
      takeLast()
    }
    guard ending.handle(event, now: loop.now) == .closeInput else { return }
    input.close()
    remote?.close()
    loop.wakeAll()
  }

  /// Has the sender's writes fail from here on, and takes what it had written before: nothing is left
  /// in a socket that nobody counts. A connection that a service manager keeps goes on with the next
  /// start, and with it what is in it.
  private func takeLast() {
    guard service?.hasStored != true, !source.canWait else { return }
    input.rest(false)
    let end = loop.now + .seconds(1)
    if source.isPipe {
      // As long as there is more in it than a page it cannot be made that small.
      while Moment.now < end, !source.shrink(), readWaiting() {}
      _ = readWaiting()
    } else if source.refuseMore() {
      while Moment.now < end, readWaiting() {}
    }
  }

  /// Reads once, if anything waits.
  private func readWaiting() -> Bool {
    guard input.hasWaiting else { return false }
    input.read()
    return true
  }

  /// What holds a pipe open after it was read for the last time would have the sender's records go
  /// where nobody reads them.
  private func letGoOfPipe() {
    custody.letGoOfInput()
    Pipe.putEnded(inPlaceOf: 0)
  }

  /// The end of a replay: every plugin has everything, or never will.
  func finishReplay() {
    guard ending.endsWhenDelivered,
      plugins.all.allSatisfy({ $0.isGivenUp || $0.subscription.isEmpty })
    else { return }
    host.output.waitForReader(true)
    let count = plugins.all.count
    loop.say(
      .info,
      "replayed: \(source.figures.records) records, \(ledger.events) events, to \(count) plugin"
        + (count == 1 ? "" : "s"))
    begin("end of input")
  }

  /// Takes the end as far as it has come.
  func advance() {
    perform(.tick)
    if case .readingRest = ending.state, !input.mayHaveMore, isRemoteFinished,
      !custody.holdsInput
    {
      perform(.inputIsEmpty)
    }
    if case .settling = ending.state, isReadyForPlugins || ending.isHopeless {
      perform(.pluginsAreSettled)
    }
    if ending.stopsPlugins { plugins.all.forEach(stop) }
    for plugin in plugins.all where plugin.lifecycle.takesInput {
      guard case .stopping(.draining, _, _) = plugin.lifecycle.state else { continue }
      plugin.refresh()
      if plugin.subscription.isEmpty || plugin.isGivenUp || plugin.drainsInVain(loop.now) {
        host.supervisor.handle(plugin, .drained)
      }
      loop.wake(.stopping, in: .milliseconds(2))
    }
    if ending.stopsPlugins, plugins.all.allSatisfy({ $0.lifecycle.state == .stopped }) {
      guard host.output.isTaken() else { return loop.wake(.stopping, in: .milliseconds(50)) }
      if source.canWait, plugins.all.contains(where: { $0.subscription.counters.dropped > 0 }) {
        ending.noteLoss()
      }
      perform(.pluginsHaveEnded)
    }
    if let next = ending.nextLook(loop.now) { loop.wake(.stopping, at: next) }
  }

  /// Whether it is known what every plugin is to get, and none of it can be anybody else's.
  private var isReadyForPlugins: Bool {
    runtime.isOurs && durable.isSettled
      && plugins.all.allSatisfy {
        $0.inheritance == nil && !runtime.awaitsEnd(of: $0.name)
          && ($0.lifecycle.state != .starting || $0.hasTooManyLeftBehind)
      }
  }

  /// Stops what is not being stopped yet. A plugin whose successor a reload has promised gets it
  /// first when records wait for it.
  private func stop(_ plugin: Plugin) {
    plugin.refresh()
    if plugin.lifecycle.isBeingReplaced, !plugin.subscription.isEmpty { return }
    if !plugin.lifecycle.isStopping { host.supervisor.handle(plugin, .stop(.stop)) }
  }
}
