import Testing

@testable import RemoteProtocol

@Suite("Records on their way into the journal")
struct RecordIntakeTests {
  /// A disk that takes a time for each group, beside it a processor that takes one for each record, and
  /// peers that always have more. Times are microseconds.
  private struct Journal {
    let sync: Int
    let record: Int
    private var intake = RecordIntake()
    private var now = 0
    private var passed = 0
    /// What is on its way to the disk, or there.
    private var made = 0
    private(set) var stored = 0
    /// When what is not stored was passed on.
    private var passedAt: (made: Int, rest: Int) = (0, 0)

    init(sync: Int, record: Int) {
      self.sync = sync
      self.record = record
    }

    /// Stores so many groups.
    ///
    /// - Returns: records a second, and how long the records took at most.
    mutating func store(groups: Int, peers: Int) -> (rate: Int, longest: Int) {
      let (began, before) = (now, stored)
      var longest = 0
      for _ in 0..<groups {
        read(peers: peers)
        // All that is there is made into records while the disk has what was made before.
        now += max(sync, (passed - made) * record)
        if made > stored { longest = max(longest, now - passedAt.made) }
        (stored, made) = (made, passed)
        passedAt.made = passedAt.rest
        intake.isSafe(through: UInt64(stored), now: .microseconds(now))
      }
      return ((stored - before) * 1_000_000 / (now - began), longest)
    }

    private mutating func read(peers: Int) {
      passedAt.rest = now
      while intake.room(unanswered: (passed - stored) / peers, peers: peers) > 0 {
        passed = Int(intake.pass(now: .microseconds(now)))
      }
      intake.heldBack()
    }
  }

  @Test(arguments: [(500, 20), (1000, 50), (2000, 20)], [2, 10])
  func `are stored about as fast as can be, and wait little`(
    _ time: (sync: Int, record: Int), peers: Int
  ) {
    var journal = Journal(sync: time.sync, record: time.record)
    _ = journal.store(groups: 400, peers: peers)
    let (rate, longest) = journal.store(groups: 800, peers: peers)
    #expect(rate > 1_000_000 / time.record * 6 / 10, "\(rate)")
    // What little is before it while it is looked how long one takes, takes its time, too.
    let alone = time.sync + IntakeLimit.share * peers * time.record
    #expect(longest <= 4 * alone, "\(longest)")
  }

  @Test func `are counted over all peers`() {
    var intake = RecordIntake()
    for number in 1...256 { #expect(intake.pass(now: .zero) == UInt64(number)) }
    #expect(intake.room(unanswered: 256, peers: 2) == 0)
    intake.isSafe(through: 200, now: .zero)
    #expect(intake.safe == 200 && intake.room(unanswered: 56, peers: 2) == 200 * 128)
    intake.isSafe(through: 100, now: .zero)
    #expect(intake.safe == 200)
  }

  @Test func `are held back for a moment, to see how long one takes`() {
    var intake = RecordIntake()
    for _ in 1...256 { _ = intake.pass(now: .zero) }
    intake.heldBack()
    intake.isSafe(through: 128, now: .milliseconds(4))
    // Half of them are safe, and yet nobody may send more than a share.
    #expect(intake.room(unanswered: 128, peers: 1) == 0)
    #expect(intake.room(unanswered: 10, peers: 1) == 6 * 128)
    intake.isSafe(through: 256, now: .milliseconds(8))
    #expect(intake.room(unanswered: 0, peers: 1) == 16 * 128)
    #expect(intake.pass(now: .milliseconds(9)) == 257)
    intake.isSafe(through: 257, now: .milliseconds(12))
    #expect(intake.room(unanswered: 0, peers: 2) > 200 * 128)
  }
}
