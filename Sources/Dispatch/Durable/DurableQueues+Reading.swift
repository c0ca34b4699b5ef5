import Journal
import Linux

/// What lies in the log only is read back.
extension DurableQueues {
  /// Asks for what a plugin will read next, when it has room for it.
  func load(_ plugin: Plugin) {
    guard let open, open.isSettled, !open.isLoading(plugin.id), plugin.pace.mayLoad(loop.now),
      plugin.inheritance?.isPassingOver ?? true, let wanted = plugin.subscription.wanted
    else { return }
    open.load(plugin.id, from: wanted.records.lowerBound, bytes: min(wanted.bytes, 256 << 10))
  }

  func loaded(_ open: OpenSpool, _ id: PluginID, _ records: LoadedRecords) {
    open.loaded(id)
    guard let plugin = plugins[id] else { return }
    let end = open.spool.number(records.through)
    let segments = journal.restore(records, from: open.spool)
    let before = plugin.subscription.storedRecords
    plugin.subscription.readBack(segments, through: end, now: WallClock.milliseconds)
    passOver(plugin)
    delivery.flush(plugin)
    if segments.isEmpty {
      if before == plugin.subscription.storedRecords { plugin.couldNotLoad(loop.now) }
      loop.wake(.durable, in: .seconds(1))
    } else {
      goOnReadingBack(plugin)
    }
  }

  /// Reads back more for a plugin that has read. One whose socket is full wakes us; another is
  /// looked at again soon.
  func goOnReadingBack(_ plugin: Plugin) {
    guard plugin.subscription.storedRecords > 0 else { return }
    plugin.refresh()
    load(plugin)
    if plugin.lifecycle.takesInput, plugin.child?.isBlocked == false {
      loop.wake(.durable, in: .milliseconds(5))
    }
  }
}
