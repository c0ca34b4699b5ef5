import AuditRecord
import Configuration
import Journal
import Linux
import RemoteProtocol

/// Records of other hosts: from the receiver into the journal.
extension Dispatcher {
  /// Takes what the receiver said.
  func take(_ items: [ReceiverItem], _ remote: RemoteSources) {
    defer { reportMalformed() }
    journal.beginBatch()
    var room = liveRoom()
    for item in items {
      if case .record(let peer, let sequence, let line) = item {
        take(line, peer, sequence, remote)
        if journal.batch.records >= room {
          finishBatch(remote)
          journal.beginBatch()
          room = liveRoom()
        }
      } else {
        follow(item, remote)
      }
    }
    finishBatch(remote)
  }

  private func finishBatch(_ remote: RemoteSources) {
    let batch = journal.batch
    guard batch.records > 0 else { return }
    source.noteForeign(next: journal.nextRecord)
    gathering.elsewhere(now: now)
    distribute(batch)
    flushAll()
    keep(batch)
  }

  private func follow(_ item: ReceiverItem, _ remote: RemoteSources) {
    switch item {
    case .opened(let peer, let source, let address, let port, let identity):
      remote.delay = .milliseconds(100)
      remote.peers.open(
        peer, source: Int(source), address: address, identity: identity,
        seconds: WallClock.milliseconds / 1000)
      let who = identity.isEmpty ? "" : " (\(printable(identity.utf8)))"
      say(.info, "\(address) port \(port)\(who) is connected")
    case .named(let peer, let opening):
      remote.peers.name(peer, opening)
      let key = remote.peers.connections[peer]?.key ?? []
      remote.process?.order(.has(peer: peer, remote.ledger?.last(of: key)))
      remote.process?.flush()
    case .closed(let peer, let isFault, let reason):
      let connection = remote.peers.close(peer, error: reason)
      guard isFault, let held = remote.faultReport.pass(now) else { return }
      let more = held > 0 ? " (\(held) such reports held back)" : ""
      say(.warning, "\(connection?.address ?? "a peer"): \(printable(reason.utf8))\(more)")
    case .refused(let source, let address, let reason):
      if Int(source) < remote.places.count { remote.places[Int(source)].turnedAway += 1 }
      guard let held = remote.refusalReport.pass(now) else { return }
      let more = held > 0 ? " (\(held) others, too)" : ""
      say(.warning, "\(address.isEmpty ? "a peer" : address) is not served: \(reason)\(more)")
    case .objection(let text): say(.error, "audispatch-receive: \(text)")
    case .record: break
    }
  }

  // MARK: One record

  private var lastRecord: RecordNumber { RecordNumber(journal.nextRecord.value &- 1) }

  private func take(
    _ line: [UInt8], _ peer: UInt32, _ sequence: UInt32, _ remote: RemoteSources
  ) {
    guard let process = remote.process else { return }
    process.records += 1
    // Whoever sent it was told to keep it.
    guard !remote.isHolding else { return }
    var waiting = RemoteSources.Unsafe(
      count: process.records, record: RecordNumber(0), place: nil, key: [], number: 0,
      isNumbered: false)
    defer {
      // What follows a record that is not safe is not told before it, either.
      if waiting.record == RecordNumber(0) { waiting.record = lastRecord }
      remote.wait(for: waiting)
    }
    guard let (connection, number) = remote.peers.note(peer, sequence: sequence),
      connection.source < remote.places.count
    else { return }
    waiting.place = connection.place
    let place = remote.places[connection.source]
    waiting.isNumbered = connection.name != nil
    waiting.number = waiting.isNumbered ? number : connection.ordinal
    waiting.key = waiting.isNumbered ? connection.key : Self.key(of: line, connection)
    remote.peers.count(connection.place) { $0.records += 1 }
    if isRepeat(line, waiting, connection, remote) {
      place.duplicates += 1
      remote.peers.count(connection.place) { $0.duplicates += 1 }
      waiting.key = []
      return
    }
    guard let kept = judged(line, connection, place, remote) else {
      waiting.key = []
      return
    }
    let events = journal.eventsBegun
    guard append(kept, place) else {
      waiting.key = []
      return
    }
    place.events += journal.eventsBegun - events
    waiting.record = lastRecord
    note(line, waiting, remote)
  }

  /// What is remembered of audisp-remote: several hosts may come from one address, each with its node.
  private static func key(of line: [UInt8], _ connection: PeerTable.Connection) -> [UInt8] {
    let who = connection.identity.isEmpty ? connection.address : connection.identity
    return Array("host \(who) ".utf8) + (PeerText.node(of: line) ?? [])
  }

  private func isRepeat(
    _ line: [UInt8], _ record: RemoteSources.Unsafe, _ connection: PeerTable.Connection,
    _ remote: RemoteSources
  ) -> Bool {
    guard let ledger = remote.ledger else { return false }
    if record.isNumbered { return ledger.has(record.key, number: record.number, line) }
    return connection.isNew && ledger.hasLast(record.key, line)
  }

  /// Notes it before the log has it, with its place there: should the log never get it, it was not
  /// stored.
  private func note(_ line: [UInt8], _ record: RemoteSources.Unsafe, _ remote: RemoteSources) {
    var place: UInt64 = 0
    if let durable, durable.isOpen, isSpooling {
      place = durable.spool.logged(record.record) &+ 1
    }
    if record.isNumbered {
      remote.ledger?.note(record.key, number: record.number, line, place: place)
    } else {
      remote.ledger?.noteLast(record.key, connection: record.number, line, place: place)
    }
  }

  /// The line as it is kept; `nil` for one that is refused, as it claims to be another host's.
  private func judged(
    _ line: [UInt8], _ connection: PeerTable.Connection, _ place: RemoteSources.Place,
    _ remote: RemoteSources
  ) -> [UInt8]? {
    let settings = remote.configuration
    let who = connection.identity.isEmpty ? connection.address : connection.identity
    if settings.nodePolicy != .accept, let node = PeerText.node(of: line),
      !remote.claims.isOwn(node, address: connection.address, identity: connection.identity)
    {
      if settings.nodePolicy == .refuse {
        place.refused += 1
        remote.peers.count(connection.place) { $0.refused += 1 }
        if let held = remote.nodeReport.pass(now) {
          let more = held > 0 ? " (\(held) other records, too)" : ""
          say(
            .warning,
            "\(who) sends records of '\(printable(node))', which is another host: not taken\(more)")
        }
        return nil
      }
      return PeerText.adding(peer: who, to: line)
    }
    return settings.addsPeerField ? PeerText.adding(peer: who, to: line) : line
  }

  /// Makes a record of a line; `false` when it is none, which is counted.
  private func append(_ line: [UInt8], _ place: RemoteSources.Place) -> Bool {
    var bytes = line
    bytes.append(0x0a)
    var reader = RecordReader()
    var at = 0
    let (stop, taken) = journal.take(bytes.span, &reader, &at, ended: false, limit: 1)
    guard taken == 1 else {
      let kind: MalformedInput
      if case .malformed(let what, _) = stop { kind = what } else { kind = .notARecord }
      place.malformed += 1
      source.countForeignMalformed(kind, Array(line.prefix(64)))
      return false
    }
    place.records += 1
    place.bytes += UInt64(bytes.count)
    source.countForeign(bytes: bytes.count)
    return true
  }
}
