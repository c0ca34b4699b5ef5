/// Which messages on a stream have arrived at the other host, from how many bytes it has
/// acknowledged: the bytes on the wire, which with TLS are more than those of the messages.
struct StreamArrival: Equatable {
  private struct Mark: Equatable {
    /// Bytes of messages written by then.
    var plain: UInt64
    /// Bytes on the wire by then.
    var raw: UInt64
  }

  private var marks: [Mark] = []
  /// Where each message ends in the stream, from the first that has not arrived on.
  private var ends: [UInt64] = []
  private var firstEnd = 0
  private var written: UInt64 = 0

  var isAwaited: Bool { !marks.isEmpty }

  /// A message was put behind what is written, and ends that many bytes behind it.
  mutating func sent(upTo waiting: Int) { ends.append(written + UInt64(waiting)) }

  /// So many bytes were written, which makes `raw` on the wire in all.
  mutating func wrote(_ count: Int, raw: UInt64) {
    written += UInt64(count)
    marks.append(Mark(plain: written, raw: raw))
  }

  /// So many bytes on the wire are acknowledged; how many more messages have arrived by it.
  mutating func take(_ acknowledged: UInt64) -> Int {
    guard let reached = marks.lastIndex(where: { $0.raw <= acknowledged }) else { return 0 }
    let plain = marks[reached].plain
    marks.removeFirst(reached + 1)
    var arrived = 0
    while firstEnd < ends.count, ends[firstEnd] <= plain {
      firstEnd += 1
      arrived += 1
    }
    if firstEnd > 1024, firstEnd * 2 > ends.count {
      ends.removeFirst(firstEnd)
      firstEnd = 0
    }
    return arrived
  }
}
