import AudispatchPlugin

/// Lines that wait to be written, and what each is called when it is.
struct LineQueue {
  private var bytes: [UInt8] = []
  /// Where each line ends, from `next`, the first that is not done, on.
  private var ends: [(end: Int, token: DeliveryToken)] = []
  private var next = 0
  /// The line that is written next, or on.
  private var current = 0
  /// Up to here everything is written, and up to there it has arrived, in whole lines.
  private var at = 0
  private var arrived = 0

  /// Bytes that are not written.
  var waiting: Int { bytes.count - at }
  /// Bytes of lines that are not done.
  var held: Int { bytes.count - arrived }
  /// Lines that are not done.
  var lines: Int { ends.count - next }
  /// Whether a line is written that is not done.
  var awaitsArrival: Bool { current > next }
  /// Whether the next byte is the first one of a line.
  var isAtLine: Bool { at == (current > next ? ends[current - 1].end : arrived) }

  mutating func append(_ prefix: [UInt8], _ document: [UInt8], _ token: DeliveryToken) {
    bytes.append(contentsOf: prefix)
    bytes.append(contentsOf: document)
    bytes.append(0x0a)
    ends.append((bytes.count, token))
  }

  /// An event that has no line: it is done when the last line before it is. `false` when none waits.
  mutating func skip(_ token: DeliveryToken) -> Bool {
    guard next < ends.count else { return false }
    ends[ends.count - 1].token = token
    return true
  }

  /// What to write now: whole lines of at most `limit` bytes together, or the rest of one.
  func chunk(_ limit: Int) -> ArraySlice<UInt8> {
    var end = at
    for place in current..<ends.count {
      if ends[place].end - at > limit, end > at { break }
      end = ends[place].end
      if !isAtLine || end - at > limit { break }
    }
    return bytes[at..<end]
  }

  /// Takes note of what was written.
  mutating func wrote(_ count: Int) {
    at += count
    while current < ends.count, ends[current].end <= at { current += 1 }
  }

  /// All that is written has arrived but for so many bytes; returns how many lines are done by it and
  /// the last one's token.
  mutating func arrive(allBut missing: Int = 0) -> (lines: Int, token: DeliveryToken?) {
    let before = next
    var token: DeliveryToken?
    while next < current, ends[next].end <= at - missing {
      token = ends[next].token
      arrived = ends[next].end
      next += 1
    }
    let done = next - before
    if arrived == bytes.count {
      bytes.removeAll(keepingCapacity: true)
      ends.removeAll(keepingCapacity: true)
      (at, arrived, next, current) = (0, 0, 0, 0)
    } else if arrived > 1 << 20 {
      bytes.removeFirst(arrived)
      ends.removeFirst(next)
      for place in ends.indices { ends[place].end -= arrived }
      (at, arrived, next, current) = (at - arrived, 0, 0, current - next)
    }
    return (done, token)
  }

  /// What has not arrived is to be written again, from the first byte of a line on.
  mutating func startOver() { (at, current) = (arrived, next) }
}
