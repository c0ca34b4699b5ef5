import DequeModule

/// Numbers of records: ascending ranges that are not empty and neither overlap nor touch.
///
/// A queue that drops nothing has one range, and every operation costs the same however many records
/// that is. Dropping a record between others makes one range more.
struct RecordRanges: Equatable {
  private(set) var ranges: Deque<Range<RecordNumber>> = []
  /// Of records, over all ranges.
  private(set) var count = 0

  @inline(__always) var isEmpty: Bool { count == 0 }
  @inline(__always) var first: RecordNumber? { ranges.first?.lowerBound }
  /// Behind the last record.
  @inline(__always) var end: RecordNumber? { ranges.last?.upperBound }

  /// Adds records above all others.
  @inline(__always)
  mutating func append(_ new: Range<RecordNumber>) {
    guard !new.isEmpty else { return }
    count += new.count
    let last = ranges.count - 1
    if last >= 0, ranges[last].upperBound == new.lowerBound {
      ranges[last] = ranges[last].lowerBound..<new.upperBound
    } else {
      assert(last < 0 || ranges[last].upperBound < new.lowerBound, "numbers ascend")
      ranges.append(new)
    }
  }

  /// Adds records below all others.
  mutating func prepend(_ new: Range<RecordNumber>) {
    guard !new.isEmpty else { return }
    count += new.count
    if let first = ranges.first, first.lowerBound == new.upperBound {
      ranges[0] = new.lowerBound..<first.upperBound
    } else {
      assert(first.map { new.upperBound < $0 } ?? true, "numbers ascend")
      ranges.prepend(new)
    }
  }

  /// Takes out what is below a number.
  @inline(__always)
  mutating func remove(below number: RecordNumber) {
    while let range = ranges.first, range.lowerBound < number {
      if range.upperBound > number {
        count -= number - range.lowerBound
        ranges[0] = number..<range.upperBound
        return
      }
      count -= range.count
      ranges.removeFirst()
    }
  }

  /// Takes out some records, which may be there or not.
  mutating func remove(_ gone: Range<RecordNumber>) {
    var index = place(of: gone.lowerBound)
    while index < ranges.count, ranges[index].lowerBound < gone.upperBound {
      let range = ranges[index]
      count -= range.clamped(to: gone).count
      let before = range.lowerBound..<max(range.lowerBound, gone.lowerBound)
      let behind = min(range.upperBound, gone.upperBound)..<range.upperBound
      switch (before.isEmpty, behind.isEmpty) {
      case (true, true): ranges.remove(at: index)
      case (true, false):
        ranges[index] = behind
        index += 1
      case (false, true):
        ranges[index] = before
        index += 1
      case (false, false):
        ranges[index] = before
        ranges.insert(behind, at: index + 1)
        index += 2
      }
    }
  }

  /// The records from a number on that follow each other without a gap; `nil` behind the last one.
  @inline(__always)
  func stretch(from number: RecordNumber) -> Range<RecordNumber>? {
    let index = place(of: number)
    guard index < ranges.count else { return nil }
    return max(number, ranges[index].lowerBound)..<ranges[index].upperBound
  }

  /// Whether any of some records is there.
  func overlaps(_ range: Range<RecordNumber>) -> Bool {
    let index = place(of: range.lowerBound)
    return index < ranges.count && ranges[index].lowerBound < range.upperBound
  }

  /// The first range that ends behind a number.
  @inline(__always)
  private func place(of number: RecordNumber) -> Int {
    if ranges.count == 1 || ranges.first.map({ $0.upperBound > number }) ?? true {
      return ranges.first.map { $0.upperBound > number ? 0 : 1 } ?? 0
    }
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound > number { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
