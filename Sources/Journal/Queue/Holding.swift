import DequeModule

/// The part of one queue that is in memory.
///
/// Contract:
/// - The runs ascend and do not overlap.
/// - A pending record that lies in a run is held. One that lies in none is in the log.
/// - What else lies in a run has no meaning; a run without any pending record is let go.
struct Holding {
  private(set) var runs = Deque<Run>()

  /// Holds records above all others.
  @inline(__always)
  mutating func append(_ segment: Segment, _ start: Int, _ end: Int) {
    let last = runs.count - 1
    if last >= 0, runs[last].end == start, runs[last].segment === segment {
      runs[last].end = end
    } else {
      runs.append(Run(segment: segment, start: start, end: end))
    }
  }

  /// Holds records that lie between others.
  mutating func insert(_ run: Run) {
    let index = place(of: run.numbers.lowerBound)
    if index > 0, runs[index - 1].segment === run.segment, runs[index - 1].end == run.start {
      runs[index - 1].end = run.end
    } else {
      runs.insert(run, at: index)
    }
  }

  /// The held records from a number on that follow it in its segment; `nil` when it is not held.
  @inline(__always)
  func run(from number: RecordNumber) -> Run? {
    let index = place(of: number)
    guard index < runs.count, runs[index].numbers.lowerBound <= number else { return nil }
    var run = runs[index]
    run.start = number - run.segment.first
    return run
  }

  /// The first run that has something from a number on.
  func next(from number: RecordNumber) -> Run? {
    let index = place(of: number)
    return index < runs.count ? runs[index] : nil
  }

  /// The first pending records, from a number on, that are not held.
  func missing(of pending: RecordRanges, from number: RecordNumber) -> Range<RecordNumber>? {
    var number = number
    while let stretch = pending.stretch(from: number) {
      guard let run = run(from: stretch.lowerBound) else {
        let next = next(from: stretch.lowerBound)?.numbers.lowerBound ?? stretch.upperBound
        return stretch.lowerBound..<min(stretch.upperBound, next)
      }
      number = run.numbers.upperBound
    }
    return nil
  }

  /// How many pending records are held from a number on, and their bytes.
  func amount(of pending: RecordRanges, from number: RecordNumber) -> (records: Int, bytes: Int) {
    var amount = (records: 0, bytes: 0)
    for index in place(of: number)..<runs.count {
      var at = max(number, runs[index].numbers.lowerBound)
      while let stretch = pending.stretch(from: at), let part = runs[index].clamped(to: stretch) {
        amount.records += part.count
        amount.bytes += part.textBytes
        at = stretch.upperBound
      }
    }
    return amount
  }

  // MARK: Letting go

  /// Nothing below that number is pending any more.
  @inline(__always)
  mutating func letGo(below number: RecordNumber) {
    while let run = runs.first, run.numbers.upperBound <= number { runs.removeFirst() }
  }

  /// That record is not pending any more.
  mutating func letGo(of number: RecordNumber, _ pending: RecordRanges) {
    let index = place(of: number)
    guard index < runs.count, !pending.overlaps(runs[index].numbers) else { return }
    runs.remove(at: index)
  }

  /// Lets go of the runs that begin behind a number, or of any, of which `canGo` says so.
  mutating func letGo(behind number: RecordNumber?, where canGo: (Run) -> Bool) {
    var index = runs.count - 1
    while index >= 0, number.map({ runs[index].numbers.lowerBound > $0 }) ?? true {
      if canGo(runs[index]) { runs.remove(at: index) }
      index -= 1
    }
  }

  mutating func letGoOfAll() { runs.removeAll() }

  /// The first run that ends behind a number.
  @inline(__always)
  private func place(of number: RecordNumber) -> Int {
    guard let last = runs.last, last.numbers.upperBound > number else { return runs.count }
    if last.numbers.lowerBound <= number { return runs.count - 1 }
    var low = 0
    var high = runs.count
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].numbers.upperBound > number { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
