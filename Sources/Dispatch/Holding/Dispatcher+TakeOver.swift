import Configuration
import Journal
import Linux

/// Taking over from a process that died.
extension Dispatcher {
  /// Deaths in a row at one place of the input, by a fault of this program's own, after which that
  /// input is passed over.
  private static let maximumCrashes = 5

  /// Begins where a predecessor was, if there was one: makes records again of what no log has yet,
  /// which no plugin is given again.
  func takeOver() {
    isTakingOver = false
    ownFirst = journal.nextRecord
    if let holder { _ = poller.add(holder.number, Token.holder, .read) }
    guard survivor.isHeld else { return }
    guard let predecessor else {
      _ = survivor.enter(at: 0)
      return publish()
    }
    let attempts = survivor.enter(at: predecessor.nextRecord.value)
    let count = predecessor.nextRecord - predecessor.settled.record
    journal.beginBatch()
    source.takeAgain(
      count, into: journal, isNeeded: isSpooling, until: predecessor.taken)
    if journal.batch.records > 0 { spool(journal.batch) }
    ownFirst = journal.nextRecord
    eventsBefore = predecessor.events &- journal.eventsBegun
    if attempts >= Self.maximumCrashes, holder?.crashes ?? 0 >= Self.maximumCrashes,
      source.pendingBytes > 0
    {
      say(
        .alert,
        "\(source.pendingBytes) bytes of input are passed over: with them the dispatching process "
          + "died \(attempts) times")
      source.passOverPending()
    }
    if !source.goesOn { takeRest() }
    for (name, queue) in predecessor.queues where !plugins.contains(where: { $0.name == name }) {
      survivor.setName(queue.slot, "")
    }
    publish()
    for plugin in plugins where plugin.inheritance?.isAwaited == false {
      settleInheritance(plugin)
    }
    // Read, and no records yet: nothing else may come that would have them taken.
    if source.goesOn, source.pendingBytes > 0 { takeRecords() }
  }

  /// What the predecessor read last is the end of its stream: nobody kept that.
  private func takeRest() {
    source.markEnded(isCut: !source.canWait)
    takeRecords()
    if source.pendingBytes > 0 { source.passOverPending() }
  }

  /// Takes the holder's messages.
  func hearHolder() {
    guard let holder else { return }
    let isThere = holder.receive { news in
      switch news {
      case .ended(let child): predecessorsChildEnded(child)
      case .front(let link): inputs.link = link
      case .input(let handed): inputCame(handed)
      }
    }
    guard !isThere else { return }
    poller.remove(holder.number)
    self.holder = nil
    say(.warning, "the process that holds the input is gone: no other takes over from this one")
    keeperIsGone()
  }

  /// It is to be seen now what a child had read, and confirmed.
  func predecessorsChildEnded(_ ended: ChildSockets) {
    let id = ended.id
    guard
      let plugin = plugins.first(where: {
        $0.inheritance?.queue.child == id && $0.inheritance?.isAwaited ?? false
      }), let queue = plugin.inheritance?.queue
    else {
      return forgetChild(id)
    }
    // Looked at, not taken: should this process die now, its successor has to find it.
    let unread = UnixSocket.peekAll(ended.childEnd.number)
    let said = UnixSocket.peekAll(ended.ourEnd.number)
    var confirmations = ConfirmationReader()
    let sent = survivor.sent(queue.slot)
    plugin.inheritance?.sent = sent
    plugin.inheritance?.unread = UInt64(unread.count)
    plugin.inheritance?.unreadRecords = Unread.records(
      unread, queue.encoding, of: plugin.name)
    if let number = confirmations.take(said).map(StreamNumber.init), number >= queue.firstNumber {
      if number < queue.confirmedAtStart + Int(clamping: sent.records) {
        plugin.inheritance?.confirmed = number
      } else {
        say(.error, "plugin \(plugin.name) confirmed \(number.value), which it was not given")
      }
    }
    plugin.inheritance?.isAwaited = false
    settleInheritance(plugin)
  }

  /// Settles what was queued, as soon as it is known what the plugin had read, and what the log has.
  func settleInheritance(_ plugin: Plugin) {
    guard let inheritance = plugin.inheritance, !inheritance.isAwaited, !inheritance.isPassingOver
    else { return }
    if plugin.subscription.isDurable, let durable, !durable.isSettled { return }
    plugin.subscription.adoptAnnounced(inheritance.announced, of: inheritance.queue.counters)
    if plugin.subscription.isDurable, let durable, durable.isReadable {
      return adoptFromLog(plugin, inheritance, durable)
    }
    let queue = inheritance.queue
    plugin.subscription.settle(
      queued: queue.counters.queued, bytes: queue.counters.queuedBytes,
      delivered: inheritance.done(confirms: plugin.subscription.confirms))
    reportDrops(plugin)
    finishInheritance(plugin)
  }

  /// The log has what was queued; where in it the plugin was shows by the bytes that it read.
  private func adoptFromLog(
    _ plugin: Plugin, _ inheritance: Inheritance, _ durable: DurableQueues
  ) {
    let queue = inheritance.queue
    let spool = durable.spool
    // What was taken in again, after the predecessor, may not be in a log that has failed since.
    let last = durable.isOpen ? ownFirst : min(ownFirst, durable.spool.appendedBelow)
    let end = spool.logged(max(durable.endAtOpening, last))
    let from =
      queue.undelivered >= durable.endAtOpening
      ? spool.logged(queue.undelivered)
      : min(
        queue.undelivered.value &- (queue.shift ?? spool.recordShift),
        spool.logged(durable.endAtOpening))
    let cursor =
      durable.cursors[plugin.name] ?? SpoolCursor(next: from, number: queue.firstNumber.value)
    let waiting = cursor.wanted(of: from..<max(from, end)).map {
      spool.number($0.lowerBound)..<spool.number($0.upperBound)
    }
    let onDisk = waiting.reduce(0) { $0 + UInt64($1.count) }
    let confirms = plugin.subscription.confirms
    let done = inheritance.done(confirms: confirms)
    // Pieces that are in memory only are known by their numbers alone, and the bytes of gap records
    // are none of the queue's: then what was read is told in records.
    let split =
      queue.pieces.isEmpty
      ? (done, 0, queue.firstNumber + Int(clamping: done)) : inheritance.split(done)
    plugin.inheritance?.died = plugin.subscription.adoptStored(
      waiting, queued: queue.counters.queued, bytes: queue.counters.queuedBytes, read: split.1)
    plugin.inheritance?.left = 0
    if !confirms, queue.pieces.isEmpty, queue.extraEnd <= queue.position,
      let sent = inheritance.sent,
      sent.bytes >= queue.position + inheritance.unread
    {
      plugin.inheritance?.left = sent.bytes - queue.position - inheritance.unread
    } else {
      plugin.subscription.passOverStored(min(split.0, onDisk))
      if confirms, !queue.pieces.isEmpty { plugin.subscription.skipNumbers(to: split.2) }
    }
    passOver(plugin)
  }

  /// Counts as delivered what the dead process's child had read, as it is read back.
  func passOver(_ plugin: Plugin) {
    guard let inheritance = plugin.inheritance, let left = inheritance.left else { return }
    let rest = plugin.subscription.passOver(left, journal: journal, scratch: &scratch)
    plugin.inheritance?.left = rest
    // What was passed over is in the queue's own count of the stream.
    if rest > 0, plugin.subscription.storedRecords > 0 {
      loadStored(plugin)
      return scheduleTick(now + .milliseconds(2))
    }
    let queue = inheritance.queue
    let sent =
      inheritance.sent?.records
      ?? (survivor.child(queue.slot) == queue.child ? survivor.sent(queue.slot).records : 0)
    let done =
      plugin.subscription.confirms
      ? UInt64(plugin.subscription.firstNumber - queue.confirmedAtStart)
      : plugin.subscription.counters.delivered - queue.deliveredAtStart
    plugin.subscription.beginAgain(repeated: sent - min(sent, done), journal: journal)
    plugin.subscription.announceDied(inheritance.died)
    reportDrops(plugin)
    finishInheritance(plugin)
  }

  private func finishInheritance(_ plugin: Plugin) {
    guard let child = plugin.inheritance?.queue.child else { return }
    plugin.inheritance = nil
    publish()
    if child != 0 { forgetChild(child) }
    if let durable, durable.isOpen, plugin.subscription.isDurable { commit(durable) }
    scheduleTick(now)
  }

  /// Where the opened log goes on in the journal: there where a predecessor had come with it.
  func placeOfLog(_ opened: Spool.Opened, _ durable: DurableQueues) -> RecordNumber {
    let first = durable.early.first?.slice.numbers.lowerBound ?? journal.nextRecord
    guard let shift = predecessor?.spoolShift else { return first }
    let place = RecordNumber(opened.nextSequence &+ shift)
    if place < first { return first }
    durable.early = durable.early.compactMap { early in
      early.slice.from(place).map { ($0, early.nextEvent) }
    }
    return min(place, journal.nextRecord)
  }
}
