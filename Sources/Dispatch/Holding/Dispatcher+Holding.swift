import AuditRecord
import CAudispatch
import Configuration
import Glibc
import Journal
import Linux

/// What a dead process had for a plugin, on its way into the plugin's queue.
struct Inheritance {
  var queue: Predecessor.Queue
  /// Its child may still run, and read.
  var isAwaited: Bool
  /// What was written to the child: bytes and whole records.
  var sent: (bytes: UInt64, records: UInt64)?
  /// What of it the child had not read.
  var unread: UInt64 = 0
  var unreadRecords: UInt64 = 0
  /// The highest number that it confirmed last.
  var confirmed: StreamNumber?
  /// Bytes that the child had read, of records that are read back now to know which these were.
  var left: UInt64?

  /// Lost with the predecessor's memory, and not announced yet.
  var died: UInt64 = 0

  var isPassingOver: Bool { left != nil }

  /// How many records of its queue the child had read, or confirmed, that the predecessor did not
  /// know of.
  func done(confirms: Bool) -> UInt64 {
    let done: UInt64
    if confirms {
      done = confirmed.map { UInt64(max(0, $0 + 1 - queue.firstNumber)) } ?? 0
    } else {
      let sent = sent?.records ?? 0
      let total = queue.deliveredAtStart + sent - min(sent, unreadRecords)
      done = max(total, queue.counters.delivered) - queue.counters.delivered
    }
    return min(done, queue.counters.queued)
  }

  /// Dropped records that the child had read gap records of.
  var announced: UInt64 {
    guard let sent, sent.bytes >= queue.extraEnd + unread else { return queue.announced.read }
    return queue.announced.written
  }

  /// Of so many records read, those on disk and those in memory only; and with what number the first
  /// one goes on that is left, so that none has the number of another.
  func split(_ done: UInt64) -> (onDisk: UInt64, inMemory: UInt64, number: StreamNumber) {
    var left = done
    var (onDisk, inMemory) = (UInt64(0), UInt64(0))
    // Lost in front of what is left, and behind some of it.
    var (lost, isLostBehind, hasLeft) = (UInt64(0), false, false)
    for piece in queue.pieces {
      let read = min(left, piece >> 1)
      left -= read
      if piece & 1 == 1 {
        onDisk += read
        hasLeft = hasLeft || read < piece >> 1
      } else {
        inMemory += read
        if read < piece >> 1 {
          isLostBehind = isLostBehind || hasLeft
          if !hasLeft { lost += piece >> 1 - read }
        }
      }
    }
    let number =
      queue.firstNumber + Int(clamping: isLostBehind ? queue.counters.queued : done &+ lost)
    return (onDisk, inMemory, number)
  }
}

/// Leaving behind what a successor needs.
extension Dispatcher {
  /// Makes the state as it is now that which a successor finds. Nothing may be written to a plugin,
  /// or consumed of what it says, that was not published before.
  func publish() {
    guard survivor.isHeld else { return }
    unsafe survivor.publish { snapshot in
      let settled = source.settled
      unsafe snapshot.pointee.settled = settled.byte
      unsafe snapshot.pointee.settled_sequence = settled.record.value
      unsafe withUnsafeBytes(of: settled.reader) { reader in
        unsafe withUnsafeMutableBytes(of: &snapshot.pointee.reader) { kept in
          unsafe kept.copyMemory(from: reader)
        }
      }
      unsafe snapshot.pointee.taken = source.taken
      unsafe withUnsafeBytes(of: source.reader) { reader in
        unsafe withUnsafeMutableBytes(of: &snapshot.pointee.taken_reader) { kept in
          unsafe kept.copyMemory(from: reader)
        }
      }
      unsafe snapshot.pointee.next_sequence = journal.nextRecord.value
      unsafe snapshot.pointee.next_event = journal.nextEvent.value
      unsafe snapshot.pointee.records = source.records
      unsafe snapshot.pointee.bytes = source.bytes
      unsafe snapshot.pointee.events = events
      unsafe withUnsafeMutableBytes(of: &snapshot.pointee.malformed) { raw in
        for (index, count) in source.malformed.enumerated() {
          unsafe raw.storeBytes(of: count, toByteOffset: 8 * index, as: UInt64.self)
        }
      }
      let place = placeInLog
      unsafe snapshot.pointee.spool_shift = place.shift
      var used = 0
      let end = journal.nextRecord
      for plugin in plugins {
        guard let slot = plugin.slot else { continue }
        unsafe plugin.left(end: end, place).store(
          &ad_snapshot_plugin(snapshot, Int32(slot)).pointee)
        used = max(used, slot + 1)
      }
      unsafe snapshot.pointee.plugins = UInt64(used)
    }
  }

  /// The journal's numbers less the log's, of records from that one on; until this process has
  /// opened the log, as a predecessor had them. 0: there was no log.
  private var placeInLog: (shift: UInt64, from: RecordNumber) {
    guard let durable, durable.isSettled else { return (predecessor?.spoolShift ?? 0, .max) }
    return (durable.spool.recordShift, durable.endAtOpening)
  }

  /// Events begun, by predecessors too.
  var events: UInt64 { eventsBefore &+ journal.eventsBegun }

  /// Gives a plugin its place in the surviving memory, and what a predecessor had for it.
  func takeSlot(_ plugin: Plugin) {
    guard survivor.isHeld, plugin.name.utf8.count <= Survivor.maximumName else { return }
    if isTakingOver, let queue = predecessor?.queues[plugin.name] {
      plugin.slot = queue.slot
      plugin.subscription.confirms = plugin.configuration.confirms
      plugin.subscription.adopt(queue.counters, firstNumber: queue.firstNumber)
      plugin.subscription.encoding = queue.encoding
      plugin.lifecycle.adopt(restarts: queue.restarts)
      plugin.deliveredBefore = queue.counters.delivered
      plugin.dropsReported = plugin.subscription.counters
      let isStream = queue.child != 0 && survivor.child(queue.slot) == queue.child
      plugin.inheritance = Inheritance(
        queue: queue,
        isAwaited: isStream
          && (holder?.kept[queue.child] != nil || keptSockets[queue.child] != nil))
      return
    }
    var taken = Set(plugins.compactMap(\.slot))
    if isTakingOver { taken.formUnion(predecessor?.queues.values.map(\.slot) ?? []) }
    plugin.slot = (0..<Survivor.maximumPlugins).first { !taken.contains($0) }
    if let slot = plugin.slot {
      survivor.setName(slot, plugin.name)
    } else {
      say(
        .error,
        "plugin \(plugin.name): more than \(Survivor.maximumPlugins) plugins: what it has queued is "
          + "not counted should the dispatching process die")
    }
  }

  /// Lets go of a plugin that is configured no more.
  func remove(_ plugin: Plugin) {
    plugins.removeAll { $0.id == plugin.id }
    if let slot = plugin.slot { survivor.setName(slot, "") }
  }

  /// A child was started: should this process die, others have its socket.
  func keep(_ plugin: Plugin) {
    guard let slot = plugin.slot, let pid = plugin.child?.pid, let ourEnd = plugin.ourEnd?.number,
      let childEnd = plugin.childEnd?.number
    else { return }
    nextChild += 1
    plugin.childNumber = survivor.generation << 32 | nextChild
    plugin.confirmedAtStart = plugin.subscription.firstNumber
    survivor.beginChild(slot, plugin.name, plugin.childNumber)
    publish()
    holder?.keep(plugin.childNumber, pid, ourEnd: ourEnd, childEnd: childEnd)
    service?.keep(plugin.childNumber, ourEnd: ourEnd, childEnd: childEnd)
  }

  /// A child's end was seen, and its queue knows of it.
  func letGo(_ plugin: Plugin) {
    guard plugin.slot != nil, plugin.childNumber != 0 else { return }
    let number = plugin.childNumber
    plugin.childNumber = 0
    publish()
    forgetChild(number)
  }

  /// All that is to be known of a child is in the surviving memory.
  private func forgetChild(_ number: UInt64) {
    holder?.forget(number)
    service?.forget(number)
  }
}

extension Plugin {
  /// What a successor is to know of it.
  ///
  /// - Parameters:
  ///   - end: the number of the next record of the journal.
  ///   - place: where in the log its records are, from one on.
  @inline(__always)
  fileprivate func left(
    end: RecordNumber, _ place: (shift: UInt64, from: RecordNumber)
  ) -> Predecessor.Queue {
    let state = subscription.state(end: end)
    if var queue = inheritance?.queue {
      queue.counters = state.counters
      queue.firstNumber = state.firstNumber
      if inheritance?.isPassingOver ?? false {
        queue.undelivered = state.undelivered
        queue.position += state.position
        queue.shift = place.shift
      } else if queue.undelivered >= place.from {
        queue.shift = place.shift
      }
      return queue
    }
    return Predecessor.Queue(
      slot: slot ?? 0, counters: state.counters, undelivered: state.undelivered,
      shift: place.shift,
      position: state.position, extraEnd: state.stream.extraEnd,
      deliveredAtStart: deliveredAtStart, confirmedAtStart: confirmedAtStart,
      firstNumber: state.firstNumber, restarts: lifecycle.restarts, child: childNumber,
      encoding: state.encoding, announced: state.announced,
      pieces: state.pieces.isEmpty
        ? [] : state.pieces.map { $0.records << 1 | ($0.isOnDisk ? 1 : 0) })
  }
}

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
    guard survivor.isHeld else { return }
    if let holder { _ = poller.add(holder.number, Token.holder, .read) }
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
    let isThere = holder.receive { ended in predecessorsChildEnded(ended) }
    guard !isThere else { return }
    poller.remove(holder.number)
    self.holder = nil
    say(.warning, "the process that holds the input is gone: no other takes over from this one")
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
