import AuditRecord
import Journal
import Linux
import RemoteProtocol

/// From the receiver into the journal.
extension RemoteInput {
  /// Takes what the receiver said.
  func take(_ items: [ReceiverItem]) {
    defer {
      journal.begin(sender: [])
      if let text = source.malformedMessage(loop.now) { loop.say(.warning, text) }
    }
    journal.beginBatch()
    var room = self.room
    for item in items {
      if case .record(let peer, let sequence, let line) = item {
        take(line, peer, sequence)
        let batch = journal.batch
        if batch.records > 0, batch.records >= room.records || batch.bytes >= room.bytes {
          finishBatch()
          holdOrGoOn()
          journal.beginBatch()
          room = self.room
        }
      } else {
        if isNewConnection(item) {
          // What comes again over it is to be known.
          finishBatch()
          acknowledge()
          journal.beginBatch()
          room = self.room
        }
        follow(item)
      }
    }
    finishBatch()
  }

  private func isNewConnection(_ item: ReceiverItem) -> Bool {
    switch item {
    case .opened, .named: true
    default: false
    }
  }

  /// What one batch may have: no queue is to overflow that its plugin would have read, and a lossless
  /// one not at all.
  private var room: (records: Int, bytes: Int) {
    let bytes = durable.leastLosslessRoom.map { $0.free - Safekeeping.reserve / 2 } ?? .max
    return (distribution.liveRoom(isForeign: true), bytes)
  }

  private func finishBatch() {
    let batch = journal.batch
    guard batch.records > 0 else { return }
    source.noteForeign(next: journal.nextRecord)
    peers.keep()
    distribution.take(batch)
  }

  private func follow(_ item: ReceiverItem) {
    switch item {
    case .opened(let peer, let source, let address, let port, let identity):
      receiver.serves()
      peers.opened(
        peer, source: Int(source), address: Self.shown(address), port: port, identity: identity)
    case .named(let peer, let opening):
      let key = peers.named(peer, opening)
      peers.setFormerKeys(peer, senders.formerKeys(of: opening.name, now: key))
      let last = senders.last(of: key)
      receiver.process?.order(.has(peer: peer, last))
      receiver.process?.flush()
    case .closed(let peer, let isFault, let reason):
      peers.closed(peer, isFault: isFault, reason)
    case .refused(let source, let address, let reason):
      peers.refused(at: Int(source), Self.shown(address), reason)
    case .objection(let text): loop.say(.error, Self.said(text))
    case .warning(let text): loop.say(.warning, Self.said(text))
    case .works(let number): receiver.answered(number)
    case .record: break
    }
  }

  /// An address as the receiver says it: what took it over could say anything.
  private static func shown(_ address: String) -> String { printable(address, limit: 64) }

  private static func said(_ text: String) -> String {
    "audispatch-receive: " + printable(text, limit: 1000)
  }

  // MARK: One record

  private var lastRecord: RecordNumber { journal.nextRecord.advanced(by: -1) }

  private func take(_ line: [UInt8], _ peer: UInt32, _ sequence: UInt32) {
    guard let count = receiver.process?.count() else { return }
    // Whoever sent it is told to keep it, and what follows: it connects again.
    guard obstacle == nil else { return peers.leaves(peer) }
    var record = UnsafeRecords.Record(
      count: count, record: lastRecord, place: nil, key: [], number: 0, isNumbered: false, text: nil
    )
    if let noted = peers.sender(peer, sequence: sequence) {
      let connection = noted.connection
      record.place = connection.place
      record.isNumbered = connection.name != nil
      record.number = record.isNumbered ? noted.number : connection.ordinal
      record.key = record.isNumbered ? connection.key : connection.hostKey(of: line)
      if store(line, record, connection, isFirst: noted.isFirst) {
        record.record = lastRecord
        if durable.isSpooling { senders.note(line, record) } else { record.text = line }
        if noted.number > 0, !connection.formerKeys.isEmpty { peers.setFormerKeys(peer, []) }
      } else {
        record.key = []
      }
    }
    // What follows a record that is not safe is not told before it, either.
    wait(for: record)
  }

  /// - Returns: whether the journal has it now, and had it not before.
  private func store(
    _ line: [UInt8], _ record: UnsafeRecords.Record, _ connection: PeerTable.Connection,
    isFirst: Bool
  ) -> Bool {
    if senders.has(line, record, formerKeys: connection.formerKeys, isFirst: isFirst) {
      peers.repeated(connection)
      return false
    }
    guard let kept = peers.judged(line, of: connection), append(kept, of: connection) else {
      return false
    }
    if durable.isSpooling { durable.open?.spool.note(sender: connection.sender, of: lastRecord) }
    return true
  }

  /// Makes a record of a line; `false` when it is none, which is counted.
  private func append(_ line: [UInt8], of connection: PeerTable.Connection) -> Bool {
    let place = receiver.places[connection.source]
    journal.begin(sender: connection.origin)
    let events = journal.eventsBegun
    var reader = RecordReader()
    var at = 0
    let (stop, taken) = journal.take(line.span, &reader, &at, ended: true, limit: 1)
    guard taken == 1 else {
      let kind: MalformedInput
      if case .malformed(let what, _) = stop { kind = what } else { kind = .notARecord }
      place.count { $0.malformed += 1 }
      source.countForeignMalformed(kind, Array(line.prefix(64)))
      return false
    }
    // With its newline.
    let bytes = line.count + 1
    place.count {
      $0.records += 1
      $0.bytes += UInt64(bytes)
      $0.events += journal.eventsBegun - events
    }
    source.countForeign(bytes: bytes)
    return true
  }
}
