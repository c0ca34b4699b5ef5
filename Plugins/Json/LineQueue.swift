import AudispatchPlugin

/// Lines that wait to be written, and what each is called when it is.
struct LineQueue {
  private var bytes: [UInt8] = []
  /// Where each line ends, from `next` on.
  private var ends: [(end: Int, token: DeliveryToken)] = []
  private var next = 0
  /// Up to here everything is written; what lies between it and the last whole line is a beginning.
  private var at = 0
  private var wholeLines = 0

  var waiting: Int { bytes.count - at }
  var lines: Int { ends.count - next }
  /// Whether the next byte is the first one of a line.
  var isAtLine: Bool { at == wholeLines }

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
    for place in next..<ends.count {
      if ends[place].end - at > limit, end > at { break }
      end = ends[place].end
      if !isAtLine || end - at > limit { break }
    }
    return bytes[at..<end]
  }

  /// Takes note of what was written; returns how many lines are done and the last one's token.
  mutating func wrote(_ count: Int) -> (lines: Int, token: DeliveryToken?) {
    at += count
    let before = next
    var token: DeliveryToken?
    while next < ends.count, ends[next].end <= at {
      token = ends[next].token
      wholeLines = ends[next].end
      next += 1
    }
    let done = next - before
    if at == bytes.count {
      bytes.removeAll(keepingCapacity: true)
      ends.removeAll(keepingCapacity: true)
      (at, wholeLines, next) = (0, 0, 0)
    } else if wholeLines > 1 << 20 {
      bytes.removeFirst(wholeLines)
      ends.removeFirst(next)
      for place in ends.indices { ends[place].end -= wholeLines }
      (at, wholeLines, next) = (at - wholeLines, 0, 0)
    }
    return (done, token)
  }

  /// The line that was begun is to be written from its first byte on.
  mutating func startOver() { at = wholeLines }
}
