import Glibc
import Configuration
import Journal
import Linux

/// What came goes into the log.
extension DurableQueues {
  /// Whether records are put into the log, now or as soon as it is open.
  var isSpooling: Bool {
    guard let open, open.takesRecords else { return false }
    return plugins.all.contains { $0.subscription.isDurable }
  }

  /// Puts a batch that was admitted into the log.
  func spool(_ batch: Journal.Batch) {
    guard let open, isSpooling else { return }
    switch open.state {
    case .opening:
      open.wait(for: batch)
      if journal.bytes > settings.daemon.journalBytes / 2 {
        doWithout(open, "the spool is not open yet")
      }
    case .open:
      source.settle(below: open.spool.appendedBelow)
      open.append(batch)
      commit(open)
      if pendingBytes > 64 << 20 { failed(open, .timedOut) }
    case .failed, .unusable: break
    }
  }

  func commit(_ open: OpenSpool) {
    // The log must not be ahead of what a successor would begin with.
    let permit = ledger.publish()
    var isLossless = false
    for plugin in plugins.all where plugin.subscription.isDurable {
      if plugin.configuration.overflowAction == .lossless { isLossless = true }
      tell(plugin, open)
    }
    senders?.write(open.spool)
    open.commit(makesSafe: isLossless, permit)
    loop.wake(.durable, in: .seconds(1))
  }

  /// Tells the log what a plugin is not to get, and where it stands, if that has changed.
  func tell(_ plugin: Plugin, _ open: OpenSpool) {
    guard plugin.inheritance?.isPassingOver ?? true else { return }
    open.tell(
      plugin.name, next: plugin.subscription.firstUndelivered(end: journal.nextRecord),
      number: plugin.subscription.firstNumber)
    guard plugin.subscription.hasLeftOut else { return }
    // The log takes no holes of a plugin that it does not know.
    for hole in plugin.subscription.takeLeftOut() { open.spool.leaveOut(plugin.name, hole) }
  }

  func becameSafe(_ open: OpenSpool, _ below: RecordNumber) {
    guard open.isOpen else { return }
    let permit = ledger.permitWriting()
    let wall = WallClock.milliseconds
    open.log.synced(below: below)
    source.settle(below: below)
    for plugin in plugins.all where plugin.isLossless && plugin.inheritance == nil {
      delivery.flush(plugin, wall: wall, permit)
    }
  }

  /// A plugin may have become lossless, or be it no more.
  func applySafety(to plugin: Plugin) {
    guard plugin.subscription.isDurable else { return }
    plugin.subscription.setWaitsForSync(plugin.configuration.overflowAction == .lossless)
    delivery.flush(plugin)
  }

  // MARK: Other hosts' records

  /// Below which number every record is as safe as the plugins want it. Until the log is open nothing
  /// is safe that came for it.
  var safeBelow: RecordNumber {
    switch safekeeping(after: nil).safety {
    case .inMemory: .max
    case .written: open?.spool.appendedBelow ?? RecordNumber(0)
    case .synced: open?.log.syncedBelow ?? RecordNumber(0)
    case .never: RecordNumber(0)
    }
  }

  /// - Parameter former: what kept other hosts' records from being taken until now.
  func safekeeping(after former: Safekeeping.Obstacle?) -> Safekeeping {
    let log: Safekeeping.Log =
      switch open?.state {
      case nil: .absent
      case .opening: .opening
      case .open: .open
      case .failed: .failed
      case .unusable: .unusable
      }
    let isDurable = plugins.all.contains { $0.subscription.isDurable && $0.takesForeign }
    let wish: Safekeeping.Wish =
      leastLosslessRoom.map { .synced($0) } ?? (isDurable ? .written : .nothing)
    return Safekeeping(log, wish, after: former, brink: brink(after: former))
  }

  private func brink(after former: Safekeeping.Obstacle?) -> String? {
    plugins.all.first { plugin in
      // One that overflows has acted, or cannot any more: nobody else waits for it.
      guard plugin.takesForeign, plugin.actsOnHost, !plugin.subscription.isOverflowing else {
        return false
      }
      let was = former == .brink(of: plugin.name)
      guard Safekeeping.isAtBrink(fill: plugin.subscription.fill, wasAtBrink: was) else {
        return false
      }
      // It may have read since it was looked at.
      plugin.refresh()
      return Safekeeping.isAtBrink(fill: plugin.subscription.fill, wasAtBrink: was)
    }?.name
  }

  /// Of the lossless queue that has the least, of those that other hosts' records go to; `nil`: there is
  /// none.
  var leastLosslessRoom: Safekeeping.Room? {
    var least: Safekeeping.Room?
    for plugin in plugins.all where plugin.isLossless && plugin.takesForeign {
      let free = plugin.subscription.freeBytes
      guard free < least?.free ?? .max else { continue }
      least = Safekeeping.Room(
        plugin: plugin.name, free: free, bound: plugin.subscription.limits.bytes)
    }
    return least
  }

  // MARK: Trouble

  func failed(_ open: OpenSpool, _ errno: Errno) {
    guard open.isOpen else { return }
    let (first, slices) = open.failed(errno, loop.now)
    ledger.logHasChanged()
    source.settle(below: .max)
    let settings = settings.daemon
    let reserve =
      errno == Errno(ENOSPC)
      ? ", where spool_reserve keeps \(settings.spoolReserve >> 20) MiB free" : ""
    loop.say(
      .alert,
      "the spool takes no records (\(errno)): nothing can be written in "
        + "\(settings.spoolDirectory)\(reserve), and durable plugins have their memory only")
    for plugin in plugins.durable {
      plugin.subscription.logLost(from: first, slices)
      delivery.flush(plugin)
    }
  }

  func recovered(_ open: OpenSpool) {
    // Asked for once more meanwhile: what came since is not in it for that.
    guard open.hasFailed else { return }
    open.recovered(next: journal.nextRecord)
    ledger.logHasChanged()
    loop.say(.notice, "the spool takes records again, in \(settings.daemon.spoolDirectory)")
    for plugin in plugins.durable {
      // A later start must not look for what was in memory only.
      tell(plugin, open)
      let first = plugin.subscription.firstUndelivered(end: journal.nextRecord)
      for gone in open.log.lacks where gone.upperBound > first {
        open.spool.leaveOut(plugin.name, gone)
      }
    }
    commit(open)
  }
}
