import Configuration
import Journal
import Linux

/// What plugins' queues show over time: progress, a stall, an overflow that lasts.
struct PluginWatch: Owner {
  /// Starts that fail alike, after which a replay does not wait for a plugin.
  private static let replayStarts = 3

  let base: Base
  let overflows: OverflowActions
  let output: PluginOutput
  let supervisor: Supervisor

  func look(at plugin: Plugin) {
    plugin.refresh()
    let counters = plugin.subscription.counters
    if plugin.subscription.isOverflowing || plugin.losses.isBehind(counters) {
      overflows.report(plugin)
      if plugin.losses.isBehind(counters) { loop.wake(.plugins, in: .seconds(1)) }
    }
    if !plugin.subscription.isOverflowing { plugin.report { $0.overflowEnded() } }
    supervisor.tellReload(plugin, isNew: false)
    if plugin.stalls(loop.now), plugin.lifecycle.state == .running { reportStall(plugin) }
    giveUpIfHopeless(plugin)
  }

  private func reportStall(_ plugin: Plugin) {
    let configuration = plugin.configuration
    var action = configuration.restartsWhenStalled ? ": restarting it" : ""
    if output.isWaited(by: plugin) { action = ", as what it prints is not taken" + action }
    loop.say(
      .warning,
      "plugin \(plugin.name) has read nothing for \(Int(configuration.stallTimeout.inSeconds)) s "
        + "while \(plugin.subscription.counters.queued) records wait\(action)")
    if configuration.restartsWhenStalled { supervisor.handle(plugin, .stop(.restart)) }
  }

  // MARK: Replays

  /// A replay waits for every plugin, but not for one that cannot be made to read.
  private func giveUpIfHopeless(_ plugin: Plugin) {
    guard isReplay, !plugin.isGivenUp, plugin.subscription.counters.queued > 0 else { return }
    let failed = plugin.past.failedStarts
    let cannotStart = failed.count >= Self.replayStarts
    let isHeld =
      switch plugin.lifecycle.state {
      case .held, .stopped: true
      default:
        cannotStart || plugin.progress.isStalled && !plugin.configuration.restartsWhenStalled
      }
    guard isHeld else { return }
    plugin.giveUp()
    ending.noteLoss()
    let reason = cannotStart ? " (\(failed.reason))" : ""
    loop.say(
      .error, "plugin \(plugin.name) cannot be made to read\(reason): the replay goes on without it"
    )
  }

  /// A replay that is stopped before its end says for what it waited.
  func sayWhatReplayWaitedFor() {
    guard isReplay else { return }
    for plugin in plugins.all where !plugin.isGivenUp {
      plugin.refresh()
      let queued = plugin.subscription.counters.queued
      guard queued > 0 else { continue }
      let failed = plugin.past.failedStarts
      let reason = failed.count > 0 ? " (\(failed.reason))" : ""
      loop.say(
        .error,
        "the replay waited for plugin \(plugin.name), which is \(plugin.stateName)\(reason), with "
          + "\(queued) records to read")
    }
  }
}
