import DequeModule

extension Subscription {
  /// The next bytes of the stream, at most `limit` when they have to be put together.
  ///
  /// Text goes out straight from the segment; binary records are put together in `scratch`. The
  /// bytes are those behind everything that `wrote(_:)` was told; asking twice gives them twice.
  /// Costs nothing for a record that needs no change.
  ///
  /// - Returns: what `body` returned, or `nil` when nothing waits.
  @inline(__always)
  public mutating func withNextBytes<Result>(
    journal: Journal, now: Int64, scratch: inout [UInt8],
    _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result? {
    unsafe withNextPiece(journal: journal, now: now, scratch: &scratch) { bytes, _, _ in
      unsafe body(bytes)
    }
  }

  /// The same; `body` is told, too, how many of the queue's records end in the bytes, and how far the
  /// stream had come before.
  public mutating func withNextPiece<Result>(
    journal: Journal, now: Int64, scratch: inout [UInt8],
    _ body: (UnsafeRawBufferPointer, _ records: Int, _ before: StreamPosition) -> Result
  ) -> Result? {
    prepareWrite(journal, now: now)
    guard hasUnwritten else { return nil }
    let run = runs[writeRun]
    let end = min(endOfPiece(run, journal), endOfSafe(run))
    let isCounted = run.kind == .counted
    if case .string = encoding {
      let first = run.segment[writeIndex]
      let range = first.offset + writeOffset..<run.segment[end - 1].end
      let records = isCounted ? end - writeIndex : 0
      return unsafe run.segment.withBytes(range) { unsafe body($0, records, stream) }
    }
    let records = encode(run, upTo: end, into: &scratch)
    return unsafe scratch.withUnsafeBytes { all in
      unsafe body(
        UnsafeRawBufferPointer(rebasing: all[writeOffset...]), isCounted ? records : 0, stream)
    }
  }

  /// The plugin's socket took that many bytes of what `withNextBytes` gave.
  public mutating func wrote(_ bytes: Int) {
    outstanding += bytes
    stream.written += UInt64(bytes)
    let run = runs[writeRun]
    let (index, rest) = encoding.locate(
      run.segment, writeIndex..<run.end, bytes: bytes + writeOffset)
    if givenBelow > 0 || run.kind == .again { countAgain(run, writeIndex..<index) }
    if run.kind == .counted {
      unconfirmed += index - writeIndex
      stream.records += UInt64(index - writeIndex)
    } else {
      stream.extraEnd = stream.written
      if run.kind == .gap { announced.written += droppedRecords(in: run, writeIndex..<index) }
    }
    writeIndex = index
    writeOffset = rest
  }

  /// How many bytes wait unread in the plugin's socket: everything before them was delivered.
  public mutating func setUnread(_ unread: Int) {
    var read = outstanding - unread
    precondition(read >= 0, "a plugin cannot have more unread than was written")
    outstanding = unread
    // What it has read is delivered when it says that it is done with it.
    if confirms { return }
    read += readOffset
    readOffset = 0
    while read > 0, let run = runs.first {
      let written = writeRun == 0 ? writeIndex : run.end
      let whole = encoding.size(run.segment, run.start..<written)
      if read >= whole {
        deliver(run.start..<written)
        read -= whole
        if written < run.end { break }
        popFirst()
      } else {
        let (index, rest) = encoding.locate(run.segment, run.start..<written, bytes: read)
        deliver(run.start..<index)
        read = rest
        break
      }
    }
    readOffset = read
  }

  /// The plugin has ended with that many bytes unread: its successor gets what it had not read, and
  /// before a record whose event had begun before, what its predecessor had read of that event.
  public mutating func restart(unread: Int, journal: Journal) {
    setUnread(unread)
    resentBelow = max(resentBelow, firstUnbegunSequence ?? 0)
    givenBelow = max(givenBelow, firstUnread(unread) ?? 0)
    unconfirmed = 0
    outstanding = 0
    readOffset = 0
    announced.written = announced.read
    stream = StreamPosition()
    runs.removeAll { $0.kind == .again }
    inherited = confirms ? [] : history
    inheritedEvents = []
    for run in inherited {
      for index in run.start..<run.end {
        let event = Self.expand(run.segment[index].event, next: journal.events)
        inheritedEvents.insert(event)
        newestInherited = max(newestInherited, event)
      }
    }
    writeRun = 0
    writeIndex = runs.first?.start ?? 0
    writeOffset = 0
  }

  /// The sequence number of the first counted record of which nothing is written; behind the last
  /// one when all are.
  private var firstUnbegunSequence: UInt64? {
    if hasUnwritten, writeIndex < runs[writeRun].end, runs[writeRun].kind == .counted {
      return runs[writeRun].segment.firstSequence + UInt64(writeIndex + (writeOffset > 0 ? 1 : 0))
    }
    let next = runs.isEmpty ? 0 : writeRun + 1
    if let run = runs[min(next, runs.count)...].first(where: { $0.kind == .counted }) {
      return run.sequence
    }
    return runs.last { $0.kind == .counted }.map { $0.sequence + UInt64($0.count) }
  }

  /// The sequence number of the first queued record that is not read whole, of those that are
  /// written; behind them when all are. Only a plugin that confirms has read some that are queued.
  private func firstUnread(_ unread: Int) -> UInt64? {
    guard confirms, let first = runs.first else { return nil }
    let written = runs.indices.prefix(writeRun + 1).map { index in
      runs[index].start..<(index == writeRun ? writeIndex : runs[index].end)
    }
    let sizes = written.indices.map { encoding.size(runs[$0].segment, written[$0]) }
    var left = sizes.reduce(writeOffset, +) - unread
    for (index, size) in sizes.enumerated() {
      let run = runs[index]
      if left < size {
        let (end, _) = encoding.locate(run.segment, written[index], bytes: max(0, left))
        return run.segment.firstSequence + UInt64(end)
      }
      left -= size
    }
    return written.last.map {
      runs[written.count - 1].segment.firstSequence + UInt64($0.upperBound)
    }
      ?? first.sequence
  }

  // MARK: Reading and confirming

  /// The plugin is done with everything up to that number.
  ///
  /// - Returns: `false`, with nothing changed, when no such record was written to it yet.
  public mutating func confirm(upTo number: UInt64) -> Bool {
    guard number >= firstNumber else { return true }  // Said before.
    guard number - firstNumber < UInt64(unconfirmed) else { return false }
    var left = Int(number - firstNumber) + 1
    while left > 0 {
      let run = runs[0]
      guard run.kind == .counted else {
        deliver(run.start..<run.end)
        popFirst()
        continue
      }
      let count = min(left, run.count)
      deliver(run.start..<run.start + count)
      left -= count
      if count == run.count { popFirst() }
    }
    return true
  }

  /// Counts the first records of the first run as read, and keeps them for a successor.
  private mutating func deliver(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    let run = runs[0]
    runs[0].start = range.upperBound
    guard run.kind == .counted else {
      if run.kind == .gap { announced.read += droppedRecords(in: run, range) }
      return
    }
    let text = run.textBytes(range)
    counters.delivered += UInt64(range.count)
    counters.queued -= UInt64(range.count)
    counters.queuedBytes -= text
    counters.bytes += UInt64(text)
    if confirms {
      firstNumber += UInt64(range.count)
      unconfirmed -= range.count
    } else {
      remember(run.segment, range)
    }
  }

  private mutating func popFirst() {
    runs.removeFirst()
    if writeRun == 0 {
      writeIndex = runs.first?.start ?? 0
      writeOffset = 0
    } else {
      writeRun -= 1
    }
  }

  private mutating func remember(_ segment: Segment, _ range: Range<Int>) {
    if let last = history.last, last.segment === segment, last.end == range.lowerBound {
      history[history.count - 1].end = range.upperBound
    } else {
      history.append(
        Run(segment: segment, start: range.lowerBound, end: range.upperBound, kind: .counted))
    }
    historyCount += range.count
    while historyCount > Self.historyRecords, let first = history.first {
      let surplus = min(first.count, historyCount - Self.historyRecords)
      historyCount -= surplus
      if surplus == first.count { history.removeFirst() } else { history[0].start += surplus }
    }
  }

  // MARK: Writing

  /// Brings the write cursor to a record that is to be written.
  private mutating func prepareWrite(_ journal: Journal, now: Int64) {
    while writeRun < runs.count {
      if writeIndex == runs[writeRun].end {
        guard writeRun < runs.count - 1 else { return }
        writeRun += 1
        writeIndex = runs[writeRun].start
        continue
      }
      guard writeOffset == 0 else { return }
      if !inheritedEvents.isEmpty, repeatBeginning(journal) { continue }
      guard gapAhead.records > 0 || !droppedEvents.isEmpty else { return }
      if isDropped(runs[writeRun], writeIndex, journal) {
        removeQueued(run: writeRun, index: writeIndex)
        continue
      }
      if gapAhead.records > 0, runs[writeRun].kind == .counted,
        runs[writeRun].segment[writeIndex].isFirst
      {
        let announcement = record(of: gapAhead, journal, now: now)
        gapAhead = Gap()
        if let (segment, index) = announcement {
          insertAtCursor(Run(segment: segment, start: index, end: index + 1, kind: .gap))
        }
      }
      return
    }
  }

  /// Puts what a predecessor had read of the next record's event before it; `false` when there is
  /// nothing to repeat.
  private mutating func repeatBeginning(_ journal: Journal) -> Bool {
    let next = journal.events
    let run = runs[writeRun]
    guard run.kind == .counted else { return false }
    let entry = run.segment[writeIndex]
    let event = Self.expand(entry.event, next: next)
    guard !entry.isFirst, inheritedEvents.remove(event) != nil else {
      // Events that can get no further record, and are not queued, need not be remembered.
      if event > newestInherited + 4096 { forgetInherited() }
      return false
    }
    var again: [Run] = []
    for run in inherited {
      for index in run.start..<run.end
      where Self.expand(run.segment[index].event, next: next) == event {
        if let last = again.last, last.segment === run.segment, last.end == index {
          again[again.count - 1].end += 1
        } else {
          again.append(Run(segment: run.segment, start: index, end: index + 1, kind: .again))
        }
      }
    }
    if inheritedEvents.isEmpty { forgetInherited() }
    for run in again.reversed() { insertAtCursor(run) }
    return !again.isEmpty
  }

  private mutating func forgetInherited() {
    inherited.removeAll()
    inheritedEvents.removeAll()
  }

  /// Where the piece that begins at the write cursor must end: at the run's end, behind a record
  /// whose payload follows it, before a dropped record, before a gap that is due.
  private func endOfPiece(_ run: Run, _ journal: Journal) -> Int {
    let filters = !droppedEvents.isEmpty || gapAhead.records > 0
    let repeats = !inheritedEvents.isEmpty && run.kind == .counted
    guard run.segment.hasPayloads || filters || repeats else { return run.end }
    var end = writeIndex
    while end < run.end {
      if end > writeIndex, repeats, !run.segment[end].isFirst,
        inheritedEvents.contains(Self.expand(run.segment[end].event, next: journal.events))
      {
        return end
      }
      if end > writeIndex, filters {
        if isDropped(run, end, journal) { return end }
        if gapAhead.records > 0, run.segment[end].isFirst { return end }
      }
      end += 1
      if run.segment[end - 1].hasPayload { return end }
    }
    return end
  }

  private func isDropped(_ run: Run, _ index: Int, _ journal: Journal) -> Bool {
    guard !droppedEvents.isEmpty, run.kind == .counted else { return false }
    return droppedEvents.contains(Self.expand(run.segment[index].event, next: journal.events))
  }

  private mutating func insertAtCursor(_ new: Run) {
    let run = runs[writeRun]
    if writeIndex > run.start {
      runs[writeRun].end = writeIndex
      var rest = run
      rest.start = writeIndex
      runs.insert(contentsOf: [new, rest], at: writeRun + 1)
      writeRun += 1
    } else {
      runs.insert(new, at: writeRun)
    }
    writeIndex = new.start
  }

  /// Puts binary records from the write cursor on into `scratch`, some 64 KiB of them.
  ///
  /// - Returns: how many.
  private func encode(_ run: Run, upTo end: Int, into scratch: inout [UInt8]) -> Int {
    scratch.removeAll(keepingCapacity: true)
    var index = writeIndex
    while index < end, scratch.count < 64 << 10 {
      let entry = run.segment[index]
      let payload = run.segment.binaryPayload(entry)
      let header = SIMD4<UInt32>(entry.isBare ? 0 : 1, 16, entry.type, UInt32(payload.count))
      unsafe withUnsafeBytes(of: header) { unsafe scratch.append(contentsOf: $0) }
      unsafe run.segment.withBytes(payload) { unsafe scratch.append(contentsOf: $0) }
      if case .fixed = encoding {
        scratch.append(contentsOf: repeatElement(0, count: 8970 - min(payload.count, 8970)))
      }
      index += 1
    }
    return index - writeIndex
  }

  /// Counts records that a predecessor had read as well.
  private mutating func countAgain(_ run: Run, _ range: Range<Int>) {
    guard run.kind != .gap else { return }
    if run.kind == .again {
      counters.redelivered += UInt64(range.count)
      return
    }
    let first = run.segment.firstSequence + UInt64(range.lowerBound)
    if first < givenBelow {
      counters.redelivered += min(UInt64(range.count), givenBelow - first)
    } else {
      givenBelow = 0
    }
  }
}
