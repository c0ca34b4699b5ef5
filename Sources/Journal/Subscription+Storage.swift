import DequeModule

extension Subscription {
  /// The part of a durable plugin's queue that lies on disk only, behind all that is in memory.
  public struct Storage {
    /// What may be held in memory; beyond it records are read back when their turn has come.
    public var window: Limits
    /// `false` while the disk takes nothing: then the window is all there is.
    public var takesRecords: Bool
    /// What comes is put on disk as soon as that is ready, and held in memory until then.
    public var isOpening: Bool
    /// Records below this number, as far as they are in memory, are not on disk.
    public var onDiskFrom: UInt64 = 0
    /// Records from this number on are not safe yet, and not given to the plugin.
    public var safeBelow = UInt64.max

    /// Sequence numbers of the records, in order.
    var ranges = Deque<Range<UInt64>>()
    var records = 0
    var bytes = 0
    /// Announcements that stand behind records that are on disk: behind which number.
    var gaps: Deque<(behind: UInt64, run: Run)> = []
    /// What the plugin is not to get, and the disk does not know of yet.
    var leftOut: [Range<UInt64>] = []

    public init(window: Limits, isOpening: Bool = false) {
      self.window = window
      self.isOpening = isOpening
      takesRecords = !isOpening
    }

    mutating func leaveOut(_ sequence: UInt64) { leaveOut(sequence..<sequence + 1) }

    mutating func leaveOut(_ range: Range<UInt64>) {
      if let last = leftOut.last, last.upperBound == range.lowerBound {
        leftOut[leftOut.count - 1] = last.lowerBound..<range.upperBound
      } else {
        leftOut.append(range)
      }
    }

    mutating func removeAll() {
      gaps.removeAll()
      ranges.removeAll()
      records = 0
      bytes = 0
    }
  }

  /// Makes the queue one that goes on on disk, for a start in its window only.
  public mutating func beginStorage(_ storage: Storage) { self.storage = storage }

  /// Puts what the disk has for the plugin before what is queued since, none of which is written
  /// yet and all of which is on disk by now.
  ///
  /// - Parameters:
  ///   - ranges: sequence numbers of the records that wait, in order; counted as received now.
  ///   - bytes: of their texts, as well as is known.
  public mutating func restore(_ ranges: [Range<UInt64>], bytes: Int, firstNumber: UInt64) {
    storage?.takesRecords = true
    storage?.isOpening = false
    self.firstNumber = firstNumber
    let records = ranges.reduce(0) { $0 + $1.count }
    guard records > 0 else { return }
    while let run = runs.last {
      runs.removeLast()
      if run.kind == .counted { unload(run) }
    }
    writeRun = 0
    writeIndex = 0
    for range in ranges.reversed() { prepend(range) }
    storage?.records += records
    storage?.bytes += bytes
    counters.received += UInt64(records)
    counters.queued += UInt64(records)
    counters.queuedBytes += bytes
  }

  /// What the queue may hold. Behind what is on disk nothing can be queued while the disk takes
  /// nothing.
  var bound: Limits {
    guard let storage, !storage.takesRecords, !storage.isOpening else { return limits }
    guard storage.ranges.isEmpty else { return Limits(records: 0, bytes: 0, whenFull: .dropNewest) }
    return storage.window
  }

  /// Why a record that finds no room is dropped.
  var fullReason: DropReason { storage?.takesRecords ?? false ? .spoolFull : .queueFull }

  /// The sequence number of the first record that is not delivered; `end` when all are.
  public func firstUndelivered(end: UInt64) -> UInt64 {
    for index in runs.indices where runs[index].kind == .counted { return runs[index].sequence }
    return storage?.ranges.first?.lowerBound ?? end
  }

  /// Sequence numbers of all that is queued and on disk, in order.
  public var queuedOnDisk: [Range<UInt64>] {
    guard let storage else { return [] }
    var ranges: [Range<UInt64>] = []
    if storage.takesRecords {
      for run in runs where run.kind == .counted {
        let end = run.sequence + UInt64(run.count)
        if end > storage.onDiskFrom { ranges.append(max(run.sequence, storage.onDiskFrom)..<end) }
      }
    }
    ranges += storage.ranges
    return ranges.reduce(into: []) { merged, range in
      if let last = merged.last, last.upperBound == range.lowerBound {
        merged[merged.count - 1] = last.lowerBound..<range.upperBound
      } else {
        merged.append(range)
      }
    }
  }

  /// What was left out since the last call.
  public mutating func takeLeftOut() -> [Range<UInt64>] {
    defer { storage?.leftOut.removeAll() }
    return storage?.leftOut ?? []
  }

  public mutating func setSafe(below sequence: UInt64) { storage?.safeBelow = sequence }
  public mutating func setStorageTakesRecords(_ takes: Bool) {
    storage?.takesRecords = takes
    storage?.isOpening = false
  }

  /// The disk takes records again, from that one on.
  public mutating func storageTakesRecordsAgain(from sequence: UInt64) {
    storage?.takesRecords = true
    storage?.onDiskFrom = sequence
  }

  public var storedRecords: Int { storage?.records ?? 0 }

  // MARK: Admission

  private var heldRecords: Int { Int(counters.queued) - (storage?.records ?? 0) }
  private var heldBytes: Int { counters.queuedBytes - (storage?.bytes ?? 0) }

  func mustStore(_ records: Int, _ bytes: Int) -> Bool {
    guard let storage else { return false }
    if !storage.ranges.isEmpty { return true }
    return storage.takesRecords
      && (heldRecords + records > storage.window.records
        || heldBytes + bytes > storage.window.bytes)
  }

  mutating func store(_ segment: Segment, _ start: Int, _ end: Int, _ bytes: Int) {
    let first = segment.firstSequence + UInt64(start)
    let range = first..<segment.firstSequence + UInt64(end)
    storage?.records += range.count
    storage?.bytes += bytes
    let followsGap = storage?.gaps.last?.behind == first
    if let last = storage?.ranges.last, last.upperBound == first, !followsGap {
      storage?.ranges.removeLast()
      storage?.ranges.append(last.lowerBound..<range.upperBound)
    } else {
      storage?.ranges.append(range)
    }
  }

  // MARK: Reading back

  /// What is to be read back next: from which record on, up to which, and some bytes of it; `nil`
  /// while there is enough in memory.
  public var wanted: (records: Range<UInt64>, bytes: Int)? {
    guard let storage, let first = storage.ranges.first,
      heldBytes <= storage.window.bytes / 2, heldRecords <= storage.window.records / 2
    else { return nil }
    let records = first.prefix(max(1, storage.window.records - heldRecords))
    return (records.startIndex..<records.endIndex, max(1, storage.window.bytes - heldBytes))
  }

  /// Takes in what was read back.
  ///
  /// - Parameters:
  ///   - segments: the records, by sequence number.
  ///   - end: everything below this number was looked at: what is not there cannot be read.
  ///   - now: wall clock in milliseconds, for gap records.
  public mutating func readBack(
    _ segments: [Segment], through end: UInt64, journal: Journal, now: Int64
  ) {
    while let range = storage?.ranges.first, range.lowerBound < end {
      var next = range.lowerBound
      let limit = min(range.upperBound, end)
      for segment in segments {
        let from = max(next, segment.firstSequence)
        let to = min(limit, segment.firstSequence + UInt64(segment.count))
        guard from < to else { continue }
        lose(next..<from, journal, now)
        let first = Int(from - segment.firstSequence)
        let last = Int(to - segment.firstSequence)
        append(segment, first, last, .counted)
        let bytes = Run(segment: segment, start: first, end: last, kind: .counted)
          .textBytes(first..<last)
        takeOut(records: last - first, bytes: bytes)
        next = to
      }
      lose(next..<limit, journal, now)
      storage?.ranges.removeFirst()
      if limit < range.upperBound { storage?.ranges.prepend(limit..<range.upperBound) }
      while let gap = storage?.gaps.first, gap.behind <= limit {
        storage?.gaps.removeFirst()
        append(gap.run.segment, gap.run.start, gap.run.end, .gap)
      }
    }
  }

  private mutating func takeOut(records: Int, bytes: Int) {
    guard let stored = storage else { return }
    storage?.records -= records
    // What was known of the bytes when the dispatcher started may have been an estimate.
    let left = stored.records == records ? 0 : max(0, stored.bytes - bytes)
    counters.queuedBytes += left + bytes - stored.bytes
    storage?.bytes = left
  }

  /// Records that cannot be read back.
  private mutating func lose(_ range: Range<UInt64>, _ journal: Journal, _ now: Int64) {
    guard !range.isEmpty else { return }
    let bytes = (storage?.bytes ?? 0) / max(1, storage?.records ?? 1) * range.count
    takeOut(records: range.count, bytes: bytes)
    counters.queuedBytes -= bytes
    counters.queued -= UInt64(range.count)
    counters[.spoolCorrupt] += UInt64(range.count)
    storage?.leaveOut(range)
    let gap = Gap(records: UInt64(range.count), events: 0, reason: .spoolCorrupt, serial: 0)
    if let (segment, index) = record(of: gap, journal, now: now) {
      append(segment, index, index + 1, .gap)
    }
  }

  /// Gives memory back: what is not being written is read back from disk later.
  ///
  /// - Returns: whether there was anything.
  public mutating func unload() -> Bool {
    guard storage?.takesRecords ?? false else { return false }
    var isUnloaded = false
    while runs.count > writeRun + 1, let run = runs.last {
      runs.removeLast()
      guard run.kind == .counted else { continue }
      guard run.sequence >= (storage?.onDiskFrom ?? 0) else {
        runs.append(run)
        break
      }
      unload(run)
      isUnloaded = true
    }
    return isUnloaded
  }

  private mutating func unload(_ run: Run) {
    storage?.records += run.count
    storage?.bytes += run.textBytes(run.start..<run.end)
    prepend(run.sequence..<run.sequence + UInt64(run.count))
  }

  private mutating func prepend(_ range: Range<UInt64>) {
    if let first = storage?.ranges.first, first.lowerBound == range.upperBound {
      storage?.ranges.removeFirst()
      storage?.ranges.prepend(range.lowerBound..<first.upperBound)
    } else {
      storage?.ranges.prepend(range)
    }
  }

  // MARK: What may be written

  /// The index behind the last record of a run, from the write cursor on, that is safe.
  @inline(__always)
  func endOfSafe(_ run: Run) -> Int {
    guard let storage, run.kind == .counted, storage.safeBelow != .max else { return run.end }
    let first = run.segment.firstSequence
    guard storage.safeBelow > first else { return run.start }
    return min(run.end, Int(min(storage.safeBelow - first, UInt64(Int.max))))
  }

  var hasUnwrittenAndSafe: Bool {
    if writeIndex < runs[writeRun].end { return writeIndex < endOfSafe(runs[writeRun]) }
    guard writeRun < runs.count - 1 else { return false }
    let next = runs[writeRun + 1]
    return next.start < endOfSafe(next)
  }
}
