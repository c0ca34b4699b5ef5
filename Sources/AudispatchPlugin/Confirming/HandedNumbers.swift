/// Which numbers were handed out: whether there are gaps between them, of records that are still to
/// come.
struct HandedNumbers: Sendable {
  private let first: UInt64
  private var count = 0
  private var highest: UInt64
  /// The same before the last that was handed out.
  private var before: (count: Int, highest: UInt64)
  /// Numbers of what is in no event, behind the highest, in their order.
  private var skipped: [(first: UInt64, count: Int)] = []

  init(from first: UInt64) {
    self.first = first
    highest = first - 1
    before = (0, first - 1)
  }

  /// Notes so many numbers up to one; there may be others between them.
  mutating func note(last: UInt64, count more: Int) {
    before = (count, highest)
    count += more
    highest = max(highest, last)
  }

  mutating func skip(_ number: UInt64, count more: Int) {
    if let last = skipped.last, last.first + UInt64(last.count) == number {
      skipped[skipped.count - 1].count += more
    } else {
      skipped.append((number, more))
    }
    // What lies behind both marks counts for both.
    while let range = skipped.first, range.first + UInt64(range.count) <= before.highest + 1 {
      count += range.count
      before.count += range.count
      skipped.removeFirst()
    }
  }

  func isGapless(withLatest latest: Bool) -> Bool {
    let (count, highest) = latest ? (count, highest) : before
    let passed = skipped.reduce(0) { sum, range in
      guard range.first <= highest else { return sum }
      return sum + min(range.count, Int(highest - range.first) + 1)
    }
    return UInt64(count + passed) == highest - (first - 1)
  }
}
