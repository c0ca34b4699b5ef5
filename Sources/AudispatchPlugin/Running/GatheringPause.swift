/// How long the reading thread leaves the input alone after a read, so that the next gets more.
///
/// Between two reads less may come than the socket's buffer holds: 110 records, of which it holds
/// 167 if they have 300 bytes and are written one by one as auditd does, or 32 KiB. So whoever
/// writes does not wait, but perhaps once, at the sudden beginning of a burst.
struct GatheringPause: Sendable {
  private static let records = 110
  private static let bytes = 32 << 10
  /// Less is not worth the call.
  private static let shortest = Duration.microseconds(100)
  /// What the rate is measured over, at least.
  private static let window = Duration.milliseconds(2)

  private let longest: Duration
  private var start: Duration?
  private var recordsBefore = 0
  private var bytesBefore = 0
  /// How long it took until as much came as may.
  private var filling = Duration.zero

  init(longest: Duration) { self.longest = longest }

  /// What to pause for now, after a read; zero for going on at once.
  ///
  /// - Parameters:
  ///   - records: that were read since the start.
  ///   - bytes: that were read since the start.
  mutating func next(records: Int, bytes: Int, at now: Duration) -> Duration {
    guard longest > .zero else { return .zero }
    guard let start else {
      self.start = now
      recordsBefore = records
      bytesBefore = bytes
      return .zero
    }
    let time = now - start
    if time >= Self.window {
      let share = max(
        Double(records - recordsBefore) / Double(Self.records),
        Double(bytes - bytesBefore) / Double(Self.bytes))
      filling = share > 0 ? time / share : longest
      self.start = now
      recordsBefore = records
      bytesBefore = bytes
    }
    let pause = min(filling, longest)
    return pause >= Self.shortest ? pause : .zero
  }
}
