/// Which numbers are done: all up to one, and some behind it.
///
/// One bit for each number from the first that is not done to the last that is; grows with that
/// distance.
struct NumberWindow: Sendable {
  /// The first number that is not done.
  private(set) var next: UInt64
  // A ring: the bit of a number is at the number modulo the size.
  private var bits: [UInt64]

  init(from first: UInt64) {
    next = first
    bits = [UInt64](repeating: 0, count: 64)
  }

  /// Notes that numbers are done; those that are so already may be among them.
  mutating func finish(_ first: UInt64, count: Int) {
    var number = max(first, next)
    let end = first + UInt64(count)
    guard number < end else { return }
    // In order, as nearly always, and nothing known behind: no bit is needed.
    if number == next, highest < next {
      next = end
      return
    }
    while end - next > UInt64(bits.count) * 64 { grow() }
    highest = max(highest, end - 1)
    while number < end {
      bits[word(number)] |= 1 << (number & 63)
      number += 1
    }
    while bits[word(next)] & 1 << (next & 63) != 0 {
      bits[word(next)] &= ~(1 << (next & 63))
      next += 1
    }
  }

  /// The highest number with a bit; below `next` when there is none.
  private var highest: UInt64 = 0

  private func word(_ number: UInt64) -> Int {
    Int(truncatingIfNeeded: number >> 6) & (bits.count - 1)
  }

  private mutating func grow() {
    let old = bits
    bits = [UInt64](repeating: 0, count: old.count * 2)
    guard highest >= next else { return }
    for block in next >> 6...highest >> 6 {
      let from = old[Int(truncatingIfNeeded: block) & (old.count - 1)]
      bits[Int(truncatingIfNeeded: block) & (bits.count - 1)] = from
    }
  }
}
