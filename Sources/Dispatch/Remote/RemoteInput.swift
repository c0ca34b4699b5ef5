import Configuration
import Journal
import Linux
import RemoteProtocol

/// Records of other hosts: taken from the receiver as long as they can be stored, and acknowledged
/// when they are safe.
final class RemoteInput: Owner {
  /// How often it is looked whether records can be kept safe again.
  private static let pause = Duration.milliseconds(20)
  /// A predecessor's children are killed after five seconds.
  private static let inheritancePatience = Duration.seconds(10)

  let base: Base
  private let ledger: Ledger
  let durable: DurableQueues
  let distribution: Distribution
  let receiver: ReceiverHost
  let senders: SenderMemory
  private let figures: FigureLedger
  let peers: Peers
  private var waiting = UnsafeRecords()
  /// Those of a receiver that is gone: nobody is told of them, and what does not become safe was not
  /// stored.
  private var untold = UnsafeRecords()
  /// It is known what was counted before.
  private var hasBegun = false
  private var flow = Flow()
  private let turn: RemoteTurn
  private var buffer = [UInt8](repeating: 0, count: PacketChannel.limit)

  /// Whether records are taken from the receiver.
  private struct Flow {
    /// Why peers are told to keep their records.
    var obstacle: Safekeeping.Obstacle?
    /// Nothing is taken from the receiver now.
    var isPaused = false
    var report = RateLimit(every: .seconds(60))
    /// It was said that peers are told so.
    var wasReported = false
  }

  /// - Parameter memory: `nil`: no other host sends records.
  init?(
    _ base: Base, _ memory: RemoteMemory?, _ ledger: Ledger, _ durable: DurableQueues,
    _ distribution: Distribution, _ input: Input
  ) {
    guard let memory else { return nil }
    let places = base.settings.daemon.remoteSources.compactMap { RemotePlace($0) }
    self.base = base
    self.ledger = ledger
    self.durable = durable
    self.distribution = distribution
    turn = RemoteTurn(base, durable, input, isHeld: ledger.survivor.isHeld)
    receiver = ReceiverHost(base, places)
    senders = SenderMemory(base, durable, memory.senders)
    figures = memory.figures
    peers = Peers(base, places)
  }

  /// Why nothing is taken from other hosts, which keep their records; `nil`: it is taken.
  var obstacle: Safekeeping.Obstacle? { flow.obstacle }

  // MARK: As time passes

  /// What has to happen because time has passed, or the log went on.
  func tend() {
    if receiver.process == nil, ending.isRunning { start() }
    holdOrGoOn()
    acknowledge()
    untold.takeSafe(below: durable.safeBelow) { _ in }
    receiver.tend()
    if flow.isPaused { goOnWhenPossible() }
    if receiver.isLate() || receiver.isStuck(isRead: !flow.isPaused) { ended() }
    if flow.obstacle != nil { loop.wake(.remote, in: Self.pause) }
  }

  /// Starts the receiver when all is there that it needs: the runtime folder, so that no predecessor
  /// has the spool; and the log, with what was stored of senders.
  private func start() {
    guard runtime.isOurs else { return }
    guard durable.isSettled, !durable.isSearching, isInheritanceSettled else {
      return loop.wake(.remote, in: .milliseconds(10))
    }
    if !hasBegun {
      hasBegun = true
      peers.begin(figures, isSuccessor: ledger.predecessor != nil)
    }
    guard receiver.start() else { return }
    flow.isPaused = false
    if flow.wasReported { sayTakenAgain() }
  }

  /// Whether it is known what every plugin has of a predecessor's records. One whose child does not
  /// end, however it is killed, is not waited for.
  private var isInheritanceSettled: Bool {
    plugins.all.allSatisfy { $0.inheritance == nil }
      || loop.now - loop.started > Self.inheritancePatience
  }

  private func sayTakenAgain() {
    flow.wasReported = false
    loop.say(.notice, "records of other hosts are taken again")
  }

  /// While their records cannot be kept safe no peer is told that anything is stored: it keeps it.
  func holdOrGoOn() {
    dropUntold()
    guard let process = receiver.process else { return }
    let former = flow.obstacle
    let obstacle = durable.safekeeping(after: former).obstacle
    guard obstacle != former else { return }
    flow.obstacle = obstacle
    loop.wake(.remote, in: Self.pause)
    guard let obstacle else {
      process.order(.goOn)
      if flow.wasReported { sayTakenAgain() }
      return
    }
    if obstacle.leavesTaken {
      acknowledge()
    } else {
      let kept = waiting.takeAll()
      for record in kept { peers.forgot(record.place) }
      senders.drop(kept)
    }
    if former == nil {
      process.order(.hold)
      process.flush()
    }
    guard flow.report.pass(loop.now) != nil else { return }
    flow.wasReported = true
    let reason = obstacle.text(spool: settings.daemon.spoolDirectory)
    loop.say(.warning, "other hosts are told to keep their records: \(reason)")
  }

  /// What is not kept safe of those was not stored, also while there is no receiver.
  private func dropUntold() {
    guard !untold.isEmpty,
      let obstacle = durable.safekeeping(after: flow.obstacle).obstacle, !obstacle.leavesTaken
    else { return }
    senders.drop(untold.takeAll())
  }

  /// Tells the receiver what is safe. A successor knows before that it does not come again, and what
  /// was counted of it, if it was no record.
  func acknowledge() {
    guard let process = receiver.process, !waiting.isEmpty else { return }
    var last: RecordNumber?
    waiting.takeSafe(below: durable.safeBelow) { record in
      process.isSafe(upTo: record.count)
      peers.acknowledged(record.place)
      if let text = record.text { senders.note(text, record) }
      last = record.record
    }
    if let last {
      source.foreignAreTold(below: last.advanced(by: 1))
      peers.keep()
      process.acknowledge(ledger.publish())
    }
    if !waiting.isEmpty { loop.wake(.remote, in: .milliseconds(plugins.isLossless ? 20 : 2)) }
  }

  // MARK: Reading

  /// So much waits for the disk that peers had better keep theirs.
  private var isCrowded: Bool { durable.pendingBytes > 8 << 20 }

  private func goOnWhenPossible() {
    guard let process = receiver.process else { return }
    if isCrowded { turn.end() }
    guard !isCrowded, turn.hasCome() else { return loop.wake(.remote, in: .milliseconds(1)) }
    flow.isPaused = false
    _ = loop.poller.add(process.channel.number, Token.receiver, .read)
    // The turn is taken at once: nothing may have come, and then this host's source goes on.
    read()
  }

  private func pause(_ process: ReceiverProcess) {
    flow.isPaused = true
    loop.poller.remove(process.channel.number)
    loop.wake(.remote, in: .milliseconds(1))
  }

  /// Takes what the receiver has, some packets at once.
  func read() {
    guard let process = receiver.process, !flow.isPaused else { return }
    guard turn.hasCome() else { return pause(process) }
    defer { turn.end() }
    for _ in 0..<8 {
      holdOrGoOn()
      if isCrowded { return pause(process) }
      switch process.channel.receive(into: &buffer) {
      case .nothing: return acknowledge()
      case .ended: return ended()
      case .packet(let count, _, _):
        guard let items = ReceiverItem.all(in: buffer[..<count]), items.allSatisfy(isOfPlace) else {
          loop.say(.error, "audispatch-receive says what nobody understands: it is started anew")
          return ended()
        }
        take(items)
      }
    }
    acknowledge()
  }

  /// A receiver that was taken over could name a place that there is not.
  private func isOfPlace(_ item: ReceiverItem) -> Bool {
    guard case .opened(_, let source, _, _, _) = item else { return true }
    return Int(source) < receiver.places.count
  }

  /// A record's sender is told when all up to it is safe.
  func wait(for record: UnsafeRecords.Record) { waiting.append(record) }

  // MARK: Ending

  /// Whether nothing more can come from other hosts.
  var isFinished: Bool { receiver.process == nil }

  func close() {
    guard !isFinished else { return }
    ended()
  }

  private func ended() {
    // What is safe by now is known as stored when it comes again.
    acknowledge()
    receiver.end()
    flow.isPaused = false
    flow.obstacle = nil
    turn.end()
    // Who was not told sends again, and is recognised.
    for record in waiting.takeAll() {
      peers.forgot(record.place)
      if record.text == nil { untold.append(record) }
    }
    peers.receiverEnded()
  }
}
