import DequeModule

/// A durable plugin's queue: what of it is in memory, and what in the log only.
extension Subscription {
  /// Makes the queue one that goes on in the log beyond what its window holds.
  ///
  /// - Parameter waitsForSync: records are given to the plugin only when they are safe.
  public mutating func goOn(in log: LogKnowledge, beyond window: Limits, waitsForSync: Bool) {
    disk = DiskShare(log: log, window: window, waitsForSync: waitsForSync)
  }

  public var isDurable: Bool { disk != nil }

  /// It is not known yet what the log has for the queue.
  public var awaitsLog: Bool { disk?.awaitsLog ?? false }

  public mutating func setWaitsForSync(_ waits: Bool) { disk?.change(waitsForSync: waits) }

  /// What may be held in memory from now on; what is held beyond it stays.
  public mutating func setWindow(_ window: Limits) { disk?.change(window: window) }

  /// There is no log: all that is queued is in memory only.
  public mutating func doWithoutLog() { disk?.awaitsLogNoMore() }

  /// Puts what the log has for the plugin before what is queued since, none of which is written
  /// yet. Since then the log has that, too, unless it takes nothing or says otherwise.
  ///
  /// - Parameters:
  ///   - ranges: the records that wait, in order; counted as received now.
  ///   - bytes: of their texts, as well as is known.
  public mutating func restore(
    _ ranges: [Range<RecordNumber>], bytes: Int, firstNumber: StreamNumber
  ) {
    backlog.setFirstNumber(firstNumber)
    beginWithLogged(ranges, bytes)
    backlog.restore(ranges, bytes: bytes)
  }

  /// Records of the log are about to come before all others, none of which is written; what is in
  /// memory and in the log has to be read back when its turn has come.
  mutating func beginWithLogged(_ ranges: [Range<RecordNumber>], _ bytes: Int) {
    disk?.tookPast()
    let records = ranges.reduce(0) { $0 + $1.count }
    guard records > 0 else { return }
    if disk?.takesRecords ?? false { leaveToLog(behind: nil) }
    disk?.put(records: records, bytes: bytes)
  }

  // MARK: Bounds

  /// What the queue may hold: while the log takes nothing, what it has and the window.
  @inline(__always)
  var bound: Limits {
    guard let disk, disk.isWithinWindow else { return limits }
    return Limits(
      records: disk.window.records + disk.records, bytes: disk.window.bytes + disk.bytes,
      whenFull: disk.window.whenFull)
  }

  /// What may wait in memory, as the queue goes on in no log; `nil`: it does.
  public var memoryBound: Limits? {
    guard let disk else { return limits }
    return disk.isWithinWindow ? disk.window : nil
  }

  /// Bytes that a new event may have: none while the queue overflows and takes none.
  public var freeBytes: Int {
    if isOverflowing, !isHalfEmpty { return 0 }
    return max(0, bound.bytes - backlog.counters.queuedBytes)
  }

  /// Whether a queue that has overflowed has room again.
  var isHalfEmpty: Bool {
    guard let disk, disk.isWithinWindow else {
      return Int(backlog.counters.queued) <= limits.records / 2
        && backlog.counters.queuedBytes <= limits.bytes / 2
    }
    return heldRecords <= disk.window.records / 2 && heldBytes <= disk.window.bytes / 2
  }

  /// Why a record that finds no room is dropped.
  @inline(__always)
  var fullReason: DropReason { disk?.takesRecords ?? false ? .spoolFull : .queueFull }

  private var heldRecords: Int { Int(backlog.counters.queued) - (disk?.records ?? 0) }
  private var heldBytes: Int { backlog.counters.queuedBytes - (disk?.bytes ?? 0) }

  /// Whether records that come are held in memory.
  func isHeld(records: Int, bytes: Int) -> Bool {
    guard let disk, disk.takesRecords else { return true }
    return disk.records == 0 && heldRecords + records <= disk.window.records
      && heldBytes + bytes <= disk.window.bytes
  }

  // MARK: What the log is told

  /// Whether something was left out that nobody has taken yet.
  public var hasLeftOut: Bool { disk?.hasLeftOut ?? false }

  /// What was left out since the last call.
  public mutating func takeLeftOut() -> [Range<RecordNumber>] { disk?.takeLeftOut() ?? [] }

  /// Queued records that are in the log only.
  public var storedRecords: Int { disk?.records ?? 0 }

  /// All that is queued and in the log, in order.
  public var queuedInLog: [Range<RecordNumber>] {
    // Until it is known what the log has, it has nothing of the queue.
    guard let disk, !disk.awaitsLog else { return [] }
    return backlog.pending.ranges.flatMap { range in
      disk.log.pieces(of: range).filter(\.isLogged).map(\.records)
    }
  }

  /// Records that are queued and in memory only.
  public var queuedInMemoryOnly: Int {
    guard let disk else { return backlog.pending.count }
    if disk.awaitsLog { return Int(backlog.counters.queued) }
    return backlog.pending.count - queuedInLog.reduce(0) { $0 + $1.count }
  }

  /// How many records there are in each piece of the queue that the log has or has not got, while
  /// it has not got all.
  var pieceCounts: [(records: UInt64, isOnDisk: Bool)] {
    guard let disk, !disk.log.lacks.isEmpty else { return [] }
    var counts: [(records: UInt64, isOnDisk: Bool)] = []
    for range in backlog.pending.ranges {
      for piece in disk.log.pieces(of: range) {
        if counts.last?.isOnDisk == piece.isLogged {
          counts[counts.count - 1].records += UInt64(piece.records.count)
        } else {
          counts.append((UInt64(piece.records.count), piece.isLogged))
        }
      }
    }
    return counts.contains { !$0.isOnDisk } ? counts : []
  }

  // MARK: Reading back

  /// What is to be read back next: from which record on, up to which, and some bytes of it; `nil`
  /// while there is enough in memory.
  public var wanted: (records: Range<RecordNumber>, bytes: Int)? {
    guard let disk, disk.records > 0,
      let missing = holding.missing(of: backlog.pending, from: RecordNumber(0))
    else { return nil }
    // What is held behind does not keep from reading back what comes before it.
    let behind = holding.amount(of: backlog.pending, from: missing.lowerBound)
    let records = heldRecords - behind.records
    let bytes = heldBytes - behind.bytes
    guard bytes <= disk.window.bytes / 2, records <= disk.window.records / 2 else { return nil }
    let count = min(missing.count, max(1, disk.window.records - records))
    return (
      missing.lowerBound..<missing.lowerBound + count, max(1, disk.window.bytes - bytes)
    )
  }

  /// Takes in what was read back.
  ///
  /// - Parameters:
  ///   - segments: the records, in order.
  ///   - end: everything below this number was looked at: what is not there cannot be read.
  ///   - now: wall clock in milliseconds, for gap records.
  public mutating func readBack(_ segments: [Segment], through end: RecordNumber, now: Int64) {
    while let missing = holding.missing(of: backlog.pending, from: RecordNumber(0)),
      missing.lowerBound < end
    {
      let looked = missing.clamped(to: missing.lowerBound..<end)
      var next = looked.lowerBound
      for segment in segments {
        let whole = Run(segment: segment, start: 0, end: segment.count)
        guard let run = whole.clamped(to: next..<looked.upperBound) else { continue }
        lose(next..<run.numbers.lowerBound, now)
        holding.insert(run)
        takeOut(run)
        next = run.numbers.upperBound
      }
      lose(next..<looked.upperBound, now)
    }
  }

  /// Records of the log are in memory now, too, and their bytes are known.
  private mutating func takeOut(_ run: Run) {
    backlog.correctBytes(by: disk?.take(records: run.count, bytes: run.textBytes) ?? 0)
  }

  /// Records that cannot be read back.
  private mutating func lose(_ range: Range<RecordNumber>, _ now: Int64) {
    guard !range.isEmpty else { return }
    let bytes = disk?.bytes(of: range.count) ?? 0
    backlog.correctBytes(by: disk?.take(records: range.count, bytes: bytes) ?? 0)
    backlog.drop(range, bytes: bytes, .spoolCorrupt)
    disk?.leaveOut(range)
    guard announcesGaps else { return }
    let gap = Gap(records: UInt64(range.count), events: 0, reason: .spoolCorrupt, serial: 0)
    backlog.announce(Announcement(before: range.upperBound, gap: gap, time: now))
  }

  // MARK: Memory

  /// Gives memory back: what is not being written is read back from the log later.
  ///
  /// - Returns: whether there was anything.
  public mutating func unload() -> Bool {
    guard disk?.takesRecords ?? false else { return false }
    let before = storedRecords
    leaveToLog(behind: backlog.next ?? backlog.written)
    return storedRecords > before
  }

  /// Lets go of what the log has, of the runs that begin behind a record; `nil`: of all runs.
  private mutating func leaveToLog(behind number: RecordNumber?) {
    guard let log = disk?.log else { return }
    let pending = backlog.pending
    var left = (records: 0, bytes: 0)
    holding.letGo(behind: number) { run in
      guard log.hasAll(run.numbers) else { return false }
      var at = run.numbers.lowerBound
      while let stretch = pending.stretch(from: at), let part = run.clamped(to: stretch) {
        left.records += part.count
        left.bytes += part.textBytes
        at = stretch.upperBound
      }
      return true
    }
    disk?.put(records: left.records, bytes: left.bytes)
  }

  /// The log takes nothing from a record on. What was to be there only, and did not get there, is
  /// held in memory.
  ///
  /// - Parameter slices: the records from that one on.
  public mutating func logLost(from first: RecordNumber, _ slices: [Journal.Slice]) {
    disk?.awaitsLogNoMore()
    while let missing = holding.missing(of: backlog.pending, from: first) {
      var next = missing.lowerBound
      for slice in slices {
        let whole = Run(segment: slice.segment, start: slice.start, end: slice.end)
        guard let run = whole.clamped(to: next..<missing.upperBound) else { continue }
        holding.insert(run)
        disk?.takeOut(records: run.count, bytes: run.textBytes)
        next = run.numbers.upperBound
      }
      assert(next == missing.upperBound, "records that were not appended are at hand")
      guard next == missing.upperBound else { return }
    }
  }
}
