import Configuration
import Journal
import Linux
import RemoteProtocol

/// Queues that go on on disk: one log for all of them, opened when the first durable plugin comes.
///
/// A source that can wait for plugins needs none.
final class DurableQueues: Owner {
  let base: Base
  let ledger: Ledger
  let custody: Custody
  let delivery: Delivery
  let overflows: OverflowActions
  /// What of other hosts' records is stored: written with them.
  let senders: SenderFile?
  private(set) var open: OpenSpool?
  let kept = KeptQueues()
  /// Whether the spool's folder has something is being found out, since then.
  private var search: (work: SpoolSearch, since: Moment)?

  init(
    _ base: Base, _ ledger: Ledger, _ custody: Custody, _ delivery: Delivery,
    _ overflows: OverflowActions, senders: SenderLedger?
  ) {
    self.base = base
    self.ledger = ledger
    self.custody = custody
    self.delivery = delivery
    self.overflows = overflows
    self.senders = senders.map { SenderFile(base.loop, $0) }
  }

  /// Whether it is not known yet if something waits in the spool.
  var isSearching: Bool { search != nil }
  /// Whether nothing has to be waited for: there is no log, or it is known what it has.
  var isSettled: Bool { open?.isSettled ?? true }
  /// Bytes handed to the log and not in it yet.
  var pendingBytes: Int { open?.spool.pendingBytes ?? 0 }

  /// Whether a plugin cannot be started before it is known what the log has for it.
  func awaits(_ plugin: Plugin) -> Bool { plugin.subscription.isDurable && !isSettled }

  // MARK: Opening

  /// A plugin was added: begins to open the spool if it is durable.
  func take(_ plugin: Plugin) {
    guard plugin.configuration.overflowAction.isDurable, !source.canWait else { return }
    let wasOpen = open?.isSettled ?? false
    if open == nil { openSpool() }
    plugin.subscription.goOn(
      in: open?.log ?? .none, beyond: plugin.configuration.window,
      waitsForSync: plugin.configuration.overflowAction == .lossless)
    guard let open else { return plugin.subscription.doWithoutLog() }
    if wasOpen { begin(plugin, open, from: journal.nextRecord) }
  }

  /// Opens a spool in which something waits though no plugin is durable now, to report it and to
  /// give it up in time. Its folder may not answer, and is looked into by a thread.
  func openLeft() {
    guard open == nil, !source.canWait else { return }
    let new = SpoolSearch(settings.daemon.spoolDirectory)
    do throws(SystemError) {
      try WorkThread(new).detach()
      search = (new, loop.now)
      loop.wakeAll()
    } catch { loop.say(.error, "whether something waits in the spool is not looked at: \(error)") }
  }

  /// Opens what was found, or looks again when it will have been.
  private func tendSearch() {
    guard let (work, since) = search else { return }
    guard let hasRecords = work.result else {
      return loop.wake(
        .durable, in: loop.now - since < .seconds(1) ? .milliseconds(5) : .seconds(1))
    }
    search = nil
    loop.wakeAll()
    if hasRecords, open == nil, ending.isRunning { openSpool() }
  }

  private func openSpool() {
    do {
      let new = try OpenSpool(
        folder: settings.daemon.spoolDirectory, reserve: Int64(settings.daemon.spoolReserve),
        mayOpen: runtime.isOurs, beside: senders?.form)
      do throws(SystemError) {
        try loop.poller.watch(new.spool.descriptor, Token.spool, .read)
      } catch {
        _ = new.spool.close(within: .zero)
        throw error
      }
      open = new
    } catch {
      loop.say(.error, "\(error): durable plugins have their memory only")
    }
  }

  /// No other dispatcher has the runtime folder. Before that the spool is left to whoever has: it would
  /// wait for the spool, and we for the folder.
  func noOtherHasFolder() { open?.spool.allowOpening() }

  /// Takes what the log's thread says.
  func hear() {
    guard let open else { return }
    for answer in open.spool.answers() {
      switch answer {
      case .opened(let opened) where open.isSettled: wasOpenedTooLate(opened)
      case .opened(let opened): wasOpened(open, opened)
      case .unusable(let problem): doWithout(open, problem)
      case .safe(let below):
        becameSafe(open, open.spool.number(below))
        // Other hosts are told, and the next input goes on behind what the log has.
        loop.wake(.remote, at: loop.now)
        loop.wake(.nextInputs, at: loop.now)
        continue
      case .loaded(let id, let records):
        loaded(open, id, records)
        continue
      case .failed(let errno):
        open.retryHasFailed()
        failed(open, errno)
      case .recovered: recovered(open)
      case .besideFailed(let error): senders?.failed(error)
      }
      loop.wakeAll()
    }
  }

  /// Durable plugins were given up for the log, and have begun without it: what it has would come
  /// between their records.
  private func wasOpenedTooLate(_ opened: Spool.Opened) {
    let waits = opened.cursors.isEmpty ? "" : ", and gives them what waits there"
    loop.say(
      .warning,
      "the spool could be opened only now, too late: durable plugins have their memory only; the next "
        + "start uses it\(waits)")
  }

  private func wasOpened(_ open: OpenSpool, _ opened: Spool.Opened) {
    if opened.damaged > 0 {
      loop.say(
        .error, "the spool has \(opened.damaged) damaged places; what was there is counted")
    }
    let begin = open.begin(
      opened, shift: ledger.predecessor?.spoolShift, end: journal.nextRecord,
      nextEvent: ledger.predecessor?.nextEvent ?? Ledger.firstEvent)
    ledger.logIsKnown(shift: open.spool.shift, from: begin)
    senders?.begin(opened)
    for (name, cursor) in opened.cursors {
      // What a predecessor had read and not appended was for those that were active.
      let end = plugins.named(name) != nil ? max(begin, ledger.ownFirst) : begin
      kept.keep(
        KeptQueue(cursor, of: open.spool, end: end, now: KeptQueue.seconds), of: name)
    }
    // A plugin that was added when there was no log does without.
    let waiting = plugins.durable.filter { $0.subscription.awaitsLog }
    for plugin in waiting { noteLost(plugin, open) }
    for plugin in waiting { self.begin(plugin, open, from: begin) }
    reportKept(open, from: begin)
    commit(open)
  }

  /// What the log has for a plugin comes before what is taken in from that record on.
  private func begin(_ plugin: Plugin, _ open: OpenSpool, from first: RecordNumber) {
    if open.isUnusable { return plugin.subscription.doWithoutLog() }
    let queue = kept.take(plugin.name)
    if let share = plugin.inheritance {
      if share.queue.awaitsPast {
        plugin.learn { $0.past = queue }
        endLeavingOut(plugin, queue, open, at: place(of: share.queue, open))
      }
      return settleInheritance(plugin)
    }
    restore(plugin, queue?.records ?? [], number: queue?.number ?? StreamNumber(1), open)
    endLeavingOut(plugin, queue, open, at: first)
    tell(plugin, open)
  }

  /// Puts what the log has from before in front of a plugin's queue.
  func restore(
    _ plugin: Plugin, _ ranges: [Range<RecordNumber>], number: StreamNumber, _ open: OpenSpool
  ) {
    let records = ranges.reduce(0) { $0 + UInt64($1.count) }
    plugin.subscription.restore(
      ranges, bytes: Int(clamping: min(records, 1 << 40)) * open.averageBytes, firstNumber: number)
    if records > 0 {
      loop.say(.notice, "plugin \(plugin.name): \(records) records wait in the spool")
    }
  }

  /// A plugin that was gone gets what comes from that record on.
  private func endLeavingOut(
    _ plugin: Plugin, _ queue: KeptQueue?, _ open: OpenSpool, at first: RecordNumber
  ) {
    guard let from = queue?.leftOutFrom else { return }
    open.spool.leaveOut(plugin.name, from..<max(from, first))
  }

  func doWithout(_ open: OpenSpool, _ reason: String) {
    open.becameUnusable(reason, from: ledger.ownFirst)
    ledger.logIsKnown(shift: open.spool.shift, from: open.endAtOpening)
    // Should it be opened after all, nobody waits for it any more, and others may have it.
    open.spool.giveUp()
    loop.say(.error, "\(reason): durable plugins have their memory only")
    for plugin in plugins.durable {
      plugin.subscription.doWithoutLog()
      settleInheritance(plugin)
    }
  }

  // MARK: As time passes, and the end

  func tend() {
    tendSearch()
    senders?.tend()
    guard let open else { return }
    if open.hasFailed {
      if open.beginRetry(loop.now) {
        for plugin in plugins.durable { tell(plugin, open) }
        open.spool.retry(next: journal.nextRecord)
      }
      loop.wake(.durable, in: .seconds(1))
    }
    for plugin in plugins.durable { goOnReadingBack(plugin) }
    open.log.forgetLacks(below: firstWanted)
    giveUpKept(open)
    guard open.beginSync(loop.now) else { return }
    commit(open)
    open.spool.sync()
  }

  /// The first record that any durable plugin is still to get.
  private var firstWanted: RecordNumber {
    plugins.durable.reduce(.max) { min($0, $1.subscription.firstUndelivered(end: .max)) }
  }

  /// Makes everything safe.
  func close() {
    guard let open else { return }
    if open.isOpen { commit(open) }
    if !open.spool.close(within: .seconds(5)) {
      loop.say(.error, "the spool could not be closed in time")
    }
  }
}
