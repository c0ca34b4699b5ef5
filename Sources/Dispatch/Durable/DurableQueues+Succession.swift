import Configuration
import Journal
import Linux

/// What a dead process had for a plugin goes into the plugin's queue, once it is known what the
/// plugin had read, and what the log has.
extension DurableQueues {
  /// A predecessor's child has ended: it is to be seen now what it had read, and confirmed.
  func predecessorsChildEnded(_ ended: ChildSockets) {
    let id = ended.id
    guard
      let plugin = plugins.all.first(where: {
        $0.inheritance?.queue.child == id && $0.inheritance?.isAwaited ?? false
      }), let queue = plugin.inheritance?.queue
    else { return custody.forget(id, ledger.publish()) }
    let sent = ledger.survivor.sent(queue.slot)
    // Where it cannot be told what the child had not read, it is all that was written.
    let unread = UnixSocket.unread(ended.childEnd.number).map(UInt64.init) ?? sent.bytes
    // Looked at, not taken: should this process die now, its successor has to find it.
    let said = UnixSocket.peekAll(ended.ourEnd.number)
    var confirmations = ConfirmationReader()
    var confirmed = confirmations.take(said)
    if let number = confirmed, number >= queue.firstNumber {
      if number >= queue.confirmedAtStart + Int(clamping: sent.records) {
        loop.say(
          .error, "plugin \(plugin.name) confirmed \(number.value), which it was not given")
        confirmed = nil
      }
    } else {
      confirmed = nil
    }
    plugin.learn { share in
      share.sent = (StreamOffset(sent.bytes), sent.records)
      share.unread = unread
      share.unreadRecords = ledger.survivor.unreadRecords(queue.slot, bytes: unread)
      share.confirmed = confirmed
      share.isAwaited = false
    }
    settleInheritance(plugin)
  }

  /// A predecessor's child has ended, and its socket is lost: nobody knows what it had read or
  /// confirmed, so all that was written to it comes again.
  func predecessorsChildIsGone(_ plugin: Plugin, _ queue: Predecessor.Queue) {
    let sent = ledger.survivor.sent(queue.slot)
    plugin.learn { share in
      share.sent = (StreamOffset(sent.bytes), sent.records)
      share.unread = sent.bytes
      share.unreadRecords = ledger.survivor.unreadRecords(queue.slot, bytes: sent.bytes)
      share.confirmed = nil
      share.isAwaited = false
    }
    settleInheritance(plugin)
  }

  /// Settles what was queued, as soon as it is known what the plugin had read, and what the log has.
  func settleInheritance(_ plugin: Plugin) {
    guard let share = plugin.inheritance, !share.isAwaited, !share.isPassingOver else { return }
    if plugin.subscription.isDurable, !isSettled { return }
    plugin.subscription.adoptAnnounced(share.announced, of: share.queue.counters)
    if plugin.subscription.isDurable, let open, open.isReadable {
      return adoptFromLog(plugin, share, open)
    }
    let counters = share.queue.counters
    plugin.subscription.settle(
      queued: counters.queued, bytes: counters.queuedBytes,
      delivered: share.done(confirms: plugin.subscription.confirms))
    overflows.report(plugin)
    finishInheritance(plugin)
  }

  /// The log has what was queued; where in it the plugin was shows by the bytes that it read.
  private func adoptFromLog(_ plugin: Plugin, _ share: Inheritance, _ open: OpenSpool) {
    let queue = share.queue
    let waiting = waiting(plugin.name, queue, open)
    let onDisk = waiting.reduce(0) { $0 + UInt64($1.count) }
    let confirms = plugin.subscription.confirms
    let split = share.split(share.done(confirms: confirms))
    let gone = plugin.subscription.adoptStored(
      waiting, queued: queue.counters.queued, bytes: queue.counters.queuedBytes,
      read: split.inMemory)
    // Where the queue had dropped some of them nothing that is lost goes without being told.
    let again = min(split.awaited, gone - min(gone, split.lost))
    if again > 0 { comeAgain(again, plugin) }
    var left: UInt64 = 0
    // Pieces that were in memory only are known by their numbers alone, and the bytes of gap records
    // are none of the queue's: then what was read is told in records.
    if !confirms, queue.pieces.isEmpty, !queue.awaitsPast, queue.extraEnd <= queue.position,
      let sent = share.sent, sent.bytes >= queue.position + Int(clamping: share.unread)
    {
      left = UInt64(sent.bytes - queue.position) - share.unread
    } else {
      plugin.subscription.passOverStored(min(split.onDisk, onDisk))
      if confirms, !queue.pieces.isEmpty { plugin.subscription.skipNumbers(to: split.number) }
    }
    if let past = share.past { adoptPast(past, plugin, queue, open) }
    plugin.learn { share in
      share.died = gone - again
      share.left = left
    }
    passOver(plugin)
  }

  /// Records of other hosts that no log has died with the predecessor, before their senders were told:
  /// counted, and not lost.
  private func comeAgain(_ records: UInt64, _ plugin: Plugin) {
    plugin.subscription.noteSentAgain(records)
    plugin.report { $0.comeAgain(records) }
    loop.say(
      .notice,
      "plugin \(plugin.name): \(records) records of other hosts were not stored when the process "
        + "died that dispatched; their senders were not told, and send them again")
  }

  /// What the log has from before a predecessor that had not learned of it yet comes before all that was
  /// that one's.
  private func adoptPast(
    _ past: KeptQueue, _ plugin: Plugin, _ queue: Predecessor.Queue, _ open: OpenSpool
  ) {
    var number = past.number
    // What it gave, without a log, it had counted from 1 on.
    if queue.child != nil || queue.restarts > 0 {
      number = max(number, queue.firstNumber + Int(clamping: queue.counters.queued))
    }
    restore(plugin, past.records(below: place(of: queue, open)), number: number, open)
  }

  /// Part of what a dead process had for a plugin is in no log, and is not made again: other hosts'
  /// records that the log was to get next, or this host's own that the ring had no room for any more;
  /// all of it, where there was no log.
  /// Known before any of it is settled, and published with the log's place: another successor would
  /// not see it any more.
  func noteLost(_ plugin: Plugin, _ open: OpenSpool) {
    guard let queue = plugin.inheritance?.queue else { return }
    let awaited = ledger.predecessor?.awaitedFrom ?? .max
    // Other hosts' were never in a queue that has only this host's.
    let end = plugin.takesForeign ? open.lost.upperBound : min(awaited, open.lost.upperBound)
    guard open.lost.lowerBound < end else { return }
    let lost = open.lost.lowerBound..<end
    let before = waiting(plugin.name, queue, open).reduce(0) {
      $0 + max(0, min($1.upperBound, open.endAtOpening) - $1.lowerBound)
    }
    plugin.learn { $0.queue.lose(lost, behind: UInt64(before), awaitedFrom: awaited) }
  }

  /// Where a dead process's queue begins, or would have in the log.
  func place(of queue: Predecessor.Queue, _ open: OpenSpool) -> RecordNumber {
    if queue.undelivered >= open.endAtOpening { return queue.undelivered }
    // It had no log: that one has nothing of it.
    guard let shift = queue.shift else { return open.endAtOpening }
    return min(open.spool.number(shift.logged(queue.undelivered)), open.endAtOpening)
  }

  /// What the log has for a plugin of a dead process.
  private func waiting(
    _ plugin: String, _ queue: Predecessor.Queue, _ open: OpenSpool
  ) -> [Range<RecordNumber>] {
    let spool = open.spool
    // What was taken in again, after the predecessor, may not be in a log that has failed since.
    let last = open.isOpen ? ledger.ownFirst : min(ledger.ownFirst, spool.appendedBelow)
    let end = spool.logged(max(open.endAtOpening, last))
    let from = spool.logged(place(of: queue, open))
    var cursor =
      open.cursors[plugin] ?? SpoolCursor(next: from, number: queue.firstNumber)
    if queue.awaitsPast { cursor.goOn(at: from) }
    return cursor.wanted(of: from..<max(from, end)).map {
      spool.number($0.lowerBound)..<spool.number($0.upperBound)
    }
  }

  /// Counts as delivered what the dead process's child had read, as it is read back.
  func passOver(_ plugin: Plugin) {
    guard let share = plugin.inheritance, let left = share.left else { return }
    let rest = plugin.passOver(left, journal: journal)
    // What was passed over is in the queue's own count of the stream.
    if rest > 0, plugin.subscription.storedRecords > 0 {
      load(plugin)
      return loop.wake(.durable, in: .milliseconds(2))
    }
    let queue = share.queue
    let survivor = ledger.survivor
    let sent =
      share.sent?.records
      ?? (ledger.isStream(queue) ? survivor.sent(queue.slot).records : 0)
    let done =
      plugin.subscription.confirms
      ? UInt64(plugin.subscription.firstNumber - queue.confirmedAtStart)
      : plugin.subscription.counters.delivered - queue.deliveredAtStart
    plugin.subscription.beginAgain(repeated: sent - min(sent, done), journal: journal)
    plugin.subscription.announceDied(share.died)
    overflows.report(plugin)
    finishInheritance(plugin)
  }

  private func finishInheritance(_ plugin: Plugin) {
    guard let share = plugin.inheritance else { return }
    plugin.inherited()
    let permit = ledger.publish()
    if let child = share.queue.child { custody.forget(child, permit) }
    if let open, open.isOpen, plugin.subscription.isDurable { commit(open) }
    loop.wakeAll()
  }
}
