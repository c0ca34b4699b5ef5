import RemoteProtocol
import Testing

@Suite("How many records may be on their way")
struct IntakeLimitTests {
  /// A journal that takes so many records while one group of them is made safe, which takes two
  /// milliseconds; and a peer that always has more.
  private static func settled(turns: Int, capacity: Int) -> (limit: Int, stored: Int) {
    var limit = IntakeLimit()
    var (waiting, underWay, stored) = (0, 0, 0)
    for turn in 1...turns {
      waiting += limit.room(onTheirWay: waiting + underWay, unanswered: .max, peers: 1)
      limit.heldBack()
      stored += underWay
      underWay = min(capacity, waiting)
      limit.acknowledged(
        left: waiting, after: .milliseconds(4), longest: .milliseconds(5),
        now: .milliseconds(2 * turn))
      waiting -= underWay
    }
    return (limit.limit, stored)
  }

  @Test(arguments: [10, 100, 500, 1500])
  func `is what keeps the journal busy, and little more`(capacity: Int) {
    let (limit, stored) = Self.settled(turns: 3000, capacity: capacity)
    #expect(limit <= max(3 * capacity, IntakeLimit.bounds.lowerBound), "\(limit)")
    #expect(stored > 3000 * capacity * 8 / 10, "\(stored)")
  }

  /// Records of which none are left take so long, where they should take 6,000 microseconds at most.
  private static func settled(heldBack: Bool = true, _ time: (Int) -> Int) -> Int {
    var limit = IntakeLimit()
    for turn in 1...1000 {
      if heldBack { limit.heldBack() }
      limit.acknowledged(
        left: 0, after: .microseconds(time(limit.limit)), longest: .milliseconds(6),
        now: .milliseconds(20 * turn))
    }
    return limit.limit
  }

  @Test func `is such that they do not take too long`() {
    // The time grows with the limit, as where the processor is what takes it.
    #expect((350...450).contains(Self.settled { 2000 + 10 * $0 }))
    #expect((875...1125).contains(Self.settled { 1000 + 5 * $0 }))
  }

  @Test func `grows and falls within its bounds`() {
    #expect(Self.settled { _ in 6000 } == IntakeLimit.bounds.upperBound)
    #expect(Self.settled { _ in 6001 } == IntakeLimit.bounds.lowerBound)
  }

  @Test func `changes once in the time that shows what that did`() {
    var limit = IntakeLimit()
    for turn in 1...10 {
      limit.heldBack()
      limit.acknowledged(
        left: 0, after: .milliseconds(5), longest: .milliseconds(5), now: .milliseconds(turn))
    }
    #expect(limit.limit == (256 + 32) * 9 / 8)
  }

  @Test func `does not grow where nobody was held back`() {
    // To ask is not to hold back.
    #expect(IntakeLimit().room(onTheirWay: 256, unanswered: 256, peers: 2) == 0)
    #expect(Self.settled(heldBack: false) { _ in 0 } == 256)
  }

  @Test func `holds back those alone that have their share`() {
    let limit = IntakeLimit()
    let cases: [(onTheirWay: Int, unanswered: Int, peers: Int, room: Int)] = [
      (0, 0, 2, 256), (255, 255, 2, 1), (256, 256, 2, 0), (5000, 63, 4, 1), (5000, 64, 4, 0),
      (200, 64, 4, 56), (5000, 15, 1000, 1), (5000, 16, 1000, 0), (5000, 0, 1000, 16),
      // It is the only one that waits.
      (0, 0, 0, 512), (511, 511, 1, 1), (512, 512, 1, 0),
    ]
    for (onTheirWay, unanswered, peers, room) in cases {
      #expect(limit.room(onTheirWay: onTheirWay, unanswered: unanswered, peers: peers) == room)
    }
  }
}
