import Journal
import Testing

@testable import AuditDispatch

/// What is concluded of a dead process's queue from what it had published, what the kernel knows to
/// have been sent, and what the child had left unread.
@Suite("What a dead process had for a plugin")
struct InheritanceTests {
  /// - Parameter pieces: records of the queue in turn: so many, and who has them.
  private func inheritance(
    delivered: UInt64, queued: UInt64, deliveredAtStart: UInt64 = 0, firstNumber: UInt64 = 1,
    extraEnd: StreamOffset = StreamOffset(0), announced: (read: UInt64, written: UInt64) = (0, 0),
    pieces: [(UInt64, Predecessor.Piece.Place)] = []
  ) -> Inheritance {
    let counters = Counters(
      received: delivered + queued, delivered: delivered, redelivered: 0, queued: queued,
      queuedBytes: 0, queuedMax: 0, bytes: 0, droppedEvents: 0, dropped: [])
    let queue = Predecessor.Queue(
      slot: 0, counters: counters, undelivered: RecordNumber(delivered), shift: nil,
      position: StreamOffset(0),
      extraEnd: extraEnd, deliveredAtStart: deliveredAtStart,
      confirmedAtStart: StreamNumber(1), firstNumber: StreamNumber(firstNumber), restarts: 0,
      child: ChildNumber(kept: 7), encoding: .string, announced: announced,
      pieces: pieces.map { Predecessor.Piece($0.0, $0.1) })
    return Inheritance(queue: queue, isAwaited: false)
  }

  @Test(
    arguments: [
      // Sent, unread, and so read beyond the 10 of 14 that the process knew of.
      (sent: 14, unread: 0, done: 4), (sent: 14, unread: 4, done: 0),
      (sent: 12, unread: 1, done: 1),
      // It had written less than it counted as delivered to this child; and more than it had queued.
      (sent: 5, unread: 0, done: 0), (sent: 20, unread: 0, done: 4), (sent: 3, unread: 9, done: 0),
    ] as [(sent: UInt64, unread: UInt64, done: UInt64)])
  func `the child had read what was sent and is not unread`(
    sent: UInt64, unread: UInt64, done: UInt64
  ) {
    var inherited = inheritance(delivered: 10, queued: 4)
    inherited.sent = (bytes: StreamOffset(0), records: sent)
    inherited.unreadRecords = unread
    #expect(inherited.done(confirms: false) == done)
  }

  @Test func `an earlier child's records do not count as this one's`() {
    var inherited = inheritance(delivered: 10, queued: 4, deliveredAtStart: 8)
    inherited.sent = (bytes: StreamOffset(0), records: 5)
    #expect(inherited.done(confirms: false) == 3)
  }

  @Test(arguments: [(nil, 0), (5, 1), (8, 4), (100, 4), (3, 0)] as [(UInt64?, UInt64)])
  func `a plugin that confirms was done with what it confirmed`(number: UInt64?, done: UInt64) {
    var inherited = inheritance(delivered: 4, queued: 4, firstNumber: 5)
    inherited.sent = (bytes: StreamOffset(0), records: 100)
    inherited.confirmed = number.map(StreamNumber.init)
    #expect(inherited.done(confirms: true) == done)
  }

  @Test func `gap records behind what was read are not known to be read`() {
    var inherited = inheritance(
      delivered: 0, queued: 4, extraEnd: StreamOffset(100), announced: (read: 3, written: 9))
    #expect(inherited.announced == 3)
    inherited.sent = (bytes: StreamOffset(150), records: 4)
    inherited.unread = 50
    #expect(inherited.announced == 9)
    inherited.unread = 51
    #expect(inherited.announced == 3)
  }

  private typealias Pieces = [(UInt64, Predecessor.Piece.Place)]

  /// Pieces, records read of all, and what follows: read of those on disk and of the others, not read
  /// and lost, or sent again, and the number that the first record has which is left.
  private static let splits:
    [(
      pieces: Pieces, done: UInt64, read: (onDisk: UInt64, inMemory: UInt64),
      unread: (lost: UInt64, awaited: UInt64), number: UInt64
    )] = [
      ([], 3, (3, 0), (0, 0), 4), ([(4, .log)], 3, (3, 0), (0, 0), 4),
      // What is in memory only, and unread, is lost; its numbers are not given to others.
      ([(2, .memory), (3, .log)], 0, (0, 0), (2, 0), 3),
      ([(2, .memory), (3, .log)], 1, (0, 1), (1, 0), 3),
      ([(2, .memory), (3, .log)], 3, (1, 2), (0, 0), 4),
      ([(3, .log), (2, .memory)], 5, (3, 2), (0, 0), 6),
      // Lost behind something that is left: the log has no numbers, so all begin anew behind.
      ([(2, .log), (2, .memory)], 1, (1, 0), (2, 0), 5),
      ([(1, .log), (1, .memory), (2, .log)], 0, (0, 0), (1, 0), 5),
      // What comes again has other numbers then, and was not lost, read or not.
      ([(3, .log), (2, .senders)], 4, (3, 1), (0, 1), 6),
      ([(2, .senders), (3, .log)], 0, (0, 0), (0, 2), 3),
      ([(1, .memory), (2, .senders), (1, .log)], 0, (0, 0), (1, 2), 4),
      ([(2, .log), (1, .memory), (2, .senders)], 0, (0, 0), (1, 2), 6),
    ]

  @Test(arguments: splits.indices)
  func `what was read is told apart by where it lay`(_ index: Int) {
    let split = Self.splits[index]
    let queued = split.pieces.reduce(0) { $0 + $1.0 }
    let inherited = inheritance(
      delivered: 0, queued: queued == 0 ? 4 : queued, pieces: split.pieces)
    let result = inherited.split(split.done)
    #expect(result.onDisk == split.read.onDisk && result.inMemory == split.read.inMemory)
    #expect(result.lost == split.unread.lost && result.awaited == split.unread.awaited)
    #expect(result.number == StreamNumber(split.number))
  }

  /// A queue of so many records from a number on, in pieces; numbers that the log lacks, how many of the
  /// queue it has before them, and from where on other hosts send them again; and the queue then.
  private static let losses:
    [(
      first: UInt64, queued: UInt64, pieces: Pieces, lost: Range<UInt64>, stored: UInt64,
      awaited: UInt64, result: Pieces, begin: UInt64
    )] = [
      (10, 10, [], 14..<17, 4, 99, [(4, .log), (3, .memory), (3, .log)], 10),
      (15, 5, [], 14..<17, 0, 99, [(2, .memory), (3, .log)], 17),
      (14, 3, [], 14..<17, 0, 99, [(3, .memory)], 17),
      (10, 7, [], 14..<17, 4, 99, [(4, .log), (3, .memory)], 10),
      // All before the queue, and more than it has.
      (17, 3, [], 14..<17, 0, 99, [], 17),
      (10, 5, [], 14..<100, 4, 999, [(4, .log), (1, .memory)], 10),
      (10, 0, [], 14..<17, 0, 99, [], 10),
      // Some were known not to be on disk, or were queued by the next process.
      (
        0, 11, [(2, .log), (3, .memory), (6, .log)], 7..<9, 4, 99,
        [(2, .log), (3, .memory), (2, .log), (2, .memory), (2, .log)], 0
      ),
      (
        0, 9, [(3, .memory), (2, .log)], 6..<8, 3, 99,
        [(3, .memory), (3, .log), (2, .memory), (1, .log)], 0
      ),
      (0, 6, [(3, .memory), (3, .log)], 3..<4, 0, 99, [(4, .memory), (2, .log)], 0),
      // All of them come again, or those behind what was acknowledged.
      (10, 10, [], 14..<17, 4, 14, [(4, .log), (3, .senders), (3, .log)], 10),
      (10, 10, [], 14..<17, 4, 0, [(4, .log), (3, .senders), (3, .log)], 10),
      (10, 10, [], 14..<17, 4, 15, [(4, .log), (1, .memory), (2, .senders), (3, .log)], 10),
      (16, 3, [], 14..<17, 0, 15, [(1, .senders), (2, .log)], 17),
      // There was no log.
      (14, 3, [], 0..<17, 0, 10, [(3, .senders)], 17),
      (14, 5, [], 0..<17, 0, 15, [(1, .memory), (2, .senders), (2, .log)], 17),
    ]

  @Test(arguments: losses.indices)
  func `what the log turns out to lack is sent again where nobody was told, or was in memory only`(
    _ index: Int
  ) {
    let loss = Self.losses[index]
    var queue = inheritance(delivered: 0, queued: loss.queued, pieces: loss.pieces).queue
    queue.undelivered = RecordNumber(loss.first)
    queue.lose(
      RecordNumber(loss.lost.lowerBound)..<RecordNumber(loss.lost.upperBound), behind: loss.stored,
      awaitedFrom: RecordNumber(loss.awaited))
    #expect(queue.pieces == loss.result.map { Predecessor.Piece($0.0, $0.1) })
    #expect(queue.undelivered == RecordNumber(loss.begin))
  }
}
