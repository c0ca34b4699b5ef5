import AuditRecord
import Configuration
import Journal
import Linux

extension Dispatcher {
  var sourceIsReadable: Bool {
    source.inputNumber != nil && !source.hasEnded && ending.readsInput
  }

  /// Reads once and gives the plugins what came.
  func readSource() {
    guard sourceIsReadable, !isPaused else { return }
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
    case .wouldBlock: break
    case .end: sourceEnded(nil)
    case .failed(let errno): sourceEnded(errno)
    }
  }

  /// Makes records of what was read, puts them to the plugins, and writes.
  func takeRecords() {
    repeat {
      let limit = source.canWait ? replayRoom() : liveRoom()
      if limit == 0 { return pause() }
      journal.beginBatch()
      source.takeRecords(limit: limit, into: journal, isNeeded: isSpooling)
      reportMalformed()
      guard journal.batch.records > 0 else { return }
      activity.note(records: journal.batch.records, bytesRead: source.bytes, now)
      distribute()
      if journal.batch.records < limit { return }
    } while true
  }

  /// Records that the fullest of those queues has room for that do not overflow; at least one.
  ///
  /// What was read in one go must not overflow a queue whose plugin would have read it meanwhile.
  func liveRoom() -> Int {
    var room = Int.max
    for plugin in plugins {
      if plugin.subscription.isFull {
        plugin.refresh()
        if plugin.subscription.isFull { letRead(plugin) }
      }
      room = min(room, plugin.subscription.liveRoom)
    }
    return room
  }

  /// Lets a plugin that is about to overflow have the processor for a moment: a plugin that keeps
  /// up needs some microseconds, one that does not is not waited for again until it has read.
  private func letRead(_ plugin: Plugin) {
    guard plugin.lifecycle.takesInput, plugin.isWorthWaitingFor else { return }
    let began = Moment.now
    let end = began + grace.available(began)
    while Moment.now < end {
      Pause.nanoseconds(30_000)
      plugin.refresh()
      if !plugin.subscription.isFull { break }
    }
    plugin.isWorthWaitingFor = !plugin.subscription.isFull
    now = Moment.now
    grace.spend(now - began)
  }

  func distribute() {
    let batch = journal.batch
    let wall = WallClock.milliseconds
    for plugin in plugins {
      lookAtFullQueue(plugin, batch)
      if plugin.subscription.admit(batch, journal: journal, now: wall, waits: source.canWait) {
        overflowBegan(plugin)
      }
    }
    publish()
    for plugin in plugins { flush(plugin, wall: wall) }
    spool(batch)
    if let control, !control.listeners.isEmpty { feedListeners(batch, wall: wall) }
    shedIfOverBound()
    scheduleTick(now + .seconds(1))
  }

  @inline(__always)
  private func lookAtFullQueue(_ plugin: Plugin, _ batch: Journal.Batch) {
    if plugin.subscription.isOverflowing {
      guard now >= plugin.nextLook else { return }
      plugin.nextLook = now + .milliseconds(1)
      plugin.refresh()
    } else if plugin.subscription.wantsRefresh(before: batch) {
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
      } else {
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

/// Whether records come so fast that it pays to let a few gather before the next look.
///
/// A look costs a handful of system calls, whatever it finds. At 100,000 records a second and more,
/// waiting a tenth of a millisecond between two looks makes each worth it, as long as the input's
/// socket holds several times what comes meanwhile: padded records fill it too soon for that. Below
/// that rate nothing waits.
struct ActivityMeter {
  /// Records in a millisecond from which on it is busy.
  private static let busyRate: Int64 = 100
  /// Bytes in a millisecond of which a tenth is much for a socket.
  private static let fullRate: Int64 = 1 << 20
  /// A look that finds fewer was early.
  private static let fewRecords = 256
  /// Nanoseconds.
  static let pause: Int64 = 100_000

  private var isBusy = false
  private var lastCount = 0
  /// It is busy, and the last look found little.
  var wantsPause: Bool { isBusy && lastCount < Self.fewRecords }
  /// When records came last.
  private(set) var last = Moment(nanoseconds: 0)
  private var windowStart = Moment(nanoseconds: 0)
  private var records = 0
  private var bytesBefore: UInt64 = 0

  /// - Parameter bytesRead: since the start.
  mutating func note(records count: Int, bytesRead: UInt64, _ now: Moment) {
    last = now
    lastCount = count
    records += count
    let elapsed = now.nanoseconds - windowStart.nanoseconds
    guard elapsed >= 1_000_000 else { return }
    let milliseconds = elapsed / 1_000_000
    isBusy =
      Int64(records) / milliseconds >= Self.busyRate
      && Int64(bytesRead - bytesBefore) / milliseconds < Self.fullRate
    windowStart = now
    records = 0
    bytesBefore = bytesRead
  }
}
