import DequeModule

/// What the disk has not got of a durable plugin's queue: through its failures, and what is known of
/// that to a successor and at a stop.
extension Subscription {
  /// Numbers of records that the disk has not got.
  public var unstored: [Range<UInt64>] { storage?.unstored ?? [] }

  /// There is no log: all that is queued is in memory only.
  public mutating func doWithoutStorage() {
    storage?.takesRecords = false
    storage?.isOpening = false
    storage?.unstored = [0..<UInt64.max]
  }

  /// The disk takes nothing from a record on. What was to be on disk only, and did not get there, is
  /// held in memory.
  ///
  /// - Parameter slices: the records from that one on.
  public mutating func storageFailed(from first: UInt64, _ slices: [Journal.Slice]) {
    guard storage != nil else { return }
    storage?.takesRecords = false
    storage?.isOpening = false
    storage?.beginUnstored(at: first)
    var missing: [Range<UInt64>] = []
    while let last = storage?.ranges.last, last.upperBound > first {
      storage?.ranges.removeLast()
      missing.insert(max(first, last.lowerBound)..<last.upperBound, at: 0)
      if last.lowerBound < first { storage?.ranges.append(last.lowerBound..<first) }
    }
    guard !missing.isEmpty else { return }
    let end = storage?.ranges.last?.upperBound ?? 0
    var announced: [(end: UInt64, run: Run)] = []
    while let last = storage?.behind.last, last.end > first, let count = storage?.behind.count {
      if let taken = storage?.takeBehind(at: count - 1) { announced.insert(taken, at: 0) }
    }
    for range in missing {
      var next = range.lowerBound
      for slice in slices {
        let begin = slice.segment.firstSequence
        let from = max(next, begin + UInt64(slice.start))
        let to = min(range.upperBound, begin + UInt64(slice.end))
        guard from < to else { continue }
        while let gap = announced.first, gap.end <= from {
          storage?.putBehind(announced.removeFirst().run, end: end)
        }
        let run = Run(
          segment: slice.segment, start: Int(from - begin), end: Int(to - begin), kind: .counted)
        storage?.records -= run.count
        storage?.bytes -= run.textBytes(run.start..<run.end)
        storage?.putBehind(run, end: end)
        next = to
      }
      assert(next == range.upperBound, "records that were not appended are at hand")
    }
    for gap in announced { storage?.putBehind(gap.run, end: end) }
    bringForward()
  }

  /// The disk takes records again, from that one on.
  public mutating func storageTakesRecordsAgain(from sequence: UInt64) {
    storage?.takesRecords = true
    storage?.endUnstored(at: sequence)
  }

  /// Forgets what the disk has not got as far as it is delivered.
  public mutating func forgetUnstored() {
    guard storage?.unstored.isEmpty == false else { return }
    let first = firstUndelivered(end: .max)
    storage?.unstored.removeAll { $0.upperBound <= first && $0.upperBound != .max }
  }

  /// Sequence numbers of all that is queued and on disk, in order.
  public var queuedOnDisk: [Range<UInt64>] {
    // Until the log is open there is nothing in it.
    if storage?.isOpening ?? false { return [] }
    return pieces.filter(\.isOnDisk).map(\.records).reduce(into: []) { merged, range in
      if let last = merged.last, last.upperBound == range.lowerBound {
        merged[merged.count - 1] = last.lowerBound..<range.upperBound
      } else {
        merged.append(range)
      }
    }
  }

  /// Records that are queued and in memory only.
  public var queuedInMemoryOnly: Int {
    if storage?.isOpening ?? false { return Int(counters.queued) }
    guard storage?.unstored.isEmpty == false else { return 0 }
    return pieces.reduce(0) { $0 + ($1.isOnDisk ? 0 : $1.records.count) }
  }

  /// What is queued, in order, in pieces that the disk has or has not got.
  var pieces: [(records: Range<UInt64>, isOnDisk: Bool)] {
    guard let storage else { return [] }
    var pieces: [(records: Range<UInt64>, isOnDisk: Bool)] = []
    func add(_ run: Run) {
      guard run.kind == .counted else { return }
      var rest = run.sequence..<run.sequence + UInt64(run.count)
      for gone in storage.unstored where gone.overlaps(rest) {
        if gone.lowerBound > rest.lowerBound {
          pieces.append((rest.lowerBound..<gone.lowerBound, true))
        }
        pieces.append((rest.clamped(to: gone), false))
        rest = min(gone.upperBound, rest.upperBound)..<rest.upperBound
      }
      if !rest.isEmpty { pieces.append((rest, true)) }
    }
    for run in runs { add(run) }
    var behind = storage.behind[...]
    for range in storage.ranges {
      while let held = behind.first, held.end <= range.lowerBound {
        add(held.run)
        behind.removeFirst()
      }
      pieces.append((range, true))
    }
    for held in behind { add(held.run) }
    return pieces
  }

  /// How many records there are in each piece of the queue, while not all of it is on disk.
  public var pieceCounts: [(records: UInt64, isOnDisk: Bool)] {
    guard storage?.unstored.isEmpty == false else { return [] }
    let counts = pieces.reduce(into: [(records: UInt64, isOnDisk: Bool)]()) { counts, piece in
      if counts.last?.isOnDisk == piece.isOnDisk {
        counts[counts.count - 1].records += UInt64(piece.records.count)
      } else {
        counts.append((UInt64(piece.records.count), piece.isOnDisk))
      }
    }
    return counts.contains { !$0.isOnDisk } ? counts : []
  }
}
