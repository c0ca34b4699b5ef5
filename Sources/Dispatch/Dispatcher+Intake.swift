import AuditRecord
import Configuration
import Journal
import Linux

extension Dispatcher {
  var sourceIsReadable: Bool {
    source.inputNumber != nil && !source.hasEnded && ending.readsInput && !isHeldBack
  }

  /// Other hosts' records have their turn.
  private var isHeldBack: Bool { remote?.turns.holdsSource ?? false }

  /// Reads once and gives the plugins what came.
  func readSource() {
    guard sourceIsReadable, !isPaused else {
      gathering.stop()
      return flushAll()
    }
    if source.canWait, !hasRoom() { return pause() }
    if source.isUsedUp {
      publish()
      source.beginAnew()
    }
    // What unpacks a file may have more of it than is there by now.
    guard !intake.readsFile || intake.isFileWhole() else { return sourceEnded(nil) }
    switch source.fill() {
    case .bytes:
      intake.noteRead()
      takeRecords()
    case .wouldBlock: looked()
    case .end: sourceEnded(nil)
    case .failed(let errno): sourceEnded(errno)
    }
  }

  /// Makes records of what was read, puts them to the plugins, and writes, or lets them gather.
  func takeRecords() {
    while true {
      let limit = source.canWait ? replayRoom() : liveRoom()
      if limit == 0 { return pause() }
      journal.beginBatch()
      source.takeRecords(limit: limit, into: journal, isNeeded: isSpooling)
      reportMalformed()
      let batch = journal.batch
      guard batch.records > 0 else { return looked() }
      distribute(batch)
      let isAll = batch.records < limit
      // Some queue may be full but for what is written now.
      if isAll { looked() } else { flushAll() }
      keep(batch)
      if isAll { return }
    }
  }

  /// What else is done with records that the plugins have been given.
  func keep(_ batch: Journal.Batch) {
    spool(batch)
    if let control, !control.listeners.isEmpty {
      feedListeners(batch, wall: WallClock.milliseconds)
    }
    shedIfOverBound()
    scheduleTickSoon()
  }

  /// The source has nothing more now: what waits is written, unless it is to gather.
  private func looked() {
    let writes = gathering.looked(
      records: Int(clamping: source.ownRecords), bytes: Int(clamping: source.ownBytes),
      isOpen: !openEvents.isEmpty, now: now)
    if writes { flushAll() }
  }

  func flushAll() {
    openEvents.forget()
    let wall = WallClock.milliseconds
    for plugin in plugins { flush(plugin, wall: wall) }
  }

  /// The source wakes the loop, unless its next look has a time.
  func awaitSource() {
    let wakes = gathering.nextLook == nil && !isHeldBack
    guard wakes != source.isAwaited, source.isPolled, let fd = source.inputNumber else { return }
    source.isAwaited = wakes
    poller.change(fd, Token.source, wakes ? .read : .nothing)
  }

  /// Records that the fullest of those queues has room for that do not overflow; at least one.
  ///
  /// What was read in one go must not overflow a queue whose plugin would have read it meanwhile.
  func liveRoom() -> Int {
    var least = Int.max
    for plugin in plugins {
      var room = plugin.subscription.liveRoom()
      if room == 0 { room = makeLiveRoom(plugin) }
      least = min(least, room)
    }
    return least
  }

  private func makeLiveRoom(_ plugin: Plugin) -> Int {
    flush(plugin, wall: WallClock.milliseconds)
    plugin.refresh()
    if plugin.subscription.liveRoom() == 0 { letRead(plugin) }
    let room = plugin.subscription.liveRoom()
    return room > 0 ? room : max(1, plugin.subscription.room)
  }

  /// Lets a plugin that is about to overflow have the processor for a moment: a plugin that keeps
  /// up needs some microseconds, one that does not is not waited for again until it has read.
  private func letRead(_ plugin: Plugin) {
    guard plugin.lifecycle.takesInput, plugin.isWorthWaitingFor else { return }
    let began = Moment.now
    let end = began + grace.available(began)
    var isFull = true
    while isFull, Moment.now < end {
      Pause.nanoseconds(30_000)
      plugin.refresh()
      isFull = plugin.subscription.liveRoom() == 0
    }
    plugin.isWorthWaitingFor = !isFull
    now = Moment.now
    grace.spend(now - began)
  }

  func distribute(_ batch: Journal.Batch) {
    let wall = WallClock.milliseconds
    for plugin in plugins {
      lookAtFullQueue(plugin, batch)
      if plugin.subscription.admit(batch, journal: journal, now: wall, waits: source.canWait) {
        overflowBegan(plugin)
      }
    }
    publish()
    if gathering.isDense { openEvents.note(batch) }
  }

  @inline(__always)
  private func lookAtFullQueue(_ plugin: Plugin, _ batch: Journal.Batch) {
    switch plugin.subscription.look(before: batch) {
    case .notNow: break
    case .now: plugin.refresh()
    case .whileOverflowing:
      guard now >= plugin.nextLook else { return }
      plugin.nextLook = now + .milliseconds(1)
      plugin.refresh()
    }
  }

  /// The whole journal's bound: who holds its oldest unwritten records loses them.
  private func shedIfOverBound() {
    guard journal.bytes > configuration.journalBytes, !source.canWait else { return }
    // What was read since the last look holds memory, too, and nobody has to lose it.
    for plugin in plugins { plugin.refresh() }
    for _ in 0..<64 where journal.bytes > configuration.journalBytes {
      let holder = plugins.min {
        ($0.subscription.firstUnwrittenHeld ?? .max)
          < ($1.subscription.firstUnwrittenHeld ?? .max)
      }
      guard let holder, holder.subscription.firstUnwrittenHeld != nil else { return }
      if holder.subscription.unload() { continue }
      for _ in 0..<256 where !holder.subscription.shed(journal: journal) { return }
    }
  }

  func reportMalformed() {
    guard let news = source.takeMalformed(), let held = malformedReport.pass(now) else { return }
    let more = held > 0 ? ", \(held) reports held back" : ""
    say(
      .warning,
      "malformed input skipped (\(news.kind.rawValue)): '\(news.sample)' "
        + "(\(source.malformedTotal) so far\(more))")
  }

  // MARK: Replay: a source that waits

  /// Records that every plugin of a replay has room for.
  private func replayRoom() -> Int {
    var room = Int.max
    for plugin in plugins where !plugin.isGivenUp {
      if !plugin.subscription.isWithinBytes || plugin.subscription.room == 0 { plugin.refresh() }
      room = min(room, plugin.subscription.isWithinBytes ? plugin.subscription.room : 0)
    }
    return room
  }

  private func hasRoom() -> Bool { replayRoom() > 0 }

  private func pause() {
    isPaused = true
    // Not waited for at all: that the other side has closed would be reported all the time.
    if source.isPolled, let fd = source.inputNumber { poller.remove(fd) }
    scheduleTick(now + .milliseconds(1))
  }

  /// Goes on with a paused replay when there is room again.
  func unpauseIfPossible() {
    guard isPaused else { return }
    guard hasRoom() else { return scheduleTick(now + .milliseconds(1)) }
    isPaused = false
    if source.isPolled, let fd = source.inputNumber {
      _ = poller.add(fd, Token.source, .read)
    }
    takeRecords()
    if source.hasEnded, source.pendingBytes == 0 || !isPaused { sourceDrained() }
  }

  // MARK: Beginning and end

  /// Opens the next input, or plans to try again.
  func openSource() {
    guard ending.isRunning, intake.origin != .peers else { return }
    do throws(SystemError) {
      guard let descriptor = try intake.open(recordsSoFar: source.ownRecords) else {
        return sourceDrained()
      }
      let fd = descriptor.number
      source.open(descriptor)
      if source.canWait {
        replayed = ReplayedFile(
          name: intake.fileDescription, records: source.records, malformed: source.malformed,
          unpacker: intake.unpacker)
      }
      // A successor has to know that this is another stream before it finds it kept.
      publish()
      storeConnection(fd)
      // A file is always ready. A socket that is not waited for would be waited for in its read.
      source.isPolled =
        poller.add(fd, Token.source, .read)
        || !DescriptorKind.isRegularFile(fd) && poller.add(fd, Token.source, .read)
      source.isAwaited = true
      gathering.stop()
      if let fd = intake.helperOutputNumber { _ = poller.add(fd, Token.helperOutput, .read) }
    } catch {
      if source.canWait {
        say(.error, "\(error)")
        noteLoss()
        return sourceDrained()
      }
      let delay = intake.nextDelay()
      if let text = intake.waitingMessage(error, now) { say(.warning, text) }
      intake.retry = now + delay
      scheduleTick(now + delay)
    }
  }

  private func sourceEnded(_ errno: Errno?) {
    if let errno {
      say(.error, "cannot read \(intake.fileDescription): \(errno)")
      if source.canWait { noteLoss() }
    }
    if source.isPolled, let fd = source.inputNumber { poller.remove(fd) }
    // Only a file may end without a newline; what a program made of one may not, if it failed.
    let isWhole = !source.canWait || intake.isFileWhole()
    let failure =
      isWhole
      ? intake.helperFailure() ?? errno?.description : "it was truncated while it was read"
    replayed?.failure = failure
    source.markEnded(isCut: !source.canWait || failure != nil)
    forgetConnection()
    takeRecords()
    gathering.stop()
    flushAll()
    if !isPaused { sourceDrained() }
  }

  /// Says what came of a file that was read to its end, unless every line of it was a record.
  private func reportReplayed() {
    guard var file = replayed.take() else { return }
    file.end(records: source.records, malformed: source.malformed, failure: file.failure)
    if file.isIncomplete { noteLoss() }
    if let message = file.message { say(file.isIncomplete ? .error : .warning, message) }
  }

  /// Everything of the input was taken: what comes next depends on its kind.
  func sourceDrained() {
    source.close()
    reportReplayed()
    let next = intake.afterEnd()
    countDeadReader()
    switch next {
    case .reconnect where ending.isRunning:
      say(.warning, "\(intake.description) closed; connecting again")
      intake.retry = now + intake.nextDelay()
      scheduleTick(intake.retry!)
    case .nextFile where ending.isRunning: openSource()
    default:
      if source.canWait, ending.isRunning {
        if intake.hasFailed { noteLoss() }
        noteReplayRead()
      } else if !awaitNextInput() {
        beginStop("end of input")
      }
    }
  }

  /// What the kernel's reader had received when it ended and had not given to us is lost.
  private func countDeadReader() {
    guard let readers = intake.readers else { return }
    let died = readers.end(taken: source.ownRecords)
    guard died > 0 else { return }
    say(
      .error,
      "the kernel's reader ended with \(died) records that it had received and not written: lost")
  }

  /// Says what came between two readers of the kernel, as soon as a record shows it.
  func reportUnreadEvents() {
    guard let readers = intake.readers, readers.awaitsNext else { return }
    guard let events = readers.eventsBetween() else { return scheduleTick(now + .seconds(1)) }
    let bound = events == 0 ? "no event" : "at most \(events) events"
    say(
      events == 0 ? .notice : .error,
      "between two readers of the kernel \(bound) came and went unread, by their serials")
  }

  func readHelperOutput() {
    var lines: [String] = []
    let isOpen = intake.readHelperOutput(now) { lines.append($0) }
    for line in lines { say(.warning, line) }
    if !isOpen, let fd = intake.helperOutputNumber { poller.remove(fd) }
  }
}

/// How long plugins may be let read before their queues count as full: one hundredth of the time,
/// 2 ms at once, 40 ms saved up.
struct Grace {
  private var saved = Duration.milliseconds(40)
  private var since: Moment?

  mutating func available(_ now: Moment) -> Duration {
    if let since { saved = min(saved + (now - since) / 100, .milliseconds(40)) }
    since = now
    return min(saved, .milliseconds(2))
  }

  mutating func spend(_ duration: Duration) { saved = max(saved - duration, .zero) }
}
