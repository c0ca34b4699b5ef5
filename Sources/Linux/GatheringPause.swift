/// How long a reader may leave a socket alone after a read, so that the next read gets more.
///
/// Between two reads less may come than two thirds of what the socket's buffer holds, by the rate at
/// which it came before. So whoever writes does not wait, but perhaps once, at the sudden beginning
/// of a burst. A write takes some 980 bytes of the buffer beside its own: of records that are
/// written one by one, as auditd does, it holds 167 of 300 bytes, and 21 of fixed framing.
public struct GatheringPause: Equatable, Sendable {
  /// Of the 212,992 that a socket holds.
  private static let bytes = 142_000
  /// What a record takes beside its bytes.
  private static let overhead = 980
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

  public init(longest: Duration) { self.longest = longest }

  /// What to pause for now, after a read; zero for going on at once.
  ///
  /// - Parameters:
  ///   - records: that were read since the start.
  ///   - bytes: that were read since the start.
  public mutating func next(records: Int, bytes: Int, at now: Duration) -> Duration {
    guard longest > .zero else { return .zero }
    guard let start else {
      self.start = now
      recordsBefore = records
      bytesBefore = bytes
      return .zero
    }
    let time = now - start
    if time >= Self.window {
      let came = (records - recordsBefore) * Self.overhead + bytes - bytesBefore
      filling = came > 0 ? time / (Double(came) / Double(Self.bytes)) : longest
      self.start = now
      recordsBefore = records
      bytesBefore = bytes
    }
    let pause = min(filling, longest)
    return pause >= Self.shortest ? pause : .zero
  }
}
