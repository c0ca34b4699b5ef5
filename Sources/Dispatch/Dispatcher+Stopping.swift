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
    sayWhatReplayWaitedFor()
    service?.stops()
    holder?.isStopping()
    if intake.origin == .standardInput, DescriptorKind.isPipe(0) { letGoOfPipe() }
    intake.retry = nil
    intake.endHelpers()
    finishRemote()
    if source.inputNumber == nil || source.hasEnded, isRemoteFinished { perform(.inputIsEmpty) }
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
    if case .readingRest(let until) = ending.state,
      event == .inputIsEmpty || event == .tick && now >= until
    {
      takeLast()
    }
    guard ending.handle(event, now: now) == .closeInput else { return }
    if source.canWait, source.pendingBytes > 0 || !source.hasEnded { noteLoss() }
    if source.isPolled, let fd = source.inputNumber { poller.remove(fd) }
    source.close()
    closeRemote()
    scheduleTick(now)
  }

  /// What holds a pipe open after it was read for the last time would have the sender's records go
  /// where nobody reads them.
  private func letGoOfPipe() {
    holder?.letGoOfInput()
    replaceByEndedPipe(0)
  }

  /// Has the sender's writes fail from here on, and takes what it had written before: nothing is left
  /// in a socket that nobody counts. A connection that a service manager keeps goes on with the next
  /// start, and with it what is in it.
  private func takeLast() {
    guard service?.hasStored != true, !source.canWait else { return }
    let end = now + .seconds(1)
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
    guard let fd = source.inputNumber, sourceIsReadable, !isPaused, DescriptorKind.isReadable(fd)
    else { return false }
    readSource()
    return true
  }

  /// The end of a replay: every plugin has everything, or never will.
  func finishReplay() {
    guard ending.endsWhenDelivered,
      plugins.allSatisfy({ $0.isGivenUp || $0.subscription.isEmpty })
    else { return }
    passing.isWaitedFor = true
    let count = plugins.count
    say(
      .info,
      "replayed: \(source.records) records, \(events) events, to \(count) plugin"
        + (count == 1 ? "" : "s"))
    beginStop("end of input")
  }

  /// Takes the end as far as it has come.
  func advanceStop() {
    perform(.tick)
    if case .readingRest = ending.state, !sourceHasMore(), isRemoteFinished,
      !(holder?.holdsInput ?? false)
    {
      perform(.inputIsEmpty)
    }
    if case .settling = ending.state, isReadyForPlugins || isHopeless {
      perform(.pluginsAreSettled)
    }
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
      && plugins.allSatisfy { $0.inheritance == nil && !runtime.awaitsEnd(of: $0.name) }
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
