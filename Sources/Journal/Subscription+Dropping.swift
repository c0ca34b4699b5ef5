import DequeModule

extension Subscription {
  /// Drops the oldest whole events until a record of `length` bytes fits; an event of which a
  /// record was written already is kept, and so is `event`, the record's own.
  mutating func makeRoom(_ length: Int, for event: UInt64, next: UInt64) {
    while Int(counters.queued) >= limits.records || counters.queuedBytes + length > limits.bytes {
      guard dropOldestEvent(next: next, except: event) else { return }
    }
  }

  /// Drops whole events that lie in a segment, as far as none of their records is written.
  ///
  /// - Returns: whether anything was dropped.
  public mutating func shed(journal: Journal) -> Bool {
    dropOldestEvent(next: journal.events, except: nil) || dropFromBehind(next: journal.events)
  }

  /// Whole events leave the records that stand, in memory, behind those on disk: as much as lies
  /// in one segment.
  private mutating func dropFromBehind(next: UInt64) -> Bool {
    guard let position = storage?.behind.firstIndex(where: { $0.run.kind == .counted }),
      let (end, run) = storage?.takeBehind(at: position)
    else { return false }
    var kept: [Run] = []
    for index in run.start..<run.end {
      let event = Self.expand(run.segment[index].event, next: next)
      if run.segment[index].isFirst || droppedEvents.contains(event) {
        exclude(event)
        drop(run.segment, index, .queueFull, outOfQueue: true)
        counters.queued -= 1
        counters.queuedBytes -= Int(run.segment[index].textLength)
      } else if let last = kept.last, last.end == index {
        kept[kept.count - 1].end += 1
      } else {
        kept.append(Run(segment: run.segment, start: index, end: index + 1, kind: .counted))
      }
    }
    for run in kept.reversed() { storage?.putBehind(run, end: end, at: position) }
    return kept.reduce(0) { $0 + $1.count } < run.count
  }

  /// Drops what is queued in memory only; what is on disk stays, there.
  public mutating func dropHeld(_ reason: DropReason) {
    let ranges = queuedOnDisk
    let stored = ranges.reduce(0) { $0 + $1.count }
    let share = counters.queued == 0 ? 0 : counters.queuedBytes * stored / Int(counters.queued)
    counters.queued -= UInt64(stored)
    counters.queuedBytes -= share
    dropAll(reason)
    guard stored > 0 else { return }
    for range in ranges { storage?.ranges.append(range) }
    storage?.records = stored
    storage?.bytes = share
    counters.queued = UInt64(stored)
    counters.queuedBytes = share
  }

  /// Records of the oldest event that may be dropped leave the queue. Those of them that lie far
  /// behind are dropped when they come to be written.
  private mutating func dropOldestEvent(next: UInt64, except kept: UInt64?) -> Bool {
    var position = writeRun
    var index = writeIndex + (writeOffset > 0 ? 1 : 0)
    var victim: UInt64?
    var misses = 0
    while position < runs.count, misses < 64 {
      let run = runs[position]
      if run.kind != .counted || index >= run.end {
        position += 1
        if position < runs.count { index = runs[position].start }
        continue
      }
      let entry = run.segment[index]
      let event = Self.expand(entry.event, next: next)
      let hasNumber = confirms && run.segment.firstSequence + UInt64(index) < resentBelow
      if victim == nil, event != kept, !hasNumber, entry.isFirst || droppedEvents.contains(event) {
        victim = event
        exclude(event)
      }
      if event == victim {
        misses = 0
        (position, index) = removeQueued(run: position, index: index)
      } else {
        if victim != nil { misses += 1 }
        index += 1
      }
    }
    return victim != nil
  }

  /// No further record of that event is admitted or written.
  mutating func exclude(_ event: UInt64) {
    droppedEvents.insert(event)
    newestDropped = max(newestDropped, event)
  }

  /// Takes one queued record out, counts it as dropped, and tells where the next one is.
  @discardableResult
  mutating func removeQueued(run position: Int, index: Int) -> (run: Int, index: Int) {
    let run = runs[position]
    drop(run.segment, index, .queueFull, outOfQueue: true)
    counters.queued -= 1
    counters.queuedBytes -= Int(run.segment[index].textLength)
    let atCursor = position == writeRun && index == writeIndex
    if run.count == 1 {
      runs.remove(at: position)
      if position == writeRun {
        if position < runs.count {
          writeIndex = runs[position].start
        } else {
          writeRun = max(0, position - 1)
          writeIndex = runs.last?.end ?? 0
        }
      }
      return (position, position < runs.count ? runs[position].start : 0)
    }
    if index == run.start {
      runs[position].start += 1
      if atCursor { writeIndex += 1 }
      return (position, index + 1)
    }
    if index == run.end - 1 {
      runs[position].end -= 1
      if position + 1 < runs.count {
        if atCursor {
          writeRun += 1
          writeIndex = runs[position + 1].start
        }
        return (position + 1, runs[position + 1].start)
      }
      return (position + 1, 0)
    }
    var rest = run
    rest.start = index + 1
    runs[position].end = index
    runs.insert(rest, at: position + 1)
    if atCursor {
      writeRun += 1
      writeIndex = rest.start
    }
    return (position + 1, rest.start)
  }
}
