import Configuration
import Glibc
import Journal
import Linux

/// One plugin: its configuration, its queue, its life, and the child with its descriptors.
///
/// `subscription` keeps its own invariants; all else is changed here only. Whatever a successor is to
/// know of it notes, when it changes, that it is to be published.
final class Plugin {
  let id: PluginID
  /// Its place in the surviving memory; `nil` where nothing survives, or when there is no room.
  private(set) var slot: Int?
  private(set) var configuration: PluginConfiguration
  private var queue: Subscription
  private(set) var lifecycle: PluginLifecycle
  /// Its process, while it has one.
  private(set) var child: PluginChild? { didSet { hasChanged() } }
  /// `delivered` and `firstNumber` when the last child was started.
  private(set) var atStart = (delivered: UInt64(0), confirmed: StreamNumber(0))
  /// What a dead process had for it, until that is settled.
  private(set) var inheritance: Inheritance? { didSet { hasChanged() } }
  /// Why it is as it is, for the status.
  private(set) var past = PluginPast()
  private(set) var progress: ReadingProgress
  private(set) var losses = LossReport()
  private(set) var pace = ReadingPace()
  /// A replay does not wait for it any more.
  private(set) var isGivenUp = false
  private(set) var reloadNotice = ReloadNotice()
  private var changeNote: ChangeNote

  init(
    id: PluginID, configuration: PluginConfiguration, slot: Int?, node: String?, journal: Journal,
    now: Moment, _ changes: PluginChanges
  ) {
    changeNote = ChangeNote(changes)
    self.id = id
    self.configuration = configuration
    self.slot = slot
    lifecycle = PluginLifecycle(policy: .init(configuration))
    queue = Subscription(
      name: configuration.name, limits: .init(configuration), encoding: .string,
      announcesGaps: configuration.gapRecord, node: node, journal: journal)
    progress = ReadingProgress(now)
    hasChanged()
  }

  /// Its queue. Who may change it has changed it.
  var subscription: Subscription {
    @inline(__always) _read { yield queue }
    @inline(__always) _modify {
      hasChanged()
      yield &queue
    }
  }

  @inline(__always)
  private func hasChanged() {
    if slot != nil { changeNote.make() }
  }

  /// Whether a successor would find something else of it than it is now.
  @inline(__always)
  var isToBePublished: Bool { changeNote.isMade }

  /// What a successor would find of it is what it is now.
  @inline(__always)
  func published() { changeNote.wasPublished() }

  /// It is no plugin any more: a successor is to know nothing of it.
  ///
  /// - Returns: the place that it had.
  func losePlace() -> Int? { slot.take() }

  /// Whether it is the moment to look how much it has read since.
  @inline(__always)
  func look(before batch: Journal.Batch) -> Subscription.Look { queue.look(before: batch) }

  /// Records that its queue has room for before it begins to overflow.
  @inline(__always)
  var liveRoom: Int { queue.liveRoom() }

  /// What a successor is to know of its queue.
  @inline(__always)
  func publishedState(end: RecordNumber) -> QueueState { queue.state(end: end) }

  var name: String { configuration.name }
  /// Whether it is given what other hosts send.
  var takesForeign: Bool { configuration.hosts == .all }
  /// Whether its overflow halts this host, or takes it to single-user mode.
  var actsOnHost: Bool {
    configuration.overflowAction == .single || configuration.overflowAction == .halt
  }

  var isLossless: Bool {
    subscription.isDurable && configuration.overflowAction == .lossless
  }

  /// The word for its state in the status.
  var stateName: String {
    if inheritance != nil { return "starting" }
    return switch lifecycle.state {
    case .starting, .launching(nil, _), .givingUp(nil, _), .givingUp(.restart, _): "starting"
    case .running:
      subscription.isSuspended ? "suspended" : progress.isStalled ? "stalled" : "running"
    case .backingOff: "backing_off"
    case .held: "held"
    case .launching, .givingUp, .stopping: "stopping"
    case .stopped: "stopped"
    }
  }

  /// Puts what was read again into force, but for what needs another child.
  func configure(_ new: PluginConfiguration) {
    configuration = new
    subscription.limits = .init(new)
    subscription.setWindow(new.window)
    subscription.announcesGaps = new.gapRecord
    lifecycle.policy = .init(new)
  }

  // MARK: Life

  func handle(
    _ event: PluginLifecycle.Event, now: Moment, jitter: Double
  ) -> PluginLifecycle.Action {
    let before = lifecycle.restarts
    defer { if lifecycle.restarts != before { hasChanged() } }
    return lifecycle.handle(event, now: now, jitter: jitter)
  }

  /// Its time to end begins anew.
  func postponeEnd(_ now: Moment) { lifecycle.postpone(now) }

  /// A child of it is on its way, or no longer.
  func launches(since moment: Moment?) {
    past.launchedAt = moment
    if moment != nil { reloadNotice.launches() }
  }
  func leaves(behind count: Int) { past.leftBehind = count }

  /// Whether no further process is made of it.
  var hasTooManyLeftBehind: Bool { past.leftBehind >= PluginStarter.mostLeftBehind }

  func started(_ child: PluginChild, now: Moment) {
    past.started()
    reloadNotice.started(now)
    self.child = child
    atStart = (subscription.counters.delivered, subscription.firstNumber)
    progress.begins(at: atStart.delivered, now)
    lifecycle.policy = .init(configuration)
  }

  /// - Parameter passes: another try may do better.
  func failedToStart(_ text: String, passes: Bool) { past.failedToStart(text, passes: passes) }

  /// The child is gone, and its queue knows of it.
  func ended(_ end: ChildEnd) {
    child = nil
    reloadNotice.ended()
    past.lastExit = .init(end)
  }

  /// A reload left its child as it is, or the time has come to look at that once more.
  func tellReload(isNew: Bool, _ now: Moment) {
    guard isNew || reloadNotice.isDue(now) else { return }
    let catches = child?.process.catches(SIGHUP) ?? false
    let tells = isNew ? reloadNotice.reloaded(catches: catches, now) : catches
    if tells { child?.process.signal(SIGHUP) }
  }

  func printed(_ line: String) { past.lastMessage = .init(line) }

  /// Whether that was not said of it since its start.
  func isNews(advice: String) -> Bool { past.isNews(advice: advice) }

  func giveUp() { isGivenUp = true }

  // MARK: A predecessor's share

  func inherit(_ share: Inheritance) {
    subscription.confirms = configuration.confirms
    subscription.adopt(share.queue.counters, firstNumber: share.queue.firstNumber)
    subscription.encoding = share.queue.encoding
    lifecycle.adopt(restarts: share.queue.restarts)
    progress.adopt(share.queue.counters.delivered)
    losses.wereSaid(subscription.counters)
    inheritance = share
  }

  /// More is known of what it inherits.
  func learn(_ change: (inout Inheritance) -> Void) {
    guard var share = inheritance else { return }
    change(&share)
    inheritance = share
  }

  /// Counts as delivered what the dead process's child had read of what was read back.
  ///
  /// - Parameter left: bytes that it had read.
  /// - Returns: how many of them are of records that were not read back yet.
  func passOver(_ left: UInt64, journal: Journal) -> UInt64 {
    var scratch: [UInt8] = []
    let rest = subscription.passOver(left, journal: journal, scratch: &scratch)
    learn { $0.left = rest }
    return rest
  }

  func inherited() { inheritance = nil }

  // MARK: Reading

  /// Asks how much of what was written the child has not read.
  func refresh() {
    let outstanding = subscription.outstanding
    guard outstanding > 0, let unread = child?.unread, unread != outstanding else { return }
    let before = subscription.counters.delivered
    subscription.setUnread(unread)
    if subscription.counters.delivered > before { pace.sawReading() }
  }

  /// - Returns: whether it was given a record of that number.
  func confirm(upTo number: StreamNumber) -> Bool {
    let before = subscription.counters.delivered
    guard subscription.confirm(upTo: number) else { return false }
    if subscription.counters.delivered > before { pace.sawReading() }
    return true
  }

  /// When it is written to again that has as much unread as may be.
  func writesAgain(_ now: Moment) -> Moment {
    let read = subscription.streamPosition.written.advanced(by: -subscription.outstanding)
    return pace.writesAgain(read: read, now)
  }

  // MARK: What is seen, and said, of it

  /// Whether its overflowing queue is looked at now.
  @inline(__always)
  func beginLook(_ now: Moment) -> Bool { pace.beginLook(now) }

  /// It was let read before its queue would have overflown.
  func wasWaitedFor(inVain: Bool) { pace.waited(inVain: inVain) }

  func couldNotLoad(_ now: Moment) { pace.couldNotLoad(now) }

  /// Whether it has begun to read nothing while something waits for it.
  func stalls(_ now: Moment) -> Bool {
    progress.look(subscription.counters, now)
    return progress.beginsToStall(after: configuration.stallTimeout, now)
  }

  /// Whether ending it now loses nothing: for a second it has read, or confirmed, nothing, and all of
  /// its queue is on disk.
  func drainsInVain(_ now: Moment) -> Bool {
    guard case .stopping(.draining, _, let until?) = lifecycle.state, subscription.isDurable,
      subscription.queuedInMemoryOnly == 0
    else { return false }
    progress.look(subscription.counters, now)
    return now >= max(progress.since, until + (.zero - lifecycle.policy.drain)) + .seconds(1)
  }

  /// It cannot be expected to read now.
  func excuse(_ now: Moment) { progress.excuse(now) }

  func report(_ change: (inout LossReport) -> Void) { change(&losses) }

  /// Whether something that it says wrongly on its input is reported now.
  func reportsConfirmation(_ now: Moment) -> Bool { past.reportsConfirmation(now) }
}
