import AuditRecord

/// Decides which messages a queue takes, so that an event is in it whole or not at all.
///
/// Once the queue is full, new events are refused until it is half empty; a begun event is still
/// finished, for at most 1 MiB beyond the bound. A message without a stamp is an event of its own.
struct EventAdmission {
  /// How far begun events may lead beyond the bound, in bytes.
  static let reserve = 1 << 20
  /// How many of the latest events are remembered: more than ever interleave in the kernel.
  private static let memory = 256

  private let bound: Int
  private var refusing = false
  private var admitted: [RecordStamp] = []
  private var refused: [RecordStamp] = []

  init(bound: Int) { self.bound = bound }

  /// Whether the queue takes a message of `size` bytes when it holds `bytes` already.
  mutating func admits(_ text: Span<UInt8>, size: Int, queued bytes: Int) -> Bool {
    if refusing, bytes <= bound / 2 { refusing = false }
    let fits = bytes + size <= bound
    var at = 0
    guard let stamp = RecordStamp(text, at: &at) else {
      if !fits { refusing = true }
      return fits && !refusing
    }
    if admitted.last == stamp || admitted.contains(stamp) {
      if bytes + size <= bound + EventAdmission.reserve { return true }
      // What is left of the event is lost; that is why it may not come back.
      admitted.removeAll { $0 == stamp }
      refusing = true
      EventAdmission.remember(stamp, in: &refused)
      return false
    }
    if refused.contains(stamp) { return false }
    guard fits, !refusing else {
      refusing = true
      EventAdmission.remember(stamp, in: &refused)
      return false
    }
    EventAdmission.remember(stamp, in: &admitted)
    return true
  }

  private static func remember(_ stamp: RecordStamp, in events: inout [RecordStamp]) {
    if events.count >= 2 * memory { events.removeFirst(memory) }
    events.append(stamp)
  }
}
