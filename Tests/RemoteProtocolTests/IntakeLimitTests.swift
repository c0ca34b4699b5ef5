import RemoteProtocol
import Testing

@Suite("How many records may be on their way")
struct IntakeLimitTests {
  /// A journal that takes so many records while one group of them is made safe, which takes two
  /// milliseconds; and a peer that always has more.
  private static func settled(turns: Int, capacity: Int) -> (limit: Int, stored: Int) {
    var limit = IntakeLimit(now: .zero)
    var (waiting, underWay, stored) = (0, 0, 0)
    for turn in 1...turns {
      while true {
        let room = limit.room(onTheirWay: waiting + underWay, unanswered: .max, peers: 1)
        if room == 0 {
          limit.heldBack()
          break
        }
        waiting += room
      }
      stored += underWay
      underWay = min(capacity, waiting)
      limit.acknowledged(left: waiting, now: .milliseconds(2 * turn))
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

  @Test func `grows while nothing is left, within its bounds`() {
    var limit = IntakeLimit(now: .zero)
    for turn in 1...1000 {
      #expect(limit.room(onTheirWay: limit.limit, unanswered: 4096, peers: 1) == 0)
      limit.heldBack()
      limit.acknowledged(left: 0, now: .milliseconds(turn))
    }
    #expect(limit.limit == IntakeLimit.bounds.upperBound)
    for turn in 1001...100_000 { limit.acknowledged(left: 10_000, now: .milliseconds(turn)) }
    #expect(limit.limit == IntakeLimit.bounds.lowerBound)
  }

  @Test func `does not grow where nobody was held back`() {
    var limit = IntakeLimit(now: .zero)
    for turn in 1...1000 {
      // To ask is not to hold back.
      #expect(limit.room(onTheirWay: 256, unanswered: 256, peers: 1) == 0)
      limit.acknowledged(left: 0, now: .milliseconds(turn))
    }
    #expect(limit.limit == 256)
  }

  @Test func `holds back those alone that have their share`() {
    let limit = IntakeLimit(now: .zero)
    let cases: [(onTheirWay: Int, unanswered: Int, peers: Int, room: Int)] = [
      (0, 0, 0, 256), (255, 255, 1, 1), (256, 256, 1, 0), (5000, 63, 4, 1), (5000, 64, 4, 0),
      (200, 64, 4, 56), (5000, 15, 1000, 1), (5000, 16, 1000, 0), (5000, 0, 1000, 16),
    ]
    for (onTheirWay, unanswered, peers, room) in cases {
      #expect(limit.room(onTheirWay: onTheirWay, unanswered: unanswered, peers: peers) == room)
    }
  }

  @Test func `is counted over all peers`() {
    var intake = RecordIntake(now: .zero)
    for number in 1...256 { #expect(intake.pass() == UInt64(number)) }
    #expect(intake.room(unanswered: 256, peers: 1) == 0)
    intake.heldBack()
    intake.isSafe(through: 200, now: .zero)
    // As few were left, the limit has grown.
    #expect(intake.safe == 200 && intake.room(unanswered: 256, peers: 1) == (288 - 56) * 128)
    intake.isSafe(through: 100, now: .zero)
    #expect(intake.safe == 200)
  }
}
