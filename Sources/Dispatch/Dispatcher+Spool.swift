import Configuration
import Journal
import Linux

extension Dispatcher {
  /// Begins to open the spool when the first durable plugin comes; a source that can wait for
  /// plugins needs none.
  func needSpool(for plugin: Plugin) {
    guard plugin.configuration.overflowAction.isDurable, !source.canWait else { return }
    plugin.subscription.beginStorage(
      Subscription.Storage(window: plugin.configuration.window, isOpening: true))
    guard durable == nil else {
      if let durable, durable.isSettled { begin(plugin, durable) }
      return
    }
    do {
      let queues = try DurableQueues(
        folder: configuration.spoolDirectory, reserve: Int64(configuration.spoolReserve))
      _ = poller.add(queues.spool.descriptor, Token.spool, .read)
      durable = queues
    } catch {
      say(.error, "\(error): durable plugins have their memory only")
    }
  }

  /// Whether a plugin cannot be started before it is known what the spool has for it.
  func awaitsSpool(_ plugin: Plugin) -> Bool {
    plugin.subscription.storage != nil && durable.map { !$0.isSettled } ?? false
  }

  func handleSpool() {
    guard let durable else { return }
    for answer in durable.spool.answers() {
      switch answer {
      case .opened(let opened): spoolOpened(durable, opened)
      case .unusable(let problem):
        durable.trouble = problem
        doWithoutSpool(durable, problem)
      case .safe(let below): becameSafe(durable, below &+ durable.spool.sequenceShift)
      case .loaded(let id, let records): loaded(durable, id, records)
      case .failed(let errno): spoolFailed(durable, errno)
      case .recovered: spoolRecovered(durable)
      }
    }
    scheduleTick(now)
  }

  // MARK: Opening

  private func spoolOpened(_ durable: DurableQueues, _ opened: Spool.Opened) {
    if opened.damaged > 0 {
      say(.error, "the spool has \(opened.damaged) damaged places; what was there is counted")
    }
    let first = durable.early.first.map {
      $0.slice.segment.firstSequence + UInt64($0.slice.start)
    }
    let begin = first ?? journal.nextSequence
    durable.spool.begin(opened, journalNext: begin, journalNextEvent: Self.firstNumber)
    durable.endAtOpening = begin
    durable.cursors = opened.cursors
    durable.state = .open
    for (slice, nextEvent) in durable.early { durable.spool.append(slice, nextEvent: nextEvent) }
    durable.early = []
    for plugin in plugins where plugin.subscription.storage != nil { self.begin(plugin, durable) }
    for name in opened.cursors.keys.sorted() where !plugins.contains(where: { $0.name == name }) {
      leaveBehind(name, durable)
    }
    commit(durable)
  }

  /// A plugin that the log knows and the configuration does not: what it had not read stays, and
  /// nothing new is kept for it.
  private func leaveBehind(_ name: String, _ durable: DurableQueues) {
    guard let cursor = durable.cursors[name] else { return }
    let end = durable.endAtOpening &- durable.spool.sequenceShift
    let waiting = cursor.wanted(of: cursor.next..<max(cursor.next, end))
    if waiting.last.map({ $0.upperBound == end }) ?? (cursor.next >= end) {
      durable.spool.leaveOut(name, durable.endAtOpening..<UInt64.max)
    }
    let records = waiting.reduce(0) { $0 + $1.count }
    guard records > 0 else { return }
    say(.warning, "the spool has \(records) records for plugin \(name), which is not active")
  }

  /// What the log has for a plugin comes before what was taken in since.
  private func begin(_ plugin: Plugin, _ durable: DurableQueues) {
    guard durable.isOpen else { return }
    let shift = durable.spool.sequenceShift
    let isLossless = plugin.configuration.overflowAction == .lossless
    if isLossless { plugin.subscription.setSafe(below: durable.endAtOpening) }
    guard let cursor = durable.cursors[plugin.name] else {
      // It begins now: with all that was taken in since the start, or with what comes.
      plugin.subscription.restore([], bytes: 0, firstNumber: 1)
      return tell(plugin, durable)
    }
    let end = durable.endAtOpening &- shift
    let waiting = cursor.wanted(of: cursor.next..<max(cursor.next, end))
    let records = waiting.reduce(0) { $0 + $1.count }
    plugin.subscription.restore(
      waiting.map { $0.lowerBound &+ shift..<$0.upperBound &+ shift },
      bytes: records * 300, firstNumber: cursor.number)
    if records > 0 { say(.notice, "plugin \(plugin.name): \(records) records wait in the spool") }
    // Holes that were left open when it was not active end here.
    tell(plugin, durable)
  }

  private func doWithoutSpool(_ durable: DurableQueues, _ reason: String) {
    durable.state = .unusable
    durable.early = []
    say(.error, "\(reason): durable plugins have their memory only")
    for plugin in plugins where plugin.subscription.storage != nil {
      plugin.subscription.setStorageTakesRecords(false)
    }
  }

  // MARK: Appending

  /// Puts a batch that was admitted into the log.
  func spool(_ batch: Journal.Batch) {
    guard let durable else { return }
    switch durable.state {
    case .opening:
      for slice in batch.slices { durable.early.append((slice, batch.nextEvent)) }
      if journal.bytes > configuration.journalBytes / 2 {
        doWithoutSpool(durable, "the spool is not open yet")
      }
    case .open:
      for slice in batch.slices { durable.spool.append(slice, nextEvent: batch.nextEvent) }
      commit(durable)
      if durable.spool.pendingBytes > 64 << 20 { spoolFailed(durable, .timedOut) }
    case .failed, .unusable: break
    }
  }

  private func commit(_ durable: DurableQueues) {
    var isLossless = false
    for plugin in plugins where plugin.subscription.storage != nil {
      if plugin.configuration.overflowAction == .lossless { isLossless = true }
      for hole in plugin.subscription.takeLeftOut() { durable.spool.leaveOut(plugin.name, hole) }
      tell(plugin, durable)
    }
    durable.spool.commit(makesSafe: isLossless)
    scheduleTick(now + .seconds(1))
  }

  /// Tells the log where a plugin stands, if that has changed.
  private func tell(_ plugin: Plugin, _ durable: DurableQueues) {
    let next = plugin.subscription.firstUndelivered(end: journal.nextSequence)
    let number = plugin.subscription.firstNumber
    let new = DurableQueues.Told(next: next, number: number)
    guard durable.told[plugin.name] != new else { return }
    durable.told[plugin.name] = new
    durable.spool.setCursor(plugin.name, next: next, number: number)
  }

  private func becameSafe(_ durable: DurableQueues, _ below: UInt64) {
    let wall = WallClock.milliseconds
    for plugin in plugins
    where plugin.subscription.storage != nil && plugin.configuration.overflowAction == .lossless {
      guard case .open = durable.state else { continue }
      plugin.subscription.setSafe(below: below)
      flush(plugin, wall: wall)
    }
  }

  // MARK: Reading back

  /// Asks for what a plugin will read next, when it has room for it.
  func loadStored(_ plugin: Plugin) {
    guard let durable, durable.isSettled, !durable.loading.contains(plugin.id),
      let wanted = plugin.subscription.wanted
    else { return }
    durable.loading.insert(plugin.id)
    durable.spool.load(
      plugin.id, from: wanted.records.lowerBound, bytes: min(wanted.bytes, 256 << 10))
  }

  private func loaded(_ durable: DurableQueues, _ id: UInt32, _ records: LoadedRecords) {
    durable.loading.remove(id)
    guard let plugin = plugin(id) else { return }
    let end = records.through &+ durable.spool.sequenceShift
    let segments = journal.restore(records, from: durable.spool)
    plugin.subscription.readBack(
      segments, through: end, journal: journal, now: WallClock.milliseconds)
    flush(plugin, wall: WallClock.milliseconds)
    if segments.isEmpty {
      scheduleTick(now + .seconds(1))
    } else {
      goOnReadingBack(plugin)
    }
  }

  /// Reads back more for a plugin that has read. One whose socket is full wakes us; another is
  /// looked at again soon.
  func goOnReadingBack(_ plugin: Plugin) {
    guard plugin.subscription.storedRecords > 0 else { return }
    plugin.refresh()
    loadStored(plugin)
    if !plugin.isBlocked, plugin.lifecycle.takesInput { scheduleTick(now + .milliseconds(5)) }
  }

  // MARK: Trouble

  private func spoolFailed(_ durable: DurableQueues, _ errno: Errno) {
    guard case .open = durable.state else { return }
    durable.state = .failed(retry: now + .seconds(5))
    durable.trouble = "\(errno)"
    say(.alert, "the spool takes no records (\(errno)): durable plugins have their memory only")
    for plugin in plugins where plugin.subscription.storage != nil {
      plugin.subscription.setStorageTakesRecords(false)
      plugin.subscription.setSafe(below: .max)
      flush(plugin, wall: WallClock.milliseconds)
    }
  }

  private func spoolRecovered(_ durable: DurableQueues) {
    durable.state = .open
    durable.trouble = nil
    say(.notice, "the spool takes records again")
    for plugin in plugins where plugin.subscription.storage != nil {
      plugin.subscription.storageTakesRecordsAgain(from: journal.nextSequence)
      if plugin.configuration.overflowAction == .lossless {
        plugin.subscription.setSafe(below: journal.nextSequence)
      }
    }
    commit(durable)
  }

  /// What the spool needs as time passes.
  func tendSpool() {
    guard let durable else { return }
    if case .failed(let retry) = durable.state {
      if now >= retry {
        durable.state = .failed(retry: now + .seconds(5))
        for plugin in plugins where plugin.subscription.storage != nil { tell(plugin, durable) }
        durable.spool.retry(journalNext: journal.nextSequence)
      }
      scheduleTick(now + .seconds(1))
    }
    for plugin in plugins where plugin.subscription.storage != nil { goOnReadingBack(plugin) }
    guard durable.isOpen, now >= durable.nextSync else { return }
    durable.nextSync = now + .seconds(1)
    commit(durable)
    durable.spool.sync()
  }

  /// Makes everything safe at the end.
  func closeSpool() {
    guard let durable else { return }
    if durable.isOpen { commit(durable) }
    if !durable.spool.close(within: .seconds(5)) {
      say(.error, "the spool could not be closed in time")
    }
  }
}
