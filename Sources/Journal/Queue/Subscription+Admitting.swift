import AuditRecord

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
    let wasOverflowing = isOverflowing
    if wasOverflowing, isHalfEmpty { admission.reopen(at: batch.firstNewEvent, fullReason) }
    forgetOldEvents(journal)
    switch admission.fate(ofAllFrom: batch.oldestEvent, fullReason) {
    case .open where waits || hasRoom(for: batch):
      admitWhole(batch)
      return false
    case .dropped(let reason):
      dropWhole(batch, reason)
      return false
    default: break
    }
    for slice in batch.slices {
      for index in slice.start..<slice.end {
        admitOne(slice.segment, index, next: batch.nextEvent, now: now, waits: waits)
      }
    }
    if Int(backlog.counters.queued) < limits.records { admission.gotRoom() }
    return !wasOverflowing && isOverflowing
  }

  /// Records that the plugin is not to get: they count neither as received nor as dropped.
  public mutating func leaveOut(_ batch: Journal.Batch) {
    for slice in batch.slices { disk?.leaveOut(slice.numbers) }
  }

  @inline(__always)
  private func hasRoom(for batch: Journal.Batch) -> Bool {
    let bound = bound
    return Int(backlog.counters.queued) + batch.records <= bound.records
      && backlog.counters.queuedBytes + batch.bytes <= bound.bytes
  }

  @inline(__always)
  private mutating func admitWhole(_ batch: Journal.Batch) {
    for slice in batch.slices { put(slice.segment, slice.start, slice.end, bytes: slice.bytes) }
  }

  private mutating func dropWhole(_ batch: Journal.Batch, _ reason: DropReason) {
    let events = UInt64(batch.nextEvent - batch.firstNewEvent)
    backlog.refuse(UInt64(batch.records), events: events, reason)
    guard let last = batch.slices.last else { return }
    for slice in batch.slices { disk?.leaveOut(slice.numbers) }
    noteGap(
      records: UInt64(batch.records), events: events, reason,
      serial: last.segment.serial(last.end - 1))
  }

  @inline(__always)
  private mutating func forgetOldEvents(_ journal: Journal) {
    guard admission.hasRefused else { return }
    let first = holding.runs.first
    admission.forgetOldEvents(oldest: journal.oldestEvent) {
      first.map { .expand($0.segment[$0.start].event, next: journal.nextEvent) }
    }
  }

  private mutating func admitOne(
    _ segment: Segment, _ index: Int, next: EventNumber, now: Int64, waits: Bool
  ) {
    let entry = segment[index]
    let event = EventNumber.expand(entry.event, next: next)
    let length = Int(entry.textLength)
    switch admission.known(event, fullReason) {
    case .notMeant:
      disk?.leaveOut(segment.first + index..<segment.first + index + 1)
      return
    case .dropped(let reason): return refuse(segment, index, reason)
    case nil: break
    }
    if !waits, isOver(length) {
      if limits.whenFull == .dropOldest { makeRoom(length, for: event, next: next) }
      if isOver(length) {
        if entry.isFirst { return refuse(segment, index, admission.refuse(event, fullReason)) }
        guard admission.mayExceed(event, length) else { return refuse(segment, index, fullReason) }
      }
    }
    if entry.isFirst, admission.gap.records > 0 { announce(before: segment.first + index, now) }
    put(segment, index, index + 1, bytes: length)
  }

  private func isOver(_ length: Int) -> Bool {
    let bound = bound
    return Int(backlog.counters.queued) >= bound.records
      || backlog.counters.queuedBytes + length > bound.bytes
  }

  /// Queues records, in memory as long as there is room.
  @inline(__always)
  private mutating func put(_ segment: Segment, _ start: Int, _ end: Int, bytes: Int) {
    if disk == nil || isHeld(records: end - start, bytes: bytes) {
      holding.append(segment, start, end)
    } else {
      disk?.put(records: end - start, bytes: bytes)
    }
    backlog.queue(segment.first + start..<segment.first + end, bytes: bytes)
  }

  // MARK: Gaps

  /// Counts a record that was put to the plugin and is not queued.
  private mutating func refuse(_ segment: Segment, _ index: Int, _ reason: DropReason) {
    backlog.refuse(1, events: segment[index].isFirst ? 1 : 0, reason)
    noteDropped(segment, index, reason, isAhead: limits.whenFull == .dropOldest)
  }

  /// What a dropped record means for the log, and for what is announced.
  mutating func noteDropped(
    _ segment: Segment, _ index: Int, _ reason: DropReason, isAhead: Bool
  ) {
    let isFirst = segment[index].isFirst
    disk?.leaveOut(segment.first + index..<segment.first + index + 1)
    noteGap(
      records: 1, events: isFirst ? 1 : 0, reason, serial: segment.serial(index),
      isAhead: isAhead)
  }

  mutating func noteGap(
    records: UInt64, events: UInt64, _ reason: DropReason, serial: UInt64?, isAhead: Bool = false
  ) {
    if isAhead {
      backlog.noteGapAhead(records: records, events: events, reason, serial: serial)
    } else {
      admission.gap.note(records: records, events: events, reason, serial: serial)
    }
  }

  /// Puts the announcement of what was dropped behind all that is queued.
  private mutating func announce(before number: RecordNumber, _ now: Int64) {
    if announcesGaps {
      backlog.announce(Announcement(before: number, gap: admission.gap, time: now))
    }
    admission.gap = Gap()
  }

  /// The text of a gap record.
  func text(of announcement: Announcement) -> String {
    let gap = announcement.gap
    let seconds = announcement.time / 1000
    let fraction = String(announcement.time % 1000 + 1000).dropFirst()
    return "\(node)type=DAEMON_ERR msg=audit(\(seconds).\(fraction):\(gap.serial)): op=queue-drop "
      + "plugin=\(name) dropped=\(gap.records) events=\(gap.events) reason=\(gap.reason.name) "
      + "res=failed\(gapMark)"
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
