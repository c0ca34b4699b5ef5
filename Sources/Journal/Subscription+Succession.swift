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
}

/// What a process that takes over from a dead one does with the queues that it finds.
extension Subscription {
  /// Where in the stream the first record begins that is not read to its end.
  public var readPosition: UInt64 { stream.written - UInt64(outstanding) - UInt64(readOffset) }

  /// - Parameter end: the number of the next record of the journal.
  public func state(end: UInt64) -> QueueState {
    QueueState(
      counters: counters, undelivered: firstUndelivered(end: end), position: readPosition,
      stream: stream, firstNumber: firstNumber, encoding: encoding)
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
  ///   - queued: how many the predecessor had counted, and their bytes: what is not on disk
  ///     is lost.
  ///   - takesRecords: whether the disk takes what comes from now on.
  public mutating func adoptStored(
    _ ranges: [Range<UInt64>], queued: UInt64, bytes: Int, takesRecords: Bool = true
  ) {
    let since = counters
    let records = UInt64(ranges.reduce(0) { $0 + $1.count })
    restore(
      ranges, bytes: records == 0 ? 0 : bytes, firstNumber: firstNumber,
      takesRecords: takesRecords)
    counters.queued = since.queued - queued + records
    counters.queuedBytes = since.queuedBytes - (records == 0 ? bytes : 0)
    // More is there than was counted when it had just been left out as too much.
    counters.received = since.received + (records > queued ? records - queued : 0)
    guard queued > records else { return }
    counters[.dispatcherDied] += queued - records
    noteGap(
      records: queued - records, events: 0, reason: .dispatcherDied, serial: nil, ahead: true)
  }

  /// The predecessor's plugin had confirmed everything below this number, all of it stored.
  public mutating func confirmStored(below number: UInt64) {
    while firstNumber < number, let first = storage?.ranges.first, let stored = storage {
      let count = min(number - firstNumber, UInt64(first.count))
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
      firstNumber += count
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
  }
}
