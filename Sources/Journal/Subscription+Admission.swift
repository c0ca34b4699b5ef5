import AuditRecord
import DequeModule

extension Subscription {
  /// Puts a batch to the plugin: queued or dropped, each record with its event.
  ///
  /// Costs the same for any number of records while the queue has room, or has none at all.
  ///
  /// - Parameters:
  ///   - now: wall clock in milliseconds, for gap records.
  ///   - waits: the source waits for the plugin, so nothing is ever refused.
  /// - Returns: whether the queue began to overflow.
  @discardableResult
  public mutating func admit(
    _ batch: Journal.Batch, journal: Journal, now: Int64, waits: Bool = false
  ) -> Bool {
    guard batch.records > 0 else { return false }
    let before = intake
    let bound = bound
    reopenIfHalfEmpty(batch)
    forgetOldEvents(journal)
    if refused.isEmpty, droppedEvents.isEmpty {
      switch intake {
      case .admitting:
        let fits =
          Int(counters.queued) + batch.records <= bound.records
          && counters.queuedBytes + batch.bytes <= bound.bytes
        if fits || waits, gap.records == 0 {
          admitWhole(batch)
          return false
        }
      case .dropping(let from):
        if batch.oldestEvent >= from {
          dropWhole(batch, fullReason)
          return false
        }
      case .suspended(let from):
        if batch.oldestEvent >= from {
          dropWhole(batch, .suspended)
          return false
        }
      }
    }
    for slice in batch.slices {
      for index in slice.start..<slice.end {
        admitOne(slice.segment, index, next: batch.nextEvent, journal, now: now, waits: waits)
      }
    }
    if openBytes.count > 0, Int(counters.queued) < limits.records { openBytes.removeAll() }
    return before == .admitting && intake != .admitting
  }

  @inline(__always)
  private mutating func admitWhole(_ batch: Journal.Batch) {
    for slice in batch.slices { put(slice.segment, slice.start, slice.end, bytes: slice.bytes) }
    counters.received += UInt64(batch.records)
    if counters.queued > counters.queuedMax { counters.queuedMax = counters.queued }
  }

  private mutating func dropWhole(_ batch: Journal.Batch, _ reason: DropReason) {
    counters.received += UInt64(batch.records)
    counters[reason] += UInt64(batch.records)
    let events = batch.nextEvent - batch.firstNewEvent
    counters.droppedEvents += events
    guard let last = batch.slices.last else { return }
    for slice in batch.slices {
      storage?.leaveOut(
        slice.segment.firstSequence
          + UInt64(
            slice.start)..<slice.segment.firstSequence + UInt64(slice.end))
    }
    noteGap(
      records: UInt64(batch.records), events: events, reason: reason,
      serial: last.segment.serial(last.end - 1))
  }

  /// Behind an overflow the queue admits again when it is half empty.
  private mutating func reopenIfHalfEmpty(_ batch: Journal.Batch) {
    guard case .dropping(let from) = intake, isHalfEmpty else { return }
    refused.append(Refused(events: from..<batch.firstNewEvent, reason: fullReason))
    intake = .admitting
  }

  private mutating func forgetOldEvents(_ journal: Journal) {
    if let first = refused.first, first.events.upperBound <= journal.oldestEvent {
      let oldest = journal.oldestEvent
      refused.removeAll { $0.events.upperBound <= oldest }
    }
    guard !droppedEvents.isEmpty else { return }
    // The records of an event lie within the tracker's reach of each other.
    let first = runs.first.map { Self.expand($0.segment[$0.start].event, next: journal.events) }
    let gone = min(first ?? .max, journal.oldestEvent)
    if newestDropped + 4096 < gone {
      droppedEvents.removeAll(keepingCapacity: true)
    } else if droppedEvents.count > 2 * 4096 {
      droppedEvents = droppedEvents.filter { $0 + 4096 >= gone }
    }
  }

  private mutating func admitOne(
    _ segment: Segment, _ index: Int, next: UInt64, _ journal: Journal, now: Int64, waits: Bool
  ) {
    let entry = segment[index]
    let event = Self.expand(entry.event, next: next)
    let length = Int(entry.textLength)
    if let known = refused.first(where: { $0.events.contains(event) }) {
      guard let reason = known.reason else {
        storage?.leaveOut(segment.firstSequence + UInt64(index))
        return
      }
      counters.received += 1
      return drop(segment, index, reason)
    }
    counters.received += 1
    if droppedEvents.contains(event) { return drop(segment, index, fullReason) }
    switch intake {
    case .dropping(let from) where event >= from: return drop(segment, index, fullReason)
    case .suspended(let from) where event >= from: return drop(segment, index, .suspended)
    default: break
    }
    if !waits, isOver(length) {
      if limits.whenFull == .dropOldest { makeRoom(length, for: event, next: next) }
      if isOver(length) {
        if entry.isFirst { return refuse(segment, index, event) }
        openBytes[event, default: 0] += length
        if openBytes[event, default: 0] > Self.openEventBytes {
          exclude(event)
          return drop(segment, index, fullReason)
        }
      }
    }
    if entry.isFirst, gap.records > 0 { announce(journal, now: now) }
    put(segment, index, index + 1, bytes: length)
    if counters.queued > counters.queuedMax { counters.queuedMax = counters.queued }
  }

  private func isOver(_ length: Int) -> Bool {
    let bound = bound
    return Int(counters.queued) >= bound.records || counters.queuedBytes + length > bound.bytes
  }

  /// The first record of an event finds no room.
  private mutating func refuse(_ segment: Segment, _ index: Int, _ event: UInt64) {
    switch limits.whenFull {
    case .dropNewest:
      intake = .dropping(from: event)
      drop(segment, index, fullReason)
    case .suspend:
      intake = .suspended(from: event)
      drop(segment, index, .suspended)
    case .dropOldest:
      // Nothing that may be dropped is older: all are of events already begun.
      exclude(event)
      drop(segment, index, .queueFull)
    }
  }

  /// Counts a record that was put to the plugin and is not queued, or not any more.
  mutating func drop(
    _ segment: Segment, _ index: Int, _ reason: DropReason, outOfQueue: Bool = false
  ) {
    let isFirst = segment[index].isFirst
    counters[reason] += 1
    storage?.leaveOut(segment.firstSequence + UInt64(index))
    if isFirst { counters.droppedEvents += 1 }
    noteGap(
      records: 1, events: isFirst ? 1 : 0, reason: reason, serial: segment.serial(index),
      ahead: outOfQueue || limits.whenFull == .dropOldest)
  }

  mutating func noteGap(
    records: UInt64, events: UInt64, reason: DropReason, serial: UInt64?, ahead: Bool = false
  ) {
    var noted = ahead ? gapAhead : gap
    noted.records += records
    noted.events += events
    noted.reason = reason
    if let serial { noted.serial = serial }
    if ahead { gapAhead = noted } else { gap = noted }
  }

  /// Queues records, in memory as long as there is room.
  @inline(__always)
  private mutating func put(_ segment: Segment, _ start: Int, _ end: Int, bytes: Int) {
    if storage != nil {
      switch place(end - start, bytes) {
      case .memory: append(segment, start, end, .counted)
      case .disk: store(segment, start, end, bytes)
      case .behind(let stored):
        let run = Run(segment: segment, start: start, end: end, kind: .counted)
        storage?.putBehind(run, end: stored)
      }
    } else {
      append(segment, start, end, .counted)
    }
    counters.queued += UInt64(end - start)
    counters.queuedBytes += bytes
  }

  /// Puts the announcement of what was dropped at the end of the queue.
  private mutating func announce(_ journal: Journal, now: Int64) {
    defer { gap = Gap() }
    guard let (segment, index) = record(of: gap, journal, now: now) else { return }
    if let range = storage?.ranges.last {
      let run = Run(segment: segment, start: index, end: index + 1, kind: .gap)
      storage?.putBehind(run, end: range.upperBound)
    } else {
      append(segment, index, index + 1, .gap)
    }
  }

  /// The record that announces a gap.
  func record(of gap: Gap, _ journal: Journal, now: Int64) -> (Segment, Int)? {
    guard announcesGaps, gap.records > 0 else { return nil }
    let fraction = String(now % 1000 + 1000).dropFirst()
    let text =
      "\(node)type=DAEMON_ERR msg=audit(\(now / 1000).\(fraction):\(gap.serial)): op=queue-drop "
      + "plugin=\(name) dropped=\(gap.records) events=\(gap.events) reason=\(gap.reason.name) "
      + "res=failed\(gapMark)"
    return journal.appendGap(text, type: .daemonError)
  }

  /// How many dropped records some gap records tell of.
  func droppedRecords(in run: Run, _ range: Range<Int>) -> UInt64 {
    range.reduce(0) { sum, index in
      let entry = run.segment[index]
      let text = unsafe run.segment.withBytes(entry.offset..<entry.end) {
        unsafe String(decoding: $0, as: UTF8.self)
      }
      let word = text.split(separator: " ").first { $0.hasPrefix("dropped=") }
      return sum + (word.flatMap { UInt64($0.dropFirst(8)) } ?? 0)
    }
  }

  @inline(__always)
  mutating func append(_ segment: Segment, _ start: Int, _ end: Int, _ kind: Run.Kind) {
    let last = runs.count - 1
    if last >= 0, runs[last].end == start, runs[last].segment === segment, runs[last].kind == kind {
      runs[last].end = end
    } else {
      if last < 0 {
        writeRun = 0
        writeIndex = start
        writeOffset = 0
      }
      runs.append(Run(segment: segment, start: start, end: end, kind: kind))
    }
  }
}

extension Segment {
  /// The serial in a record's text, if it has one.
  func serial(_ index: Int) -> UInt64? {
    let entry = self[index]
    return unsafe withBytes(entry.offset..<entry.end - 1) { raw in
      let text = unsafe Span<UInt8>(_unsafeBytes: raw)
      return RecordHeader(text)?.stamp.serial
    }
  }
}
