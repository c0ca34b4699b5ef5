import Linux
import Testing

@Suite("The pause in which input gathers")
struct GatheringPauseTests {
  /// The pause after records of that many bytes have come at a rate for a tenth of a second, and
  /// how many records come within it.
  static func settled(
    rate: Double, bytes: Int, longest: Duration = .milliseconds(4)
  ) -> (pause: Duration, records: Double) {
    var pause = GatheringPause(longest: longest)
    var now = Duration.seconds(1)
    var last = Duration.zero
    for _ in 0..<2000 {
      let records = Int((now - .seconds(1)) / .seconds(1) * rate)
      last = pause.next(records: records, bytes: records * bytes, at: now)
      now += max(last, .microseconds(50))
    }
    return (last, last / .seconds(1) * rate)
  }

  @Test(arguments: [10, 1000, 10_000, 25_000.0])
  func `is as long as it may be while little comes`(_ rate: Double) {
    #expect(Self.settled(rate: rate, bytes: 300).pause == .milliseconds(4))
  }

  @Test(arguments: [
    (35_000.0, 160), (100_000, 160), (400_000, 160), (10_000, 8986), (50_000, 8986),
  ])
  func `ends before the socket is full`(_ rate: Double, _ bytes: Int) {
    let (pause, records) = Self.settled(rate: rate, bytes: bytes)
    #expect(pause < .milliseconds(4))
    #expect(records * Double(bytes + 980) <= 145_000)
  }

  @Test func `is none where it would be too short to be worth it`() {
    #expect(Self.settled(rate: 2_000_000, bytes: 160).pause == .zero)
  }

  @Test func `is none for a plugin that does not ask for it`() {
    #expect(Self.settled(rate: 1000, bytes: 160, longest: .zero).pause == .zero)
  }

  @Test func `is none after the first read`() {
    var pause = GatheringPause(longest: .milliseconds(4))
    #expect(pause.next(records: 1, bytes: 100, at: .seconds(5)) == .zero)
  }
}
