import Configuration
import Journal
import Linux

/// One plugin: its configuration, its queue, its life, and the child with its descriptors.
final class Plugin {
  /// What tokens call it; never used twice.
  let id: UInt32
  var configuration: PluginConfiguration
  var subscription: Subscription
  var lifecycle: PluginLifecycle

  var child: ChildProcess?
  /// The dispatcher's end of the child's standard input, non-blocking.
  var ourEnd: Descriptor?
  /// The child's end, kept to ask how much of it is unread.
  var childEnd: Descriptor?
  /// Of its standard error, and of its standard output unless that is passed on.
  var output: OutputCatcher?
  /// Its standard output, with `output = pass`.
  var passed: PassedOutput?
  var past = PluginPast()
  /// It writes there more than is read: until then nothing is.
  var outputRestsUntil: Moment?

  /// The socket took less than was offered, and its readiness is waited for.
  var isBlocked = false
  /// Binary records: how they are framed depends on the input, which has not shown it yet.
  var awaitsFraming = false
  /// `delivered` when the child was started.
  var deliveredAtStart: UInt64 = 0
  /// `delivered` when it was last seen to grow, and when that was.
  var deliveredBefore: UInt64 = 0
  var progressed: Moment
  var reportedStall = false
  /// The next look at a full queue.
  var nextLook = Moment(nanoseconds: 0)
  /// What lies on disk only is not asked for before: it could not be read.
  var nextLoad = Moment(nanoseconds: 0)
  var overflowReport = RateLimit(every: .seconds(10))
  var dropsReported = Counters()
  /// `single` or `halt` was executed for the overflow that lasts.
  var hasActed = false
  /// It has read since it was last waited for in vain.
  var isWorthWaitingFor = true
  var confirmations = ConfirmationReader()
  /// It confirms more than is read: until then nothing is.
  var confirmingRestsUntil: Moment?
  /// The child says nothing more on its standard input.
  var confirmingEnded = false
  var confirmationReport = RateLimit(every: .seconds(10))
  /// Starts in a row that failed for a reason that does not pass, and the last reason.
  var failedStarts: (count: Int, reason: String) = (0, "")
  /// A replay does not wait for it any more.
  var isGivenUp = false
  /// Records that were said to be left to a later start.
  var leftSaid: UInt64?
  /// Its place in the surviving memory; `nil` without a holder, or when there is no room.
  var slot: Int?
  /// What a dead process had for it, until that is settled.
  var inheritance: Inheritance?
  /// What the surviving memory and the holder call the child.
  var childNumber: UInt64 = 0
  /// `firstNumber` when the child was started.
  var confirmedAtStart = StreamNumber(0)

  init(
    id: UInt32, configuration: PluginConfiguration, node: String?, journal: Journal, now: Moment
  ) {
    self.id = id
    self.configuration = configuration
    lifecycle = PluginLifecycle(policy: .init(configuration))
    subscription = Subscription(
      name: configuration.name, limits: .init(configuration), encoding: .string,
      announcesGaps: configuration.gapRecord, node: node, journal: journal)
    progressed = now
  }

  var name: String { configuration.name }

  /// The word for its state in the status.
  var stateName: String {
    if inheritance != nil { return "starting" }
    return switch lifecycle.state {
    case .starting: "starting"
    case .running: subscription.isSuspended ? "suspended" : reportedStall ? "stalled" : "running"
    case .backingOff: "backing_off"
    case .held: "held"
    case .draining, .ending, .terminating, .killed: "stopping"
    case .stopped: "stopped"
    }
  }

  /// Asks how much of what was written the child has not read.
  func refresh() {
    guard subscription.outstanding > 0, let fd = childEnd?.number else { return }
    guard let unread = UnixSocket.unread(fd) else { return }
    let before = subscription.counters.delivered
    subscription.setUnread(unread)
    if subscription.counters.delivered > before { isWorthWaitingFor = true }
  }

  /// Writes what the child's socket takes. `false` when nobody reads it any more.
  func write(
    journal: Journal, now: Int64, scratch: inout [UInt8], survivor: Survivor
  ) -> Bool {
    guard let fd = ourEnd?.number else { return true }
    let slot = slot
    let outcome = unsafe subscription.write(journal: journal, now: now, scratch: &scratch) {
      bytes, records, before in
      let result =
        if let slot {
          unsafe survivor.send(
            slot, fd, bytes, base: before.written, recordsBefore: before.records, records: records)
        } else {
          unsafe UnixSocket.send(fd, bytes)
        }
      return switch result {
      case .bytes(let count): .bytes(count)
      case .wouldBlock: .nothing
      case .failed: .refused
      }
    }
    switch outcome {
    case .all: return true
    case .refused: return false
    case .blocked(let isMidway):
      isBlocked = true
      // The plugin may not read for long: until it does, this is what a successor goes by.
      if isMidway, let slot {
        let stream = subscription.streamPosition
        survivor.written(slot, bytes: stream.written, records: stream.records)
      }
      return true
    }
  }

  /// Bytes that the child has not read; where that cannot be told, all that were written.
  var unread: Int {
    guard let fd = childEnd?.number else { return 0 }
    return UnixSocket.unread(fd) ?? subscription.outstanding
  }

  /// Takes back what the dead child had not read; nobody else can read it then.
  func discardUnread() {
    guard let fd = childEnd?.number else { return }
    DescriptorKind.setNonblocking(fd, true)
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while case .bytes = unsafe chunk.withUnsafeMutableBytes({
      unsafe Transfer.read(fd, into: $0)
    }) {}
  }
}

extension PluginLifecycle.Policy {
  init(_ configuration: PluginConfiguration) {
    self.init()
    maxRestarts = configuration.maxRestarts
    delay = configuration.restartDelay
    delayMax = configuration.restartDelayMax
    heldDelay = configuration.heldDelay
    drain = configuration.stopTimeout
  }
}

extension Subscription.Limits {
  init(_ configuration: PluginConfiguration) {
    let whenFull: Subscription.WhenFull =
      switch configuration.overflowAction {
      case .ignore, .syslog, .single, .halt, .spill, .lossless: .dropNewest
      case .dropOldest: .dropOldest
      case .suspend: .suspend
      }
    if configuration.overflowAction.isDurable {
      self.init(records: .max, bytes: configuration.spoolBytes, whenFull: whenFull)
    } else {
      self.init(
        records: configuration.queueDepth, bytes: configuration.queueBytes, whenFull: whenFull)
    }
  }
}

extension PluginConfiguration {
  /// What of a durable queue is held in memory.
  var window: Subscription.Limits {
    .init(records: queueDepth, bytes: queueBytes, whenFull: .dropNewest)
  }
}
