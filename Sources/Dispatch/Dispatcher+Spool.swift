import Configuration
import Glibc
import Journal
import Linux

extension Dispatcher {
  /// Begins to open the spool when the first durable plugin comes; a source that can wait for
  /// plugins needs none.
  func needSpool(for plugin: Plugin) {
    guard plugin.configuration.overflowAction.isDurable, !source.canWait else { return }
    let wasOpen = durable?.isSettled ?? false
    if durable == nil { openSpool() }
    plugin.subscription.goOn(
      in: durable?.log ?? .none, beyond: plugin.configuration.window,
      waitsForSync: plugin.configuration.overflowAction == .lossless)
    guard let durable else { return plugin.subscription.doWithoutLog() }
    if wasOpen { begin(plugin, durable, from: journal.nextRecord) }
  }

  /// Opens a spool in which something waits though no plugin is durable now, to report it and to
  /// give it up in time.
  func openLeftSpool() {
    guard durable == nil, !source.canWait,
      let names = try? Files.names(in: configuration.spoolDirectory),
      names.contains(where: { $0.hasSuffix(".spool") })
    else { return }
    openSpool()
  }

  private func openSpool() {
    do {
      let queues = try DurableQueues(
        folder: configuration.spoolDirectory, reserve: Int64(configuration.spoolReserve))
      do throws(SystemError) {
        try poller.watch(queues.spool.descriptor, Token.spool, .read)
      } catch {
        _ = queues.spool.close(within: .zero)
        throw error
      }
      durable = queues
    } catch {
      say(.error, "\(error): durable plugins have their memory only")
    }
  }

  /// Whether a plugin cannot be started before it is known what the spool has for it.
  func awaitsSpool(_ plugin: Plugin) -> Bool {
    plugin.subscription.isDurable && durable.map { !$0.isSettled } ?? false
  }

  func handleSpool() {
    guard let durable else { return }
    for answer in durable.spool.answers() {
      switch answer {
      case .opened(let opened): spoolOpened(durable, opened)
      case .unusable(let problem):
        durable.trouble = problem
        doWithoutSpool(durable, problem)
      case .safe(let below): becameSafe(durable, durable.spool.number(below))
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
    let begin = placeOfLog(opened, durable)
    durable.spool.begin(
      opened, next: begin, nextEvent: predecessor?.nextEvent ?? Self.firstEvent)
    durable.endAtOpening = begin
    durable.log.takesRecords(from: begin)
    durable.averageBytes = opened.averageBytes
    durable.openMicroseconds = opened.microseconds
    durable.state = .open
    for (slice, nextEvent) in durable.early {
      durable.spool.append(slice, nextEvent: nextEvent)
      durable.pending.append(slice)
    }
    durable.early = []
    durable.cursors = opened.cursors
    for (name, cursor) in opened.cursors {
      // What a predecessor had read and not appended was for those that were active.
      let isActive = plugins.contains { $0.name == name }
      let end = isActive ? max(begin, ownFirst) : begin
      durable.kept[name] = KeptQueue(
        cursor, of: durable.spool, end: end, now: Self.wallSeconds)
    }
    for plugin in plugins where plugin.subscription.isDurable {
      self.begin(plugin, durable, from: begin)
    }
    for name in durable.kept.keys.sorted() {
      leaveBehind(name, durable, from: begin)
      let records = durable.kept[name]?.count ?? 0
      guard records > 0 else { continue }
      let isActive = plugins.contains { $0.name == name }
      say(
        .warning,
        "the spool has \(records) records for plugin \(name), which "
          + (isActive ? "does not spill any more" : "is not active"))
    }
    commit(durable)
  }

  /// What the log has for a plugin comes before what is taken in from that record on.
  private func begin(_ plugin: Plugin, _ durable: DurableQueues, from first: RecordNumber) {
    if case .unusable = durable.state {
      return plugin.subscription.doWithoutLog()
    }
    if plugin.inheritance != nil {
      durable.kept[plugin.name] = nil
      return settleInheritance(plugin)
    }
    let kept = durable.kept.removeValue(forKey: plugin.name)
    let records = kept?.count ?? 0
    plugin.subscription.restore(
      kept?.records ?? [], bytes: Int(clamping: min(records, 1 << 40)) * durable.averageBytes,
      firstNumber: kept?.number ?? StreamNumber(1))
    if let from = kept?.leftOutFrom {
      durable.spool.leaveOut(plugin.name, from..<max(from, first))
    }
    if records > 0 { say(.notice, "plugin \(plugin.name): \(records) records wait in the spool") }
    tell(plugin, durable)
  }

  private func doWithoutSpool(_ durable: DurableQueues, _ reason: String) {
    durable.state = .unusable
    durable.log.isUnusable(from: ownFirst)
    durable.early = []
    say(.error, "\(reason): durable plugins have their memory only")
    for plugin in plugins where plugin.subscription.isDurable {
      plugin.subscription.doWithoutLog()
      settleInheritance(plugin)
    }
  }

  // MARK: Appending

  /// Puts a batch that was admitted into the log.
  func spool(_ batch: Journal.Batch) {
    guard let durable, isSpooling else { return }
    switch durable.state {
    case .opening:
      for slice in batch.slices { durable.early.append((slice, batch.nextEvent)) }
      if journal.bytes > configuration.journalBytes / 2 {
        doWithoutSpool(durable, "the spool is not open yet")
      }
    case .open:
      let appended = durable.spool.appendedBelow
      source.settle(below: appended)
      durable.forgetPending(below: appended)
      for slice in batch.slices {
        durable.spool.append(slice, nextEvent: batch.nextEvent)
        durable.pending.append(slice)
      }
      commit(durable)
      if durable.spool.pendingBytes > 64 << 20 { spoolFailed(durable, .timedOut) }
    case .failed, .unusable: break
    }
  }

  /// Whether records are put into the log, now or as soon as it is open.
  var isSpooling: Bool {
    guard let durable, durable.takesRecords else { return false }
    return plugins.contains { $0.subscription.isDurable }
  }

  func commit(_ durable: DurableQueues) {
    // The log must not be ahead of what a successor would begin with.
    publish()
    var isLossless = false
    for plugin in plugins where plugin.subscription.isDurable {
      if plugin.configuration.overflowAction == .lossless { isLossless = true }
      tell(plugin, durable)
    }
    durable.spool.commit(makesSafe: isLossless)
    scheduleTick(now + .seconds(1))
  }

  /// Tells the log what a plugin is not to get, and where it stands, if that has changed.
  func tell(_ plugin: Plugin, _ durable: DurableQueues) {
    guard plugin.inheritance?.isPassingOver ?? true else { return }
    let next = plugin.subscription.firstUndelivered(end: journal.nextRecord)
    let number = plugin.subscription.firstNumber
    let new = DurableQueues.Told(next: next, number: number)
    if durable.told[plugin.name] != new {
      durable.told[plugin.name] = new
      durable.spool.setCursor(plugin.name, next: next, number: number)
    }
    // The log takes no holes of a plugin that it does not know.
    for hole in plugin.subscription.takeLeftOut() { durable.spool.leaveOut(plugin.name, hole) }
  }

  private func becameSafe(_ durable: DurableQueues, _ below: RecordNumber) {
    let wall = WallClock.milliseconds
    guard durable.isOpen else { return }
    durable.log.isSynced(below: below)
    source.settle(below: below)
    for plugin in plugins
    where plugin.subscription.isDurable && plugin.configuration.overflowAction == .lossless {
      if plugin.inheritance == nil { flush(plugin, wall: wall) }
    }
  }

  /// A plugin may have become lossless, or be it no more.
  func applySafety(to plugin: Plugin) {
    plugin.subscription.setWaitsForSync(plugin.configuration.overflowAction == .lossless)
    flush(plugin, wall: WallClock.milliseconds)
  }

  // MARK: Reading back

  /// Asks for what a plugin will read next, when it has room for it.
  func loadStored(_ plugin: Plugin) {
    guard let durable, durable.isSettled, !durable.loading.contains(plugin.id),
      now >= plugin.nextLoad,
      plugin.inheritance?.isPassingOver ?? true,
      let wanted = plugin.subscription.wanted
    else { return }
    durable.loading.insert(plugin.id)
    durable.spool.load(
      plugin.id, from: wanted.records.lowerBound, bytes: min(wanted.bytes, 256 << 10))
  }

  private func loaded(_ durable: DurableQueues, _ id: UInt32, _ records: LoadedRecords) {
    durable.loading.remove(id)
    guard let plugin = plugin(id) else { return }
    let end = durable.spool.number(records.through)
    let segments = journal.restore(records, from: durable.spool)
    let before = plugin.subscription.storedRecords
    plugin.subscription.readBack(segments, through: end, now: WallClock.milliseconds)
    passOver(plugin)
    flush(plugin, wall: WallClock.milliseconds)
    if segments.isEmpty {
      if before == plugin.subscription.storedRecords { plugin.nextLoad = now + .seconds(1) }
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
    // What the log was told last may have been in what it could not take.
    durable.told = [:]
    source.settle(below: .max)
    let first = max(durable.endAtOpening, durable.spool.appendedBelow)
    durable.forgetPending(below: first)
    let slices = Array(durable.pending)
    durable.pending.removeAll()
    durable.log.takesNothing(from: first)
    let room = errno == Errno(ENOSPC) ? FileSystem.room(of: configuration.spoolDirectory) : nil
    let reserve = room.map {
      " (\($0.free >> 20) MiB are free, and spool_reserve keeps \(configuration.spoolReserve >> 20) MiB)"
    }
    say(
      .alert,
      "the spool takes no records (\(errno)): nothing can be written in "
        + "\(configuration.spoolDirectory)\(reserve ?? ""), and durable plugins have their memory only"
    )
    for plugin in plugins where plugin.subscription.isDurable {
      plugin.subscription.logLost(from: first, slices)
      flush(plugin, wall: WallClock.milliseconds)
    }
  }

  private func spoolRecovered(_ durable: DurableQueues) {
    durable.state = .open
    durable.trouble = nil
    durable.log.takesRecords(from: journal.nextRecord)
    say(.notice, "the spool takes records again, in \(configuration.spoolDirectory)")
    for plugin in plugins where plugin.subscription.isDurable {
      // A later start must not look for what was in memory only.
      tell(plugin, durable)
      let first = plugin.subscription.firstUndelivered(end: journal.nextRecord)
      for gone in durable.log.lacks where gone.upperBound > first {
        durable.spool.leaveOut(plugin.name, gone)
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
        for plugin in plugins where plugin.subscription.isDurable { tell(plugin, durable) }
        durable.spool.retry(next: journal.nextRecord)
      }
      scheduleTick(now + .seconds(1))
    }
    for plugin in plugins where plugin.subscription.isDurable {
      goOnReadingBack(plugin)
    }
    durable.log.forgetLacks(below: firstWanted)
    giveUpKept(durable)
    guard durable.isOpen, now >= durable.nextSync else { return }
    durable.nextSync = now + .seconds(1)
    commit(durable)
    durable.spool.sync()
  }

  /// The first record that any durable plugin is still to get.
  private var firstWanted: RecordNumber {
    plugins.reduce(.max) { first, plugin in
      plugin.subscription.isDurable
        ? min(first, plugin.subscription.firstUndelivered(end: .max)) : first
    }
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
