extension Subscription {
  /// Records of other events between two of one event, after which its rest counts as far behind.
  private static let maximumMisses = 64

  /// Drops the oldest whole events until a record of `length` bytes fits; an event of which a
  /// record was written already is kept, and so is `event`, the record's own.
  mutating func makeRoom(_ length: Int, for event: EventNumber, next: EventNumber) {
    while Int(backlog.counters.queued) >= limits.records
      || backlog.counters.queuedBytes + length > limits.bytes
    {
      guard dropOldestEvent(next: next, except: event) else { return }
    }
  }

  /// Drops the oldest whole event that is in memory, as far as none of its records is written.
  ///
  /// - Returns: whether there was one.
  public mutating func shed(journal: Journal) -> Bool {
    dropOldestEvent(next: journal.nextEvent, except: nil)
  }

  /// Records of the oldest event that may be dropped leave the queue. Those of them that lie far
  /// behind are dropped when they come to be written.
  private mutating func dropOldestEvent(next: EventNumber, except kept: EventNumber?) -> Bool {
    let isMidway = stream.extras.isEmpty && stream.offset > 0
    guard var number = backlog.next.map({ $0 + (isMidway ? 1 : 0) }) else { return false }
    var victim: EventNumber?
    var misses = 0
    while misses < Self.maximumMisses, let stretch = backlog.pending.stretch(from: number) {
      number = stretch.lowerBound
      guard let run = holding.run(from: number) else {
        // In the log only, up to what is held again.
        guard let held = holding.next(from: number) else { break }
        number = held.numbers.lowerBound
        continue
      }
      let entry = run.segment[run.start]
      let event = EventNumber.expand(entry.event, next: next)
      let hasNumber = confirms && number < backlog.numberedBelow
      if victim == nil, event != kept, !hasNumber,
        entry.isFirst || admission.droppedEvents.contains(event)
      {
        victim = event
        admission.exclude(event)
      }
      if event == victim {
        misses = 0
        dropQueued(run.segment, run.start)
      } else if victim != nil {
        misses += 1
      }
      number = number + 1
    }
    return victim != nil
  }

  /// Takes one queued record out, of which nothing is written, and counts it as dropped.
  mutating func dropQueued(_ segment: Segment, _ index: Int) {
    let number = segment.first + index
    let entry = segment[index]
    backlog.drop(
      number..<number + 1, bytes: Int(entry.textLength), events: entry.isFirst ? 1 : 0, .queueFull)
    holding.letGo(of: number, backlog.pending)
    noteDropped(segment, index, .queueFull, isAhead: true)
  }

  /// Drops what is queued in memory only; what is in the log stays, there.
  public mutating func dropHeld(_ reason: DropReason) {
    let logged = queuedInLog
    let records = logged.reduce(0) { $0 + $1.count }
    let queued = Int(backlog.counters.queued)
    let bytes = queued == 0 ? 0 : backlog.counters.queuedBytes * records / queued
    backlog.replacePending(with: logged, bytes: bytes, reason)
    holding.letGoOfAll()
    stream = Stream()
    beginnings.forgetAll()
    disk?.set(records: records, bytes: bytes)
  }
}
