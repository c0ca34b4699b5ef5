import Journal
import Linux
import RemoteProtocol

/// What was stored of other hosts' records goes into a file of the spool with them, for when nobody has
/// this process's memory any more.
final class SenderFile {
  private let loop: Loop
  private let ledger: SenderLedger
  /// It could not be written, and all of it is written again then.
  private var retry: Moment?
  private var report = RateLimit(every: .seconds(600))

  init(_ loop: Loop, _ ledger: SenderLedger) {
    self.loop = loop
    self.ledger = ledger
  }

  var form: SideFile {
    SideFile(
      name: "senders", blockBytes: SenderLedger.slotSize, blocks: SenderLedger.slots,
      isRead: !ledger.hasRead)
  }

  /// The log is open.
  func begin(_ opened: Spool.Opened) {
    ledger.begin(
      with: opened.beside.map { ($0.index, $0.bytes) }, logEnd: opened.nextSequence.value)
  }

  /// Has what changed written in front of what is committed next.
  func write(_ spool: Spool) {
    guard retry == nil else { return }
    unsafe ledger.takeChanges { place, bytes in unsafe spool.writeBeside(at: place, bytes) }
  }

  func failed(_ error: SystemError) {
    retry = loop.now + .seconds(60)
    guard report.pass(loop.now) != nil else { return }
    loop.say(
      .warning,
      "\(error): which records of other hosts were stored is forgotten when all processes of this "
        + "dispatcher end; tried again every minute")
  }

  func tend() {
    guard let retry, loop.hasCome(retry, .durable) else { return }
    self.retry = nil
    ledger.writeAnew()
  }
}
