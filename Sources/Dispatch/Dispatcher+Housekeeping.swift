import Configuration
import Glibc
import Journal
import Linux

extension Dispatcher {
  /// What has to happen because time has passed.
  func housekeeping() {
    nextTick = now + .seconds(3600)
    forgetStart()
    takeRuntimeFolder()
    for plugin in plugins {
      handle(plugin, .tick)
      watch(plugin)
      goOnWithOutput(plugin)
      waitForOutput(of: plugin)
      goOnWithConfirmations(plugin)
      flush(plugin, wall: WallClock.milliseconds)
    }
    tendSpool()
    finishReplay()
    if let retry = intake.retry {
      if now >= retry {
        intake.retry = nil
        openSource()
      } else {
        scheduleTick(retry)
      }
    }
    unpauseIfPossible()
    forgetHistoryWhenIdle()
    listenAgain()
    control?.dropSilentClients(now) { poller.remove($0) }
    if control?.hasSilentClients ?? false { scheduleTick(now + .seconds(1)) }
    reapActions()
    advanceStop()
    tendService()
    if plugins.contains(where: { !$0.subscription.isEmpty }) || !actions.isEmpty {
      scheduleTick(now + .seconds(1))
    }
    journal.trim()
  }

  /// A moment after the start most of what was needed for it is not needed again.
  private func forgetStart() {
    guard !hasForgottenStart else { return }
    let due = started + .milliseconds(300)
    guard now >= due else { return scheduleTick(due) }
    hasForgottenStart = true
    forgetStartingCode()
  }

  /// An event's records come within moments: when none came for five seconds, none is incomplete.
  private func forgetHistoryWhenIdle() {
    guard journal.bytes > Journal.idleBytes else { return }
    guard now - activity.last > .seconds(5) else { return scheduleTick(now + .seconds(1)) }
    for plugin in plugins where plugin.subscription.isEmpty { plugin.subscription.forgetHistory() }
  }

  /// What a plugin's queue shows over time: progress, a stall, an overflow that lasts.
  private func watch(_ plugin: Plugin) {
    plugin.refresh()
    let counters = plugin.subscription.counters
    if plugin.subscription.isOverflowing || counters.dropped > plugin.dropsReported.dropped {
      reportDrops(plugin)
      if counters.dropped > plugin.dropsReported.dropped { scheduleTick(now + .seconds(1)) }
    }
    if !plugin.subscription.isOverflowing { plugin.hasActed = false }
    if counters.delivered > plugin.deliveredBefore || counters.queued == 0 {
      plugin.deliveredBefore = counters.delivered
      plugin.progressed = now
      plugin.reportedStall = false
    }
    let timeout = plugin.configuration.stallTimeout
    guard timeout > .zero, !plugin.reportedStall, now - plugin.progressed >= timeout else {
      return giveUpIfHopeless(plugin)
    }
    plugin.reportedStall = true
    if plugin.lifecycle.state == .running {
      var action = plugin.configuration.restartsWhenStalled ? ": restarting it" : ""
      if waitsForSink(plugin) { action = ", as what it prints is not taken" + action }
      say(
        .warning,
        "plugin \(plugin.name) has read nothing for \(Int(timeout.inSeconds)) s while "
          + "\(counters.queued) records wait\(action)")
      if plugin.configuration.restartsWhenStalled { handle(plugin, .stop(.restart)) }
    }
    giveUpIfHopeless(plugin)
  }

  /// A replay waits for every plugin, but not for one that cannot be made to read.
  private func giveUpIfHopeless(_ plugin: Plugin) {
    guard source.canWait, !plugin.isGivenUp, plugin.subscription.counters.queued > 0 else { return }
    let isHeld: Bool
    switch plugin.lifecycle.state {
    case .held, .stopped: isHeld = true
    default: isHeld = plugin.reportedStall && !plugin.configuration.restartsWhenStalled
    }
    guard isHeld else { return }
    plugin.isGivenUp = true
    replayIsIncomplete = true
    say(.error, "plugin \(plugin.name) cannot be made to read: the replay goes on without it")
  }

  /// The end of a replay: every plugin has everything, or never will.
  private func finishReplay() {
    guard isReplayRead, phase == .running else { return }
    if plugins.allSatisfy({ $0.isGivenUp || $0.subscription.isEmpty }) {
      passing.isWaitedFor = true
      beginStop("end of input")
    } else {
      scheduleTick(now + .milliseconds(2))
    }
  }

  private func reapActions() { actions.removeAll { $0.hasEnded } }

  // MARK: The runtime folder

  /// A predecessor may still be stopping: its folder is waited for, while records are taken in.
  private func takeRuntimeFolder() {
    guard !runtime.isOurs else { return }
    do {
      guard let wait = try runtime.take(now: now) else {
        settleKeptSockets()
        // What was waiting for it starts in this very round.
        return openControl()
      }
      if runtime.isNews(wait) {
        switch wait {
        case .dispatcher:
          say(.notice, "another audispatchd uses \(runtime.path): waiting for it to end")
        case .plugins(let names):
          say(
            .notice,
            "plugins of a killed audispatchd still run: waiting for \(names.joined(separator: ", "))"
          )
        case .distrust(let reason):
          say(
            .error,
            "\(runtime.path) is not used (\(reason)), and no plugin is started: make it root's, "
              + "writable for nobody else")
        case .other: break
        }
      }
      scheduleTick(now + .milliseconds(50))
    } catch {
      if runtime.isNews(.other) { say(.error, "\(error)") }
      scheduleTick(now + .seconds(1))
    }
  }

  // MARK: Stopping

  /// Reads what is still in the source, lets the plugins drain, and ends.
  func beginStop(_ reason: String) {
    // Asked once more, by whoever signals all that is called audispatchd: it stops already.
    if phase != .running, passing.isWaitedFor { passing.isWaitedFor = false }
    guard phase == .running else { return }
    say(.info, "stopping: \(reason)")
    service?.stops()
    phase = .readingRest(until: now + .seconds(1))
    intake.retry = nil
    intake.endHelpers()
    if source.inputNumber == nil || source.hasEnded { return stopReading() }
    scheduleTick(now)
  }

  private func stopReading() {
    phase = .stopping
    if source.canWait, source.pendingBytes > 0 || !source.hasEnded { replayIsIncomplete = true }
    if source.isPolled, let fd = source.inputNumber { poller.remove(fd) }
    source.close()
    stopPluginsBy = now + .seconds(10)
    scheduleTick(now)
  }

  /// Lets the plugins be stopped. While a predecessor's folder, or what it left, is still to be waited
  /// for, they are started first, so that what was read for them is not lost; likewise the spool.
  private func stopPlugins() {
    guard let latest = stopPluginsBy else { return }
    guard isReadyForPlugins || now >= latest else { return scheduleTick(now + .milliseconds(20)) }
    stopPluginsBy = nil
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

  private func advanceStop() {
    if case .readingRest(let until) = phase {
      if now >= until || source.inputNumber == nil || !sourceHasMore() {
        stopReading()
      } else {
        scheduleTick(now + .milliseconds(1))
      }
    }
    stopPlugins()
    if phase == .stopping, stopPluginsBy == nil { plugins.forEach(stopPlugin) }
    for plugin in plugins where plugin.lifecycle.takesInput {
      guard case .draining = plugin.lifecycle.state else { continue }
      plugin.refresh()
      if plugin.subscription.isEmpty || plugin.isGivenUp { handle(plugin, .drained) }
      scheduleTick(now + .milliseconds(2))
    }
    guard phase == .stopping, stopPluginsBy == nil else { return }
    if plugins.allSatisfy({ $0.lifecycle.state == .stopped }), isOutputTaken() {
      if source.canWait, plugins.contains(where: { $0.subscription.counters.dropped > 0 }) {
        replayIsIncomplete = true
      }
      phase = .done
    }
  }

  private func sourceHasMore() -> Bool {
    guard let fd = source.inputNumber, !source.hasEnded else { return false }
    return intake.isEnding || DescriptorKind.isReadable(fd)
  }
}
