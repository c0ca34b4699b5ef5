/// What a process that takes over is to know of a queue.
public struct QueueState {
  public let counters: Counters
  /// The first record that is not delivered, and where in the stream the first record begins that is
  /// not read to its end.
  public let undelivered: RecordNumber
  public let position: StreamOffset
  public let stream: StreamPosition
  public let firstNumber: StreamNumber
  public let encoding: Encoding
  /// Dropped records that gap records told of: in those that were read, and that were written.
  public let announced: (read: UInt64, written: UInt64)
  /// While not all of the queue is in the log: how many records in turn are, and are not.
  public let pieces: [(records: UInt64, isOnDisk: Bool)]
  /// It is not known what the log has from before: nothing of that is in the queue.
  public let awaitsPast: Bool
}

/// What a process that takes over from a dead one does with the queues that it finds.
extension Subscription {
  /// Mutating, as a queue that is only read would be copied for the call.
  ///
  /// - Parameter end: the number of the next record of the journal.
  public mutating func state(end: RecordNumber) -> QueueState {
    QueueState(
      counters: counters, undelivered: firstUndelivered(end: end),
      position: stream.position.written.advanced(by: -(outstanding + stream.readOffset)),
      stream: stream.position, firstNumber: firstNumber, encoding: encoding,
      announced: backlog.announced, pieces: disk == nil ? [] : pieceCounts,
      awaitsPast: disk.map { !$0.knowsPast } ?? false)
  }

  /// What a predecessor had dropped and its plugin has not been told of, is announced.
  public mutating func adoptAnnounced(_ read: UInt64, of dropped: Counters) {
    backlog.adoptAnnounced(read)
    let missing = dropped.dropped - min(read, dropped.dropped)
    guard missing > 0, let reason = DropReason.allCases.max(by: { dropped[$0] < dropped[$1] })
    else { return }
    noteGap(records: missing, events: 0, reason, serial: nil, isAhead: true)
  }

  /// Goes on with a predecessor's counters; what it had queued is settled later, by
  /// `settle` or `adoptStored`.
  public mutating func adopt(_ counters: Counters, firstNumber: StreamNumber) {
    backlog.adopt(counters, firstNumber: firstNumber)
  }

  /// What was queued in a predecessor's memory: so much of it the plugin had read, the rest is lost.
  public mutating func settle(queued: UInt64, bytes: Int, delivered: UInt64) {
    let (read, died) = backlog.settle(
      queued: (queued, bytes), stored: [], storedBytes: 0, read: delivered)
    if confirms { backlog.setFirstNumber(firstNumber + Int(read)) }
    announceDied(died)
  }

  /// What was queued by a predecessor and lies in the log comes before what was queued since, none of
  /// which is written.
  ///
  /// - Parameters:
  ///   - ranges: the records, in order.
  ///   - queued: how many the predecessor had counted, and their bytes.
  ///   - read: how many of them were in memory only, and were read; what else is not in the log is
  ///     lost.
  /// - Returns: how many died with the predecessor; those that are lost are to be announced when it is
  ///   known what was read.
  public mutating func adoptStored(
    _ ranges: [Range<RecordNumber>], queued: UInt64, bytes: Int, read: UInt64 = 0
  ) -> UInt64 {
    let records = UInt64(ranges.reduce(0) { $0 + $1.count })
    let logged =
      queued == 0 ? 0 : Int(Double(bytes) * Double(min(records, queued)) / Double(queued))
    beginWithLogged(ranges, logged)
    return backlog.settle(
      queued: (queued, bytes), stored: ranges, storedBytes: logged, read: read
    ).died
  }

  /// So many of those that died are sent again by other hosts: they are not announced, by a successor
  /// neither.
  public mutating func noteSentAgain(_ records: UInt64) { backlog.noteUntold(records) }

  /// Records that were only in a dead process's memory are announced.
  public mutating func announceDied(_ records: UInt64) {
    guard records > 0 else { return }
    noteGap(records: records, events: 0, .dispatcherDied, serial: nil, isAhead: true)
  }

  /// The first number becomes a later one: those before it were read, or are gone.
  public mutating func skipNumbers(to number: StreamNumber) {
    backlog.setFirstNumber(max(firstNumber, number))
  }

  /// The predecessor's plugin had read, or confirmed, that many of the first records, all in the log
  /// only.
  public mutating func passOverStored(_ records: UInt64) {
    var left = Int(records)
    while left > 0, let range = backlog.pending.stretch(from: RecordNumber(0)) {
      let count = min(left, range.count)
      let bytes = disk?.bytes(of: count) ?? 0
      disk?.takeOut(records: count, bytes: bytes)
      backlog.deliver(
        range.lowerBound..<range.lowerBound + count, bytes: bytes, areNumbered: confirms)
      left -= count
    }
  }

  /// The predecessor's plugin had read that many bytes more of the stream than is counted. Takes as
  /// much of them as is in memory.
  ///
  /// - Returns: the bytes that are left.
  public mutating func passOver(
    _ bytes: UInt64, journal: Journal, scratch: inout [UInt8]
  ) -> UInt64 {
    var left = bytes
    // An announcement that is due is none of what was read. What was read was safe.
    let due = backlog.takeGapAhead()
    let waits = disk?.waitsForSync ?? false
    disk?.change(waitsForSync: false)
    defer {
      backlog.putBackGapAhead(due)
      disk?.change(waitsForSync: waits)
    }
    while left > 0 {
      let piece = unsafe withNextBytes(journal: journal, now: 0, scratch: &scratch) { $0.count }
      guard let piece, piece > 0 else { return left }
      let count = min(UInt64(piece), left)
      wrote(Int(count))
      setUnread(0)
      left -= count
    }
    return 0
  }

  /// The successor's stream begins here; so many of its first records went to the predecessor.
  public mutating func beginAgain(repeated records: UInt64, journal: Journal) {
    restart(unread: outstanding, journal: journal)
    // The predecessor's child had read all that it was given: none of it is given again.
    beginnings.forgetInherited()
    backlog.noteGiven(first: Int(clamping: records))
  }
}
