import Journal
import Linux

/// The end: what `Shutdown` decides is done here.
extension Dispatcher {
  /// Reads what is still in the source, lets the plugins drain, and ends.
  func beginStop(_ reason: String) {
    // Asked once more, by whoever signals all that is called audispatchd: it stops already.
    guard ending.handle(.stop, now: now) == .readRest else {
      passing.isWaitedFor = false
      return
    }
    say(.info, "stopping: \(reason)")
    service?.stops()
    intake.retry = nil
    intake.endHelpers()
    if source.inputNumber == nil || source.hasEnded { perform(.inputIsEmpty) }
    scheduleTick(now)
  }

  /// Something was lost that a replay promises not to lose.
  func noteLoss() { perform(.lost) }

  /// All files of a replay were read.
  func noteReplayRead() {
    perform(.replayRead)
    scheduleTick(now)
  }

  private func perform(_ event: Shutdown.Event) {
    guard ending.handle(event, now: now) == .closeInput else { return }
    if source.canWait, source.pendingBytes > 0 || !source.hasEnded { noteLoss() }
    if source.isPolled, let fd = source.inputNumber { poller.remove(fd) }
    source.close()
    scheduleTick(now)
  }

  /// The end of a replay: every plugin has everything, or never will.
  func finishReplay() {
    guard ending.endsWhenDelivered,
      plugins.allSatisfy({ $0.isGivenUp || $0.subscription.isEmpty })
    else { return }
    passing.isWaitedFor = true
    beginStop("end of input")
  }

  /// Takes the end as far as it has come.
  func advanceStop() {
    perform(.tick)
    if case .readingRest = ending.state, !sourceHasMore() { perform(.inputIsEmpty) }
    if case .settling = ending.state, isReadyForPlugins { perform(.pluginsAreSettled) }
    if ending.stopsPlugins { plugins.forEach(stopPlugin) }
    for plugin in plugins where plugin.lifecycle.takesInput {
      guard case .draining = plugin.lifecycle.state else { continue }
      plugin.refresh()
      if plugin.subscription.isEmpty || plugin.isGivenUp { handle(plugin, .drained) }
      scheduleTick(now + .milliseconds(2))
    }
    if ending.stopsPlugins, plugins.allSatisfy({ $0.lifecycle.state == .stopped }),
      isOutputTaken()
    {
      if source.canWait, plugins.contains(where: { $0.subscription.counters.dropped > 0 }) {
        noteLoss()
      }
      perform(.pluginsHaveEnded)
    }
    if let next = ending.nextLook(now) { scheduleTick(next) }
  }

  /// Whether it is known what every plugin is to get, and none of it can be anybody else's.
  private var isReadyForPlugins: Bool {
    runtime.isOurs && durable.map(\.isSettled) ?? true
      && plugins.allSatisfy { $0.inheritance == nil }
  }

  /// Stops what is not being stopped yet. A plugin whose successor a reload has promised gets it
  /// first when records wait for it.
  private func stopPlugin(_ plugin: Plugin) {
    plugin.refresh()
    if plugin.lifecycle.isBeingReplaced, !plugin.subscription.isEmpty { return }
    if !plugin.lifecycle.isStopping { handle(plugin, .stop(.stop)) }
  }

  private func sourceHasMore() -> Bool {
    guard let fd = source.inputNumber, !source.hasEnded else { return false }
    return intake.isEnding || DescriptorKind.isReadable(fd)
  }
}
