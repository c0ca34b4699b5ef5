import Configuration
import Journal
import Linux

/// Gives what came to every queue, and has it written, at once or when it has gathered.
final class Distribution: Owner {
  let base: Base
  private let ledger: Ledger
  private let delivery: Delivery
  private let overflows: OverflowActions
  private let durable: DurableQueues
  private let control: ControlDesk
  private var gathering: Gathering
  private var openEvents = OpenEvents()
  private var grace = Grace()

  init(
    _ base: Base, _ ledger: Ledger, _ delivery: Delivery, _ overflows: OverflowActions,
    _ durable: DurableQueues, _ control: ControlDesk
  ) {
    self.base = base
    self.ledger = ledger
    self.delivery = delivery
    self.overflows = overflows
    self.durable = durable
    self.control = control
    gathering = Gathering(
      longest: base.source.canWait ? .zero : base.settings.daemon.latencyMax,
      now: base.loop.now)
  }

  // MARK: One batch

  /// Puts a batch to every queue, and publishes that.
  ///
  /// - Parameter isForeign: its records are other hosts'.
  func admit(_ batch: Journal.Batch, isForeign: Bool = false) {
    let wall = WallClock.milliseconds
    for plugin in plugins.all {
      if isForeign, !plugin.takesForeign {
        plugin.subscription.leaveOut(batch)
        continue
      }
      lookAtFullQueue(plugin, batch)
      let hasBegun = plugin.subscription.admit(
        batch, journal: journal, now: wall, waits: source.canWait)
      // Another host's record may have filled it, which has nothing done here.
      let isOwnFirst =
        !hasBegun && !isForeign && plugin.subscription.isOverflowing && plugin.actsOnHost
      if hasBegun || isOwnFirst { overflows.began(plugin, isForeign: isForeign) }
    }
    ledger.publish()
    if gathering.asksForOpenEvents { openEvents.note(batch) }
  }

  /// What else is done with records that the plugins have been given.
  func keep(_ batch: Journal.Batch) {
    durable.spool(batch)
    control.feed(batch)
    shedIfOverBound()
    loop.wakeAllSoon()
  }

  /// A batch of other hosts' records, which does not gather.
  func take(_ batch: Journal.Batch) {
    gathering.elsewhere(now: loop.now)
    admit(batch, isForeign: true)
    flushAll()
    keep(batch)
  }

  @inline(__always)
  private func lookAtFullQueue(_ plugin: Plugin, _ batch: Journal.Batch) {
    switch plugin.look(before: batch) {
    case .notNow: break
    case .now: plugin.refresh()
    case .whileOverflowing: if plugin.beginLook(loop.now) { plugin.refresh() }
    }
  }

  // MARK: Writing

  /// When the source is looked at next, whether it has anything or not; `nil`: when it has.
  var nextLook: Moment? { gathering.nextLook }

  /// The source has nothing more now: what waits is written, unless it is to gather.
  func looked() {
    let writes = gathering.looked(
      records: Int(clamping: source.figures.made), bytes: Int(clamping: source.figures.ownBytes),
      isOpen: !openEvents.isEmpty, now: loop.now)
    if writes { flushAll() }
  }

  func flushAll() {
    openEvents.forget()
    let permit = ledger.permitWriting()
    let wall = WallClock.milliseconds
    for plugin in plugins.all { delivery.flush(plugin, wall: wall, permit) }
  }

  /// Another source, or an end, is near: nothing gathers any more.
  func stopGathering() { gathering.stop() }

  // MARK: Room

  /// How many records the fullest queue has room for, queues that overflow aside; at least one.
  ///
  /// What was read in one go must not overflow a queue whose plugin would have read it meanwhile.
  ///
  /// - Parameter isForeign: for other hosts' records.
  func liveRoom(isForeign: Bool = false) -> Int {
    var least = Int.max
    for plugin in plugins.all where !isForeign || plugin.takesForeign {
      var room = plugin.liveRoom
      if room == 0 { room = makeLiveRoom(plugin) }
      if isForeign, plugin.actsOnHost, !plugin.subscription.isOverflowing {
        // The other half is this host's own.
        room = max(1, room - plugin.subscription.limits.records / 2)
      }
      least = min(least, room)
    }
    return least
  }

  private func makeLiveRoom(_ plugin: Plugin) -> Int {
    delivery.flush(plugin)
    plugin.refresh()
    if plugin.liveRoom == 0 { letRead(plugin) }
    let room = plugin.liveRoom
    return room > 0 ? room : max(1, plugin.subscription.room)
  }

  /// Lets a plugin that is about to overflow have the processor for a moment. A plugin that keeps up
  /// reads within microseconds. One that does not is not waited for again until it has read.
  private func letRead(_ plugin: Plugin) {
    guard plugin.lifecycle.takesInput, plugin.pace.isWorthWaitingFor else { return }
    let began = Moment.now
    let end = began + grace.available(began)
    var isFull = true
    while isFull, Moment.now < end {
      Pause.nanoseconds(30_000)
      plugin.refresh()
      isFull = plugin.liveRoom == 0
    }
    plugin.wasWaitedFor(inVain: isFull)
    loop.readClock()
    grace.spend(loop.now - began)
  }

  /// Records that every plugin of a replay has room for.
  func replayRoom() -> Int {
    var room = Int.max
    for plugin in plugins.all where !plugin.isGivenUp {
      if !plugin.subscription.isWithinBytes || plugin.subscription.room == 0 { plugin.refresh() }
      room = min(room, plugin.subscription.isWithinBytes ? plugin.subscription.room : 0)
    }
    return room
  }

  // MARK: Memory

  /// The whole journal's bound: who holds its oldest unwritten records loses them.
  private func shedIfOverBound() {
    let bound = settings.daemon.journalBytes
    guard journal.bytes > bound, !source.canWait else { return }
    // What was read since the last look holds memory, too, and nobody has to lose it.
    for plugin in plugins.all { plugin.refresh() }
    for _ in 0..<64 where journal.bytes > bound {
      let holder = plugins.all.min {
        ($0.subscription.firstUnwrittenHeld ?? .max)
          < ($1.subscription.firstUnwrittenHeld ?? .max)
      }
      guard let holder, holder.subscription.firstUnwrittenHeld != nil else { return }
      if holder.subscription.unload() { continue }
      for _ in 0..<256 where !holder.subscription.shed(journal: journal) { return }
    }
  }

  /// An event's records come within moments: when none came for five seconds, none is incomplete.
  func forgetHistoryWhenIdle() {
    guard journal.bytes > Journal.idleBytes else { return }
    guard loop.now - gathering.last > .seconds(5) else {
      return loop.wake(.distribution, in: .seconds(1))
    }
    for plugin in plugins.all where plugin.subscription.isEmpty {
      plugin.subscription.forgetHistory()
    }
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
