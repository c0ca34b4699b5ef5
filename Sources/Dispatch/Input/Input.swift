import Journal
import Linux

/// Reads this host's own source, and makes records of it: paused where plugins of a replay have no
/// room, opened again where it can come back.
final class Input: Owner {
  let base: Base
  private let supply: SourceSupply
  private let ledger: Ledger
  private let durable: DurableQueues
  private let distribution: Distribution
  private let service: ServiceLink?
  /// Whether the descriptor can be waited for; a regular file is always ready.
  private var isPolled = false
  /// Whether it wakes the loop when something comes.
  private var isAwaited = true
  /// Reading was paused because a plugin of a replay has no room.
  private var isPaused = false
  /// When a lost input is tried again.
  private var retry: Moment?
  /// The file that a replay reads.
  private var replayed: ReplayedFile?
  /// Other hosts' records have their turn.
  private var isResting = false
  /// Standard input has ended; what comes behind it is another's affair.
  private var hasEndedForGood = false

  init(
    _ base: Base, _ supply: SourceSupply, _ ledger: Ledger, _ durable: DurableQueues,
    _ distribution: Distribution, _ service: ServiceLink?
  ) {
    self.base = base
    self.supply = supply
    self.ledger = ledger
    self.durable = durable
    self.distribution = distribution
    self.service = service
  }

  // MARK: State

  /// What is read, for messages.
  var name: String { supply.description }

  private var isReadable: Bool {
    source.inputNumber != nil && !source.hasEnded && ending.readsInput && !isResting
  }

  /// Whether there is always something to read.
  var isAlwaysReady: Bool { isReadable && !isPolled && !isPaused }

  /// Whether something waits that is read as soon as it is time.
  var hasWaiting: Bool {
    guard isReadable, !isPaused, let fd = source.inputNumber else { return false }
    return DescriptorKind.isReadable(fd)
  }

  /// Whether more may come of what is being read to its end.
  var mayHaveMore: Bool {
    guard let fd = source.inputNumber, !source.hasEnded else { return false }
    return supply.isEnding || DescriptorKind.isReadable(fd)
  }

  var isClosed: Bool { source.inputNumber == nil || source.hasEnded }

  // MARK: Reading

  /// Reads once and gives the plugins what came.
  func read() {
    guard isReadable, !isPaused else {
      distribution.stopGathering()
      return distribution.flushAll()
    }
    if source.canWait, distribution.replayRoom() == 0 { return pause() }
    if source.isUsedUp {
      source.beginAnew(ledger.publish())
    }
    // What unpacks a file may have more of it than is there by now.
    guard !supply.readsFile || supply.isFileWhole() else { return ended(nil) }
    switch source.fill() {
    case .bytes:
      supply.noteRead()
      takeRecords()
    case .wouldBlock: distribution.looked()
    case .end: ended(nil)
    case .failed(let errno): ended(errno)
    }
  }

  /// Makes records of what was read, puts them to the plugins, and writes, or lets them gather.
  func takeRecords() {
    while true {
      let limit = source.canWait ? distribution.replayRoom() : distribution.liveRoom()
      if limit == 0 { return pause() }
      journal.beginBatch()
      source.takeRecords(limit: limit, into: journal, isNeeded: durable.isSpooling)
      if let text = source.malformedMessage(loop.now) { loop.say(.warning, text) }
      let batch = journal.batch
      guard batch.records > 0 else { return distribution.looked() }
      distribution.admit(batch)
      let isAll = batch.records < limit
      // Some queue may be full but for what is written now.
      if isAll { distribution.looked() } else { distribution.flushAll() }
      distribution.keep(batch)
      if isAll { return }
    }
  }

  /// The source wakes the loop, unless its next look has a time.
  func awaitSource() {
    let wakes = distribution.nextLook == nil && !isResting
    guard wakes != isAwaited, isPolled, let fd = source.inputNumber else { return }
    isAwaited = wakes
    loop.poller.change(fd, Token.source, wakes ? .read : .nothing)
  }

  // MARK: Pauses

  /// Reads nothing for a moment, or goes on.
  func rest(_ rests: Bool) {
    isResting = rests
    if !rests { awaitSource() }
  }

  private func pause() {
    isPaused = true
    // Not waited for at all: that the other side has closed would be reported all the time.
    stopPolling()
    loop.wake(.input, in: .milliseconds(1))
  }

  private func stopPolling() {
    if isPolled, let fd = source.inputNumber { loop.poller.remove(fd) }
  }

  /// Goes on with a paused replay when there is room again.
  func unpauseIfPossible() {
    guard isPaused else { return }
    guard distribution.replayRoom() > 0 else { return loop.wake(.input, in: .milliseconds(1)) }
    isPaused = false
    if isPolled, let fd = source.inputNumber { _ = loop.poller.add(fd, Token.source, .read) }
    takeRecords()
    if source.hasEnded, source.pendingBytes == 0 || !isPaused { drained() }
  }

  // MARK: Beginning

  /// Opens the next input, or plans to try again.
  func open() {
    guard ending.isRunning, supply.origin != .peers else { return }
    do throws(SystemError) {
      switch try supply.open(recordsSoFar: source.figures.made, by: base.starting) {
      case .input(let descriptor): begin(descriptor)
      case .none: drained()
      case .later(let pause): tryAgain(in: pause)
      }
    } catch {
      if source.canWait {
        loop.say(.error, "\(error)")
        ending.noteLoss()
        return drained()
      }
      tryAgain(after: error)
    }
  }

  private func tryAgain(after error: SystemError) {
    if let text = supply.waitingMessage(error, loop.now) { loop.say(.warning, text) }
    tryAgain(in: supply.nextDelay())
  }

  private func begin(_ descriptor: consuming Descriptor) {
    let fd = descriptor.number
    source.open(descriptor)
    if source.canWait {
      replayed = ReplayedFile(
        name: supply.fileDescription, records: source.figures.records,
        malformed: source.figures.malformed,
        unpacker: supply.unpacker)
    }
    // A successor has to know that this is another stream before it finds it kept.
    let permit = ledger.publish()
    if case .unixSocket = supply.origin { service?.store(fd, permit) }
    // A file cannot be waited for: it is always ready.
    isPolled = loop.poller.add(fd, Token.source, .read)
    isAwaited = true
    distribution.stopGathering()
    if let fd = supply.helperOutputNumber { _ = loop.poller.add(fd, Token.helperOutput, .read) }
  }

  private func tryAgain(in delay: Duration) {
    retry = loop.now + delay
    loop.wake(.input, in: delay)
  }

  /// Opens a lost input again, or goes on with a paused one, when its time has come.
  func tend() {
    if let retry, loop.hasCome(retry, .input) {
      self.retry = nil
      open()
    }
    if let deadline = supply.helperDeadline, loop.hasCome(deadline, .input) {
      supply.giveUpHelper(by: base.starting)
      ended(nil)
    }
    unpauseIfPossible()
    reportUnreadEvents()
  }

  // MARK: End

  private func ended(_ errno: Errno?) {
    if let errno {
      loop.say(.error, "cannot read \(supply.fileDescription): \(errno)")
      if source.canWait { ending.noteLoss() }
    }
    stopPolling()
    // Only a file may end without a newline; what a program made of one may not, if it failed.
    let isWhole = !source.canWait || supply.isFileWhole()
    let failure =
      isWhole
      ? supply.helperFailure() ?? errno?.description : "it was truncated while it was read"
    replayed?.failure = failure
    source.markEnded(isCut: !source.canWait || failure != nil)
    service?.forgetConnection()
    takeRecords()
    distribution.stopGathering()
    distribution.flushAll()
    if !isPaused { drained() }
  }

  /// Says what came of a file that was read to its end, unless every line of it was a record.
  private func reportReplayed() {
    guard var file = replayed.take() else { return }
    file.end(
      records: source.figures.records, malformed: source.figures.malformed, failure: file.failure)
    if file.isIncomplete { ending.noteLoss() }
    if let message = file.message {
      loop.say(file.isIncomplete ? .error : .warning, message)
    }
  }

  /// Everything of the input was taken: what comes next depends on its kind.
  private func drained() {
    source.close()
    reportReplayed()
    let next = supply.afterEnd(recordsSoFar: source.figures.made)
    if let lost = supply.readers?.reportEnd(taken: source.figures.made) { loop.say(.error, lost) }
    switch next {
    case .reconnect where ending.isRunning:
      if let unstarted = supply.takeStartFailure() { return tryAgain(after: unstarted) }
      loop.say(.warning, "\(supply.description) closed; connecting again")
      tryAgain(in: supply.nextDelay())
    case .nextFile where ending.isRunning: open()
    default:
      if supply.origin == .standardInput, ending.isRunning {
        hasEndedForGood = true
        return loop.wakeAll()
      }
      guard source.canWait, ending.isRunning else { return ending.ask("end of input") }
      if supply.hasFailed { ending.noteLoss() }
      ending.noteReplayRead()
      loop.wakeAll()
    }
  }

  /// Whether standard input has ended since the last call.
  func takeEnd() -> Bool {
    defer { hasEndedForGood = false }
    return hasEndedForGood
  }

  /// The last of it is to be read: nothing is opened any more.
  func beginEnd() {
    retry = nil
    supply.endHelpers()
  }

  func close() {
    if source.canWait, source.pendingBytes > 0 || !source.hasEnded { ending.noteLoss() }
    stopPolling()
    source.close()
  }

  // MARK: Helpers

  /// Says what came between two readers of the kernel.
  private func reportUnreadEvents() {
    guard let readers = supply.readers, readers.awaitsNext else { return }
    guard let report = readers.reportUnread() else { return loop.wake(.input, in: .seconds(1)) }
    loop.say(report.severity, report.text)
  }

  func readHelperOutput() {
    let isOpen = supply.readHelperOutput(loop.now) { loop.say(.warning, $0) }
    if !isOpen, let fd = supply.helperOutputNumber { loop.poller.remove(fd) }
  }
}
