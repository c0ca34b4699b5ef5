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
    /// Numbers of records that the disk has not got: queued ones of these are in memory only. Open
    /// at its end (`.max`) while the disk takes nothing.
    var unstored: [Range<UInt64>] = []
    /// Records from this number on are not safe yet, and not given to the plugin.
    public var safeBelow = UInt64.max

    /// Sequence numbers of the records, in order.
    var ranges = Deque<Range<UInt64>>()
    var records = 0
    var bytes = 0
    /// What is in memory only and stands behind records that are on disk, in order: announcements,
    /// and what came while the disk took nothing. Empty when `ranges` is.
    var behind: Deque<(end: UInt64, run: Run)> = []
    /// Of these, the records that are counted in the queue, and their bytes.
    var behindRecords = 0
    var behindBytes = 0
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

    mutating func putBehind(_ run: Run, end: UInt64, at position: Int? = nil) {
      behind.insert((end, run), at: position ?? behind.count)
      count(run, 1)
    }

    mutating func takeBehind(at position: Int = 0) -> (end: UInt64, run: Run) {
      let taken = behind.remove(at: position)
      count(taken.run, -1)
      return taken
    }

    private mutating func count(_ run: Run, _ sign: Int) {
      guard run.kind == .counted else { return }
      behindRecords += sign * run.count
      behindBytes += sign * run.textBytes(run.start..<run.end)
    }

    /// The disk has got nothing from that record on.
    mutating func beginUnstored(at first: UInt64) {
      guard unstored.last?.upperBound != .max else { return }
      unstored.append(first..<UInt64.max)
    }

    mutating func endUnstored(at end: UInt64) {
      guard let last = unstored.last, last.upperBound == .max else { return }
      unstored.removeLast()
      if last.lowerBound < end { unstored.append(last.lowerBound..<end) }
    }

    /// Whether all of a run is on disk, too.
    func hasAll(_ run: Run) -> Bool {
      let records = run.sequence..<run.sequence + UInt64(run.count)
      return !unstored.contains { $0.overlaps(records) }
    }

    mutating func removeAll() {
      behind.removeAll()
      behindRecords = 0
      behindBytes = 0
      ranges.removeAll()
      records = 0
      bytes = 0
    }
  }

  /// Makes the queue one that goes on on disk, for a start in its window only.
  public mutating func beginStorage(_ storage: Storage) { self.storage = storage }

  /// Puts what the disk has for the plugin before what is queued since, none of which is written
  /// yet: on disk by now, too, unless the disk takes nothing any more.
  ///
  /// - Parameters:
  ///   - ranges: sequence numbers of the records that wait, in order; counted as received now.
  ///   - bytes: of their texts, as well as is known.
  ///   - first: where the log goes on, if the disk takes records.
  public mutating func restore(
    _ ranges: [Range<UInt64>], bytes: Int, firstNumber: UInt64, takesRecords: Bool = true,
    goesOnAt first: UInt64? = nil
  ) {
    if takesRecords, let first { storage?.endUnstored(at: first) }
    storage?.takesRecords = takesRecords
    storage?.isOpening = false
    self.firstNumber = firstNumber
    let records = ranges.reduce(0) { $0 + $1.count }
    guard records > 0, var end = ranges.last?.upperBound else { return }
    let since = runs
    runs.removeAll()
    writeRun = 0
    writeIndex = 0
    var stored = ranges
    var held: [(end: UInt64, run: Run)] = []
    for run in since {
      if takesRecords, run.kind == .counted, storage?.hasAll(run) ?? false {
        end = run.sequence + UInt64(run.count)
        stored.append(run.sequence..<end)
        storage?.records += run.count
        storage?.bytes += run.textBytes(run.start..<run.end)
      } else {
        held.append((end, run))
      }
    }
    for (end, run) in held.reversed() { storage?.putBehind(run, end: end, at: 0) }
    for range in stored.reversed() { prepend(range) }
    storage?.records += records
    storage?.bytes += bytes
    counters.received += UInt64(records)
    counters.queued += UInt64(records)
    counters.queuedBytes += bytes
  }

  /// What the queue may hold: while the disk takes nothing, what it has and the window.
  var bound: Limits {
    guard let storage, !storage.takesRecords, !storage.isOpening else { return limits }
    return Limits(
      records: storage.window.records + storage.records,
      bytes: storage.window.bytes + storage.bytes, whenFull: storage.window.whenFull)
  }

  /// Whether a queue that has overflowed has room again.
  var isHalfEmpty: Bool {
    guard let storage, !storage.takesRecords, !storage.isOpening else {
      return Int(counters.queued) <= limits.records / 2 && counters.queuedBytes <= limits.bytes / 2
    }
    return heldRecords <= storage.window.records / 2 && heldBytes <= storage.window.bytes / 2
  }

  /// Why a record that finds no room is dropped.
  var fullReason: DropReason { storage?.takesRecords ?? false ? .spoolFull : .queueFull }

  /// The sequence number of the first record that is not delivered; `end` when all are.
  public func firstUndelivered(end: UInt64) -> UInt64 {
    for index in runs.indices where runs[index].kind == .counted { return runs[index].sequence }
    return storage?.ranges.first?.lowerBound ?? end
  }

  /// What was left out since the last call.
  public mutating func takeLeftOut() -> [Range<UInt64>] {
    defer { storage?.leftOut.removeAll() }
    return storage?.leftOut ?? []
  }

  public mutating func setSafe(below sequence: UInt64) { storage?.safeBelow = sequence }

  public var storedRecords: Int { storage?.records ?? 0 }

  // MARK: Admission

  private var heldRecords: Int { Int(counters.queued) - (storage?.records ?? 0) }
  private var heldBytes: Int { counters.queuedBytes - (storage?.bytes ?? 0) }

  enum Place {
    case memory
    case disk
    /// In memory, behind a record of the disk.
    case behind(UInt64)
  }

  /// Where records of a durable plugin are queued.
  func place(_ records: Int, _ bytes: Int) -> Place {
    guard let storage else { return .memory }
    guard storage.takesRecords else {
      return storage.ranges.last.map { .behind($0.upperBound) } ?? .memory
    }
    let isOver =
      heldRecords + records > storage.window.records || heldBytes + bytes > storage.window.bytes
    return isOver || !storage.ranges.isEmpty ? .disk : .memory
  }

  mutating func store(_ segment: Segment, _ start: Int, _ end: Int, _ bytes: Int) {
    let first = segment.firstSequence + UInt64(start)
    let range = first..<segment.firstSequence + UInt64(end)
    storage?.records += range.count
    storage?.bytes += bytes
    let followsGap = storage?.behind.last?.end == first
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
    guard let storage, let first = storage.ranges.first else { return nil }
    let records = heldRecords - storage.behindRecords
    let bytes = heldBytes - storage.behindBytes
    guard bytes <= storage.window.bytes / 2, records <= storage.window.records / 2 else {
      return nil
    }
    let wanted = first.prefix(max(1, storage.window.records - records))
    return (wanted.startIndex..<wanted.endIndex, max(1, storage.window.bytes - bytes))
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
      bringForward()
    }
  }

  /// What stood behind records that are not on disk any more follows those in memory.
  mutating func bringForward() {
    while let end = storage?.behind.first?.end,
      storage?.ranges.first.map({ end <= $0.lowerBound }) ?? true,
      let run = storage?.takeBehind().run
    {
      append(run.segment, run.start, run.end, run.kind)
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
      guard storage?.hasAll(run) ?? false else {
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
    if let first = storage?.ranges.first, first.lowerBound == range.upperBound,
      storage?.behind.first?.end != range.upperBound
    {
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
