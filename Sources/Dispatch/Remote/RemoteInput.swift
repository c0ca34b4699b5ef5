import Configuration
import Journal
import Linux
import RemoteProtocol

/// Records of other hosts: taken from the receiver as long as they can be stored, and acknowledged
/// when they are safe.
final class RemoteInput: Owner {
  let base: Base
  let durable: DurableQueues
  let distribution: Distribution
  /// What was read and has no log yet survives this process.
  private let isHeld: Bool
  let receiver: ReceiverHost
  let senders: SenderMemory
  let peers: Peers
  private var waiting = UnsafeRecords()
  private var flow = Flow()
  private var buffer = [UInt8](repeating: 0, count: PacketChannel.limit)

  /// Whether records are taken from the receiver.
  private struct Flow {
    /// Nothing can be stored: peers keep their records.
    var isHolding = false
    /// Nothing is taken from the receiver now.
    var isPaused = false
    /// Since when the log is waited for.
    var waitsSince: Moment?
    var report = RateLimit(every: .seconds(60))
  }

  /// `nil`: no other host sends records.
  init?(_ base: Base, _ ledger: Ledger, _ durable: DurableQueues, _ distribution: Distribution) {
    let places = base.settings.daemon.remoteSources.compactMap { RemotePlace($0) }
    guard !places.isEmpty else { return nil }
    self.base = base
    self.durable = durable
    self.distribution = distribution
    isHeld = ledger.survivor.isHeld
    receiver = ReceiverHost(base, places)
    senders = SenderMemory(base, durable)
    peers = Peers(base, places)
  }

  var isHolding: Bool { flow.isHolding }

  // MARK: As time passes

  /// What has to happen because time has passed, or the log went on.
  func tend() {
    if receiver.process == nil, ending.isRunning { start() }
    senders.settle()
    holdOrGoOn()
    acknowledge()
    receiver.tend()
    guard flow.isPaused else { return }
    if !isCrowded { unpause() }
    if flow.isPaused { loop.wake(in: .milliseconds(2)) }
  }

  /// Starts the receiver when all is there that it needs: the runtime folder, so that no predecessor
  /// has the spool; what was stored of senders; and the log.
  private func start() {
    guard runtime.isOurs else { return }
    guard senders.open(), durable.isSettled, plugins.all.allSatisfy({ $0.inheritance == nil })
    else { return loop.wake(in: .milliseconds(10)) }
    guard receiver.start() else { return }
    flow.isPaused = false
    flow.isHolding = false
  }

  /// While the log takes nothing no peer is told that anything is stored: it keeps it.
  private func holdOrGoOn() {
    guard let process = receiver.process, let open = durable.open else { return }
    let cannotStore = open.hasFailed && plugins.all.contains { $0.subscription.isDurable }
    guard cannotStore != flow.isHolding else { return }
    flow.isHolding = cannotStore
    if cannotStore {
      senders.drop(waiting.takeAll())
      process.order(.hold)
      if flow.report.pass(loop.now) != nil {
        loop.say(
          .warning, "other hosts are told to keep their records: nothing can be stored now")
      }
    } else {
      process.order(.goOn)
      loop.say(.notice, "records of other hosts are taken again")
    }
  }

  /// Tells the receiver what is safe.
  private func acknowledge() {
    guard let process = receiver.process, !waiting.isEmpty, !flow.isHolding else { return }
    waiting.takeSafe(below: durable.safeBelow) { record in
      process.isSafe(upTo: record.count)
      peers.acknowledged(record.place)
    }
    process.acknowledge()
    if !waiting.isEmpty { loop.wake(in: .milliseconds(plugins.isLossless ? 20 : 2)) }
  }

  // MARK: Reading

  /// So much waits for the disk, or in memory, that peers had better keep theirs.
  private var isCrowded: Bool {
    durable.pendingBytes > 8 << 20 || journal.bytes > settings.daemon.journalBytes / 4 * 3
  }

  private func unpause() {
    guard let process = receiver.process else { return }
    flow.isPaused = false
    _ = loop.poller.add(process.channel.number, Token.receiver, .read)
  }

  /// Whether other hosts' records may be taken now. A successor makes this host's own records again
  /// that the log did not get, from the ring, and those of other hosts come again from their senders:
  /// so the log first gets what is before. It is waited for as long as a disk usually takes: with a
  /// busy source of this host's own there may always be something that the log lacks. Should this
  /// process die then, and the log not have caught up, a successor may take records of the one kind
  /// for the other.
  private func isTurn() -> Bool {
    guard isHeld, let open = durable.open, open.isOpen, durable.isSpooling, !source.isSettled
    else {
      flow.waitsSince = nil
      return true
    }
    source.settle(below: open.spool.appendedBelow)
    let since = flow.waitsSince ?? loop.now
    guard !source.isSettled, loop.now - since < .milliseconds(50) else {
      flow.waitsSince = nil
      return true
    }
    flow.waitsSince = since
    return false
  }

  /// Takes what the receiver has, some packets at once.
  func read() {
    guard let process = receiver.process, !flow.isPaused else { return }
    holdOrGoOn()
    guard isTurn() else { return loop.wake(in: .milliseconds(1)) }
    for _ in 0..<8 {
      if isCrowded {
        flow.isPaused = true
        loop.poller.remove(process.channel.number)
        return loop.wake(in: .milliseconds(2))
      }
      switch process.channel.receive(into: &buffer) {
      case .nothing: return acknowledge()
      case .ended: return ended()
      case .packet(let count, _, _):
        guard let items = ReceiverItem.all(in: buffer[..<count]) else {
          loop.say(.error, "audispatch-receive says what nobody understands: it is started anew")
          return ended()
        }
        take(items)
      }
    }
    acknowledge()
  }

  /// A record's sender is told when all up to it is safe.
  func wait(for record: UnsafeRecords.Record) { waiting.append(record) }

  // MARK: Ending

  /// Whether nothing more can come from other hosts.
  var isFinished: Bool { receiver.process == nil }

  func close() {
    guard !isFinished else { return }
    acknowledge()
    ended()
  }

  private func ended() {
    receiver.end()
    flow.isPaused = false
    // Who was not told sends again, and is recognised.
    waiting.takeSafe(below: .max) { _ in }
    peers.receiverEnded()
  }
}
