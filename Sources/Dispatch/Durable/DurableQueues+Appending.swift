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
    open.commit(makesSafe: isLossless, permit)
    loop.wakeSoon()
  }

  /// Tells the log what a plugin is not to get, and where it stands, if that has changed.
  func tell(_ plugin: Plugin, _ open: OpenSpool) {
    guard plugin.inheritance?.isPassingOver ?? true else { return }
    open.tell(
      plugin.name, next: plugin.subscription.firstUndelivered(end: journal.nextRecord),
      number: plugin.subscription.firstNumber)
    // The log takes no holes of a plugin that it does not know.
    for hole in plugin.subscription.takeLeftOut() { open.spool.leaveOut(plugin.name, hole) }
  }

  func becameSafe(_ open: OpenSpool, _ below: RecordNumber) {
    guard open.isOpen else { return }
    let permit = ledger.permitWriting()
    let wall = WallClock.milliseconds
    open.log.isSynced(below: below)
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

  /// Below which number every record is as safe as the plugins want it; `.max`: nothing is stored.
  /// Until the log is open nothing is safe that came for it.
  var safeBelow: RecordNumber {
    guard let open, isSpooling else { return .max }
    return plugins.isLossless ? open.log.syncedBelow : open.spool.appendedBelow
  }

  // MARK: Trouble

  func failed(_ open: OpenSpool, _ errno: Errno) {
    guard open.isOpen else { return }
    let (first, slices) = open.failed(errno, loop.now)
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
    open.recovered(next: journal.nextRecord)
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
