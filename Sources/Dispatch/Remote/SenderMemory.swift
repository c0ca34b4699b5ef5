import Configuration
import Journal
import Linux
import RemoteProtocol

/// Which records of each sender were stored last, in a file of the spool that outlives this process.
final class SenderMemory: Owner {
  let base: Base
  private let durable: DurableQueues
  private var opening: LedgerOpening?
  private var nextOpening = Moment(nanoseconds: 0)
  private var mapped: MappedFile?
  private var ledger: SenderLedger?
  /// Behind it, what was counted.
  private(set) var figures: FigureLedger?
  /// It was compared with the log.
  private var isSettled = false

  init(_ base: Base, _ durable: DurableQueues) {
    self.base = base
    self.durable = durable
  }

  // MARK: Opening

  static let byteCount = SenderLedger.byteCount + FigureLedger.byteCount

  /// Whether it is known what was stored of each sender.
  func open() -> Bool {
    if ledger != nil { return true }
    guard let opening else {
      guard loop.now >= nextOpening else { return false }
      let opening = LedgerOpening(folder: settings.daemon.spoolDirectory)
      do throws(SystemError) {
        try WorkThread(opening).detach()
        self.opening = opening
      } catch { begin(nil, "\(error)") }
      return ledger != nil
    }
    switch opening.take() {
    case nil: return false
    case .opened(let file)?: begin(Descriptor(owning: file), nil)
    case .taken?:
      self.opening = nil
      nextOpening = loop.now + .milliseconds(200)
    case .failed(let reason)?: begin(nil, reason)
    }
    return ledger != nil
  }

  private func begin(_ file: consuming Descriptor?, _ reason: String?) {
    opening = nil
    nextOpening = loop.now + .seconds(5)
    if let reason {
      loop.say(
        .warning,
        "\(reason): which records of other hosts were stored is forgotten when this process ends")
    }
    let count = Self.byteCount
    do throws(SystemError) {
      let mapped =
        if let file { try MappedFile(file, count: count) } else {
          try MappedFile.anonymous("audispatch-senders", count: count)
        }
      ledger = unsafe SenderLedger(mapped.memory)
      figures = unsafe FigureLedger(mapped.memory + SenderLedger.byteCount)
      self.mapped = mapped
    } catch { loop.say(.error, "\(error)") }
  }

  /// What a predecessor noted and the log did not get was not stored.
  func settle() {
    guard !isSettled, let ledger, durable.isSettled, !durable.isSearching else { return }
    isSettled = true
    guard let open = durable.open, open.isOpen else { return }
    ledger.forget(placesFrom: open.spool.logged(open.endAtOpening))
  }

  // MARK: Records

  /// The last number that was stored of a sender of ours.
  func last(of key: [UInt8]) -> UInt64? { ledger?.last(of: key) }

  /// What a sender of ours may have been known by before, as it had another address, or another key
  /// over TLS: what it calls itself is the same.
  func formerKeys(of name: String, now key: [UInt8]) -> [[UInt8]] {
    let keys = ledger?.keys(endingIn: PeerTable.Connection.keyEnd(name)) ?? []
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
    guard let ledger else { return false }
    if record.isNumbered {
      return ledger.has(record.key, number: record.number, line)
        || formerKeys.contains { ledger.has($0, number: record.number, line) }
    }
    return isFirst && ledger.hasLast(record.key, line)
  }

  /// Notes a record before the log has it, with its place there, or beyond every place until that is
  /// known: should the log never get it, it was not stored.
  func note(_ line: [UInt8], _ record: UnsafeRecords.Record) {
    var place: UInt64 = 0
    if let open = durable.open, durable.isSpooling {
      place = open.isOpen ? open.spool.logged(record.record) &+ 1 : .max
    }
    if record.isNumbered {
      ledger?.note(record.key, number: record.number, line, place: place)
    } else {
      ledger?.noteLast(record.key, connection: record.number, line, place: place)
    }
  }

  /// The log did not take what was waited for.
  func drop(_ records: ArraySlice<UnsafeRecords.Record>) {
    for record in records where !record.key.isEmpty {
      if record.isNumbered {
        ledger?.drop(record.key, number: record.number)
      } else {
        ledger?.dropLast(record.key, connection: record.number)
      }
    }
  }
}
