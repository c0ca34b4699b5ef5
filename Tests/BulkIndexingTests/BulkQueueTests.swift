import Testing

@testable import BulkIndexing

@Suite("Documents that are not stored yet")
struct BulkQueueTests {
  typealias Queue = BulkQueue<Int>
  static let limits = Queue.Limits(documents: 4, bytes: 1 << 20, gathering: .seconds(1))
  static let delay = RetryDelay(shortest: .seconds(1), longest: .seconds(8))

  static func queue(_ count: Int, doubt: Doubt = .none, size: Int = 10) -> Queue {
    var queue = Queue(delay: delay)
    for token in 1...count {
      queue.append(
        token, id: Array("\(token)".utf8), body: [UInt8](repeating: 0x20, count: size),
        milliseconds: 1, doubt: doubt, at: .zero)
    }
    return queue
  }

  @Test func `go in batches of so many, and wait for others`() {
    var queue = Self.queue(6)
    #expect(queue.next(Self.limits, at: .zero)?.places == [0, 1, 2, 3])
    #expect(queue.next(Self.limits, at: .zero) == nil)
    #expect(queue.nextTime(Self.limits) == .seconds(1))
    #expect(queue.next(Self.limits, at: .seconds(1))?.places == [4, 5])
    #expect(queue.next(Self.limits, at: .seconds(9)) == nil)
    #expect(queue.nextTime(Self.limits) == nil)
  }

  @Test func `go at once where nothing shall wait`() {
    var queue = Self.queue(2)
    #expect(queue.next(Self.limits, at: .zero, waits: false)?.places == [0, 1])
  }

  @Test func `go in batches of so many bytes, a larger one alone`() {
    var queue = Self.queue(3, size: 1000)
    var limits = Self.limits
    limits.bytes = 2 * queue[0].cost
    #expect(queue.next(limits, at: .zero)?.places == [0, 1])
    limits.bytes = 1
    #expect(queue.next(limits, at: .seconds(1))?.places == [2])
  }

  @Test func `are done in their order only`() {
    var queue = Self.queue(8)
    let first = queue.next(Self.limits, at: .zero)!
    let second = queue.next(Self.limits, at: .zero)!
    queue.settle(
      second, [.stored, .alreadyThere, .stored, .stored], index: [], at: .zero, chance: 1)
    #expect(queue.takeDone() == nil)
    #expect(queue.count == 4)
    queue.settle(
      first, [.stored, .stored, .later(reason: "busy", mayBeStored: false), .stored], index: [],
      at: .zero, chance: 1)
    #expect(queue.takeDone() == 2)
    #expect(queue.takeDone() == nil)
    #expect(queue.next(Self.limits, at: .zero) == nil)
    let again = queue.next(Self.limits, at: .seconds(1))!
    #expect(again.places == [2] && !again.isDoubtful)
    queue.settle(again, [.stored], index: [], at: .seconds(1), chance: 1)
    #expect(queue.takeDone() == 8)
    #expect(queue.count == 0 && queue.bytes == 0)
    #expect(queue.counts == Queue.Counts(stored: 7, alreadyThere: 1, retried: 1))
  }

  /// One that nobody takes holds up what is confirmed, and so what is taken; not what is stored.
  @Test func `are held behind one that is stuck, without their bodies`() {
    var queue = Self.queue(1 + 6000, size: 1000)
    while let batch = queue.next(Self.limits, at: .zero, waits: false) {
      let fates = batch.places.map {
        $0 == 0 ? .refused(type: "t", reason: "r") : DocumentFate.stored
      }
      queue.settle(batch, fates, index: [], at: .zero, chance: 1)
    }
    #expect(queue.takeDone() == nil && queue.counts.stored == 6000)
    #expect(queue.count == 1 && queue.held == 6001)
    #expect(queue.bytes > 6000 * 64 && queue.bytes < 6001 * 100)
    queue.refusedIsDone(0)
    #expect(queue.takeDone() == 6001 && queue.held == 0 && queue.bytes == 0)
  }

  @Test func `are written together where refused ones go, as far as their bytes allow`() {
    var queue = Self.queue(8, size: 1000)
    while let batch = queue.next(Self.limits, at: .zero, waits: false) {
      let fates = batch.places.map { _ in DocumentFate.refused(type: "t", reason: "r") }
      queue.settle(batch, fates, index: [], at: .zero, chance: 1)
    }
    #expect(queue.nextRefused(at: .zero).map(\.place) == Array(0..<8))
    #expect(queue.nextRefused(3 * queue[0].cost, at: .zero).map(\.place) == [0, 1, 2])
    #expect(queue.nextRefused(1, at: .zero).map(\.place) == [0])
  }

  @Test func `wait longer each time that they are put off`() {
    var queue = Self.queue(1)
    var now = Duration.zero
    for expected in [1, 2, 4, 8, 8] {
      let batch = queue.next(Self.limits, at: now, waits: false)!
      queue.settle(
        batch, [.later(reason: "", mayBeStored: false)], index: [], at: now, chance: 1)
      #expect(queue.nextTime(Self.limits) == now + .seconds(expected))
      now = now + .seconds(expected)
    }
  }

  @Test func `go in halves when they are too many, down to one, which is refused`() {
    var queue = Self.queue(4)
    var sizes: [Int] = []
    while let batch = queue.next(Self.limits, at: .zero, waits: false) {
      sizes.append(batch.places.count)
      queue.split(batch, reason: "413", at: .zero)
    }
    #expect(sizes == [4, 2, 1, 1, 2, 1, 1])
    #expect(queue.refusedWaiting == 4)
    for token in 1...4 {
      let (place, _, reason) = queue.nextRefused(at: .zero)[0]
      #expect(reason == "413")
      queue.refusedIsDone(place)
      #expect(queue.takeDone() == token)
    }
    #expect(queue.nextRefused(at: .zero).isEmpty && queue.count == 0)
  }

  @Test func `go in smaller requests behind one that was too large, which grow again`() {
    var limits = Queue.Limits(documents: 9, bytes: 5 << 20, gathering: .zero)
    limits.shrink(below: 4 << 20)
    #expect(limits.bytes == 2 << 20)
    // An older one, that was larger, says nothing new.
    limits.shrink(below: 5 << 20)
    #expect(limits.bytes == 2 << 20)
    limits.shrink(below: 1000)
    #expect(limits.bytes == 64 << 10)
    for _ in 0..<50 { limits.grow(to: 5 << 20) }
    #expect(limits.bytes > 128 << 10 && limits.bytes < 192 << 10)
    for _ in 0..<500 { limits.grow(to: 5 << 20) }
    #expect(limits.bytes == 5 << 20)
  }

  @Test func `that are in doubt go apart from others`() {
    var queue = Self.queue(2, doubt: .possible(since: []))
    queue.append(3, id: [], body: [], milliseconds: 0, at: .zero)
    let doubtful = queue.next(Self.limits, at: .zero)!
    #expect(doubtful.places == [0, 1] && doubtful.isDoubtful)
    let rest = queue.found(doubtful, [true, false])
    #expect(rest.places == [1] && queue.takeDone() == 1)
    #expect(queue[1].doubt == .none)
    #expect(queue.next(Self.limits, at: .seconds(1))?.places == [2])
  }

  @Test func `remember since when they may be stored`() {
    var queue = Self.queue(1)
    for (index, mayBeStored) in [("a", false), ("b", true), ("c", true)] {
      let batch = queue.next(Self.limits, at: .seconds(1))!
      queue.giveBack(batch, mayBeStored: mayBeStored, index: Array(index.utf8), at: .seconds(1))
    }
    #expect(queue[0].doubt == .possible(since: Array("b".utf8)))
  }

  @Test func `that are refused wait until they can be written`() {
    var queue = Self.queue(2)
    let batch = queue.next(Self.limits, at: .seconds(1))!
    queue.settle(
      batch, [.refused(type: "t", reason: "r"), .stored], index: [], at: .zero, chance: 1)
    #expect(queue.nextRefused(at: .zero).first?.place == 0)
    queue.refusedWait(until: .seconds(5))
    #expect(queue.nextRefused(at: .seconds(4)).isEmpty && queue.refusedTime == .seconds(5))
    #expect(queue.takeDone() == nil && queue.count == 1)
    queue.refusedIsDone(queue.nextRefused(at: .seconds(5))[0].place)
    #expect(queue.takeDone() == 2 && queue.refusedTime == nil)
  }

  /// Random fates for many documents: each is done once, in order, and what is counted is what was.
  @Test(arguments: 1...10) func `are each done once, whatever happens`(_ seed: Int) {
    var random = Numbers(state: UInt64(seed))
    var queue = Queue(delay: Self.delay)
    var now = Duration.zero
    var next = 1
    var last = 0
    var underWay: [Queue.Batch] = []
    while last < 300 {
      now += .milliseconds(random.next(below: 300))
      for _ in 0..<random.next(below: 12) where next <= 300 {
        queue.append(
          next, id: Array("\(next)".utf8), body: [1], milliseconds: 0,
          doubt: random.next(below: 3) == 0 ? .possible(since: []) : .none, at: now)
        next += 1
      }
      if let batch = queue.next(Self.limits, at: now, waits: next <= 300) { underWay.append(batch) }
      while let (place, _, _) = queue.nextRefused(at: now).first {
        if random.next(below: 2) == 0 {
          queue.refusedWait(until: now + .seconds(1))
        } else {
          queue.refusedIsDone(place)
        }
      }
      if !underWay.isEmpty, random.next(below: 2) == 0 {
        var batch = underWay.remove(at: random.next(below: underWay.count))
        if batch.isDoubtful {
          batch = queue.found(batch, batch.places.map { _ in random.next(below: 2) == 0 })
        }
        switch random.next(below: 6) {
        case _ where batch.places.isEmpty: break
        case 0: queue.giveBack(batch, mayBeStored: true, index: [1], at: now)
        case 1: queue.split(batch, reason: "", at: now)
        default:
          let fates = batch.places.map { _ in Self.fates[random.next(below: Self.fates.count)] }
          queue.settle(batch, fates, index: [1], at: now, chance: 0.5)
        }
      }
      if let token = queue.takeDone() {
        #expect(token > last)
        last = token
      }
    }
    let counts = queue.counts
    #expect(counts.stored + counts.alreadyThere + counts.refused == 300)
    #expect(queue.count == 0 && queue.bytes == 0 && underWay.isEmpty)
  }

  static let fates: [DocumentFate] = [
    .stored, .stored, .stored, .alreadyThere, .later(reason: "", mayBeStored: true),
    .later(reason: "", mayBeStored: false), .asText(type: "", reason: ""),
    .refused(type: "", reason: ""),
  ]

  struct Numbers {
    var state: UInt64
    mutating func next(below limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(limit))
    }
  }
}
