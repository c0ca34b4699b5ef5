import Journal
import Linux

/// What a process does first: begins where a predecessor was, if there was one. It makes records again
/// of what no log has yet, which no plugin is given again.
struct TakeOver {
  /// Deaths in a row at one place of the input, by a fault of this program's own, after which that
  /// input is passed over.
  private static let maximumCrashes = 5

  let base: Base
  let ledger: Ledger
  let custody: Custody
  let durable: DurableQueues
  let input: Input

  func run() {
    let attempts = ledger.enter()
    guard let predecessor = ledger.predecessor else {
      ledger.publish()
      return
    }
    let source = base.source
    makeAgain(predecessor)
    ledger.ownRecordsBegin()
    if attempts >= Self.maximumCrashes, custody.crashes >= Self.maximumCrashes,
      source.pendingBytes > 0
    {
      base.loop.say(
        .alert,
        "\(source.pendingBytes) bytes of input are passed over: with them the dispatching process "
          + "died \(attempts) times")
      source.passOverPending()
    }
    if !source.goesOn { takeRest() }
    ledger.publish()
    for plugin in base.plugins.all where plugin.inheritance?.isAwaited == false {
      durable.settleInheritance(plugin)
    }
    // Read, and no records yet: nothing else may come that would have them taken.
    if source.goesOn, source.pendingBytes > 0 { input.takeRecords() }
  }

  private func makeAgain(_ predecessor: Predecessor) {
    let journal = base.journal
    journal.beginBatch()
    base.source.takeAgain(
      predecessor.nextRecord - predecessor.settled.record, into: journal,
      isNeeded: durable.isSpooling, until: predecessor.taken)
    if journal.batch.records > 0 { durable.spool(journal.batch) }
  }

  /// What the predecessor read last is the end of its stream: nobody kept that.
  private func takeRest() {
    base.source.markEnded(isCut: !base.source.canWait)
    input.takeRecords()
    if base.source.pendingBytes > 0 { base.source.passOverPending() }
  }
}
