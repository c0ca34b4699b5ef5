import Configuration
import Journal
import Linux
import RemoteProtocol

/// Which records of each sender were stored last. It survives this process with the memory, and all
/// processes in the log's folder.
final class SenderMemory: Owner {
  let base: Base
  private let durable: DurableQueues
  private let ledger: SenderLedger
  private var saidForgotten: UInt64 = 0
  private var report = RateLimit(every: .seconds(60))

  init(_ base: Base, _ durable: DurableQueues, _ ledger: SenderLedger) {
    self.base = base
    self.durable = durable
    self.ledger = ledger
  }

  // MARK: For the status

  var remembered: Int { ledger.senders }
  var forgotten: UInt64 { ledger.forgotten }

  // MARK: Records

  /// The last number that was stored of a sender of ours.
  func last(of key: [UInt8]) -> UInt64? { ledger.last(of: key) }

  /// What a sender of ours may have been known by before, as it had another address, or another key
  /// over TLS: what it calls itself is the same.
  func formerKeys(of name: String, now key: [UInt8]) -> [[UInt8]] {
    let keys = ledger.keys(endingIn: PeerTable.Connection.keyEnd(name))
    return keys.filter { $0 != key && $0.starts(with: PeerTable.Connection.keyStart) }
  }

  /// Whether such a record was stored.
  ///
  /// - Parameters:
  ///   - formerKeys: of its sender.
  ///   - isFirst: of its connection: what carries no number can be known again only then.
  func has(
    _ line: [UInt8], _ record: UnsafeRecords.Record, formerKeys: [[UInt8]], isFirst: Bool
  ) -> Bool {
    if record.isNumbered {
      return ledger.has(record.key, number: record.number, line)
        || formerKeys.contains { ledger.has($0, number: record.number, line) }
    }
    return isFirst && ledger.hasLast(record.key, line)
  }

  /// Notes a record before the log has it, with its place there, or beyond every place while that is
  /// not known: should the log never get it, it was not stored.
  func note(_ line: [UInt8], _ record: UnsafeRecords.Record) {
    var place: UInt64 = 0
    if let open = durable.open, durable.isSpooling {
      place = open.isOpen ? open.spool.logged(record.record).value &+ 1 : .max
    }
    if record.isNumbered {
      ledger.note(record.key, number: record.number, line, place: place)
    } else {
      ledger.noteLast(record.key, connection: record.number, line, place: place)
    }
    if ledger.forgotten != saidForgotten { sayForgotten() }
  }

  private func sayForgotten() {
    guard report.pass(loop.now) != nil else { return }
    let count = ledger.forgotten - saidForgotten
    saidForgotten = ledger.forgotten
    loop.say(
      .warning,
      "\(SenderLedger.slots) senders are remembered, and what was stored of \(count) others was "
        + "forgotten: what those send again is stored again")
  }

  /// The log did not take what was waited for.
  func drop(_ records: ArraySlice<UnsafeRecords.Record>) {
    for record in records where !record.key.isEmpty {
      if record.isNumbered {
        ledger.drop(record.key, number: record.number)
      } else {
        ledger.dropLast(record.key, connection: record.number)
      }
    }
  }
}
