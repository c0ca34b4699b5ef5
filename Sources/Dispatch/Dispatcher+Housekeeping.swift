import Configuration
import Glibc
import Journal
import Linux

extension Dispatcher {
  /// For so long plugins are started in one turn of the loop.
  private static let startingTime = Duration.milliseconds(5)

  /// What has to happen because time has passed.
  func housekeeping() {
    nextTick = now + .seconds(3600)
    startsUntil = .now + Self.startingTime
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
    startsUntil = Moment(nanoseconds: 0)
    if holder?.retry() ?? false { scheduleTick(now + .milliseconds(5)) }
    keepInForce()
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
    tendInputs()
    tendRemote()
    reportUnreadEvents()
    unpauseIfPossible()
    forgetHistoryWhenIdle()
    listenAgain()
    openControlAgain()
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
    guard now - gathering.last > .seconds(5) else { return scheduleTick(now + .seconds(1)) }
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
    let cannotStart = plugin.failedStarts.count >= Self.replayStarts
    switch plugin.lifecycle.state {
    case .held, .stopped: isHeld = true
    default:
      isHeld = cannotStart || plugin.reportedStall && !plugin.configuration.restartsWhenStalled
    }
    guard isHeld else { return }
    plugin.isGivenUp = true
    noteLoss()
    let reason = cannotStart ? " (\(plugin.failedStarts.reason))" : ""
    say(
      .error, "plugin \(plugin.name) cannot be made to read\(reason): the replay goes on without it"
    )
  }

  /// Starts that fail alike, after which a replay does not wait for a plugin.
  private static let replayStarts = 3

  /// A replay that is stopped before its end says for what it waited.
  func sayWhatReplayWaitedFor() {
    guard source.canWait else { return }
    for plugin in plugins where !plugin.isGivenUp {
      plugin.refresh()
      let queued = plugin.subscription.counters.queued
      guard queued > 0 else { continue }
      let reason = plugin.failedStarts.count > 0 ? " (\(plugin.failedStarts.reason))" : ""
      say(
        .error,
        "the replay waited for plugin \(plugin.name), which is \(plugin.stateName)\(reason), with "
          + "\(queued) records to read")
    }
  }

  private func reapActions() { actions.removeAll { $0.hasEnded } }

  // MARK: The runtime folder

  /// A predecessor may still be stopping: its folder is waited for, while records are taken in.
  private func takeRuntimeFolder() {
    guard !runtime.isOurs else { return tendOrphans() }
    do {
      guard let wait = try runtime.take(now: now) else {
        if let lock = runtime.lockNumber {
          holder?.keepLock(lock, of: runtime.path)
          service?.keepLock(lock)
        }
        tendOrphans()
        // What was waiting for it starts in this very round.
        return openControl()
      }
      defer { giveUpReplay(waitingFor: wait) }
      if runtime.isNews(wait) {
        switch wait {
        case .dispatcher:
          say(.notice, "another audispatchd uses \(runtime.path): waiting for it to end")
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
      giveUpReplay(waitingFor: nil)
      scheduleTick(now + .seconds(1))
    }
  }

  /// A predecessor's plugins hold up those of the same name.
  private func tendOrphans() {
    let user = geteuid()
    let next = runtime.tendOrphans(now) { [plugins] name in
      plugins.first { $0.name == name }?.configuration.confinement.user ?? user
    }
    settleKeptSockets()
    let names = runtime.orphanNames
    if !saidOrphans, !names.isEmpty {
      saidOrphans = true
      say(
        .notice,
        "plugins of a killed audispatchd still run: waiting for "
          + names.sorted().joined(separator: ", "))
    }
    if let next { scheduleTick(next) }
  }

  /// A replay does not wait without end for a folder that it cannot have.
  ///
  /// - Parameter wait: `nil` when it cannot be used at all.
  private func giveUpReplay(waitingFor wait: RuntimeFolder.Wait?) {
    guard source.canWait, ending.isRunning else { return }
    switch wait {
    case nil, .distrust: break
    case .dispatcher, .other: guard now - started > .seconds(10) else { return }
    }
    isHopeless = true
    noteLoss()
    say(
      .error,
      "without \(runtime.path) no plugin is started: give the replay one of its own (--runtime-dir)"
    )
    beginStop("no runtime folder")
  }
}
