import DequeModule

/// How far the stream to one process of a plugin has come.
public struct StreamPosition: Equatable, Sendable {
  /// Bytes.
  public internal(set) var written: UInt64 = 0
  /// Queued records that were written whole.
  public internal(set) var records: UInt64 = 0
  /// Where the last thing ended that is no queued record, but an announcement or a repetition.
  public internal(set) var extraEnd: UInt64 = 0
}

/// What a process that takes over is to know of a queue.
public struct QueueState {
  public let counters: Counters
  /// The sequence number of the first record that is not delivered, and where in the stream the
  /// first record begins that is not read to its end.
  public let undelivered: UInt64
  public let position: UInt64
  public let stream: StreamPosition
  public let firstNumber: UInt64
  public let encoding: Encoding
  /// Dropped records that gap records told of: in those that were read, and that were written.
  public let announced: (read: UInt64, written: UInt64)
  /// While not all of the queue is on disk: how many records in turn are, and are not.
  public let pieces: [(records: UInt64, isOnDisk: Bool)]
}

/// What a process that takes over from a dead one does with the queues that it finds.
extension Subscription {
  /// Where in the stream the first record begins that is not read to its end.
  public var readPosition: UInt64 { stream.written - UInt64(outstanding) - UInt64(readOffset) }

  /// - Parameter end: the number of the next record of the journal.
  public func state(end: UInt64) -> QueueState {
    QueueState(
      counters: counters, undelivered: firstUndelivered(end: end), position: readPosition,
      stream: stream, firstNumber: firstNumber, encoding: encoding, announced: announced,
      pieces: storage == nil ? [] : pieceCounts)
  }

  /// What a predecessor had dropped and its plugin has not been told of, is announced.
  public mutating func adoptAnnounced(_ read: UInt64, of dropped: Counters) {
    announced = (read, read)
    let missing = dropped.dropped - min(read, dropped.dropped)
    guard missing > 0, let reason = DropReason.allCases.max(by: { dropped[$0] < dropped[$1] })
    else {
      return
    }
    noteGap(records: missing, events: 0, reason: reason, serial: nil, ahead: true)
  }

  /// Goes on with a predecessor's counters; what it had queued is settled later, by
  /// `settle` or `adoptStored`.
  public mutating func adopt(_ counters: Counters, firstNumber: UInt64) {
    self.counters = counters
    self.firstNumber = firstNumber
  }

  /// What was queued in a predecessor's memory: so much of it the plugin had read, the rest is lost.
  public mutating func settle(queued: UInt64, bytes: Int, delivered: UInt64) {
    let read = min(delivered, queued)
    let lost = queued - read
    counters.delivered += read
    counters.queued -= queued
    counters.queuedBytes -= bytes
    counters.bytes += queued == 0 ? 0 : UInt64(max(0, bytes)) * read / queued
    counters[.dispatcherDied] += lost
    if confirms { firstNumber += read }
    if lost > 0 {
      noteGap(records: lost, events: 0, reason: .dispatcherDied, serial: nil, ahead: true)
    }
  }

  /// What was queued by a predecessor and lies on disk comes before what was queued since, none of
  /// which is written.
  ///
  /// - Parameters:
  ///   - ranges: sequence numbers of the records, in order.
  ///   - queued: how many the predecessor had counted, and their bytes.
  ///   - read: how many of them were in memory only, and were read; what else is not on disk is lost.
  ///   - takesRecords: whether the disk takes what comes from now on.
  /// - Returns: how many are lost, to be announced when it is known what was read.
  public mutating func adoptStored(
    _ ranges: [Range<UInt64>], queued: UInt64, bytes: Int, read: UInt64 = 0,
    takesRecords: Bool = true
  ) -> UInt64 {
    let since = counters
    let records = UInt64(ranges.reduce(0) { $0 + $1.count })
    let onDisk =
      queued == 0 ? 0 : Int(Double(bytes) * Double(min(records, queued)) / Double(queued))
    restore(ranges, bytes: onDisk, firstNumber: firstNumber, takesRecords: takesRecords)
    counters.queued = since.queued - queued + records
    counters.queuedBytes = since.queuedBytes - bytes + onDisk
    // More is there than was counted when it had just been left out as too much.
    counters.received = since.received + (records > queued ? records - queued : 0)
    guard queued > records else { return 0 }
    let read = min(read, queued - records)
    counters.delivered += read
    counters[.dispatcherDied] += queued - records - read
    return queued - records - read
  }

  /// Records that were only in a dead process's memory are announced.
  public mutating func announceDied(_ records: UInt64) {
    guard records > 0 else { return }
    noteGap(records: records, events: 0, reason: .dispatcherDied, serial: nil, ahead: true)
  }

  /// The first number becomes a later one: those before it were read, or are gone.
  public mutating func skipNumbers(to number: UInt64) { firstNumber = max(firstNumber, number) }

  /// The predecessor's plugin had read, or confirmed, that many of the first records, all stored.
  public mutating func passOverStored(_ records: UInt64) {
    var left = records
    while left > 0, let first = storage?.ranges.first, let stored = storage {
      let count = min(left, UInt64(first.count))
      let bytes = stored.bytes / max(1, stored.records) * Int(count)
      storage?.ranges.removeFirst()
      if count < UInt64(first.count) {
        storage?.ranges.prepend(first.lowerBound + count..<first.upperBound)
      }
      storage?.records -= Int(count)
      storage?.bytes -= bytes
      counters.delivered += count
      counters.queued -= count
      counters.queuedBytes -= bytes
      counters.bytes += UInt64(bytes)
      if confirms { firstNumber += count }
      left -= count
    }
    bringForward()
  }

  /// The predecessor's plugin had read that many bytes more of the stream than is counted. Takes as
  /// much of them as is in memory.
  ///
  /// - Returns: the bytes that are left.
  public mutating func passOver(
    _ bytes: UInt64, journal: Journal, scratch: inout [UInt8]
  ) -> UInt64 {
    var left = bytes
    // An announcement that is due is none of what was read.
    let due = gapAhead
    gapAhead = Gap()
    defer {
      if gapAhead.records == 0 {
        gapAhead = due
      } else {
        gapAhead.records += due.records
        gapAhead.events += due.events
      }
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
    inherited.removeAll()
    inheritedEvents.removeAll()
    guard records > 0, !isEmpty else { return }
    resentBelow = max(resentBelow, firstUndelivered(end: 0) + records)
    givenBelow = resentBelow
  }
}
