import Testing

@testable import BulkIndexing

@Suite("Refused documents and the index for them")
struct RefusedIndexTests {
  typealias Queue = BulkQueue<Int>
  private static let limits = BulkQueueTests.limits

  /// So many refused ones.
  private static func queue(_ count: Int) -> Queue {
    var queue = BulkQueueTests.queue(count)
    queue.hasRefusedIndex = true
    while let batch = queue.next(limits, at: .zero, waits: false) {
      queue.settle(
        batch, batch.places.map { _ in .refused(type: "t", reason: "r") }, index: [], at: .zero,
        chance: 1)
    }
    return queue
  }

  @Test func `go there before they go to a file`() {
    var queue = Self.queue(6)
    #expect(queue.nextRefused(at: .seconds(9)).isEmpty && queue.refusedTime == nil)
    #expect(queue.refusedIndexTime == .zero)
    let batch = queue.nextForRefusedIndex(Self.limits, at: .zero)!
    #expect(batch.places == [0, 1, 2, 3])
    #expect(queue[0].refusal! == (type: "t", reason: "r"))
    let rest = queue.nextForRefusedIndex(Self.limits, at: .zero)!
    #expect(rest.places == [4, 5] && queue.refusedIndexTime == nil)
    queue.settleRefused(
      batch, [.done, .givenUp(reason: ""), .later(reason: ""), .done], at: .zero, chance: 1)
    #expect(queue.takeDone() == 1 && queue.counts.refusedIndexed == 2)
    #expect(
      queue.nextRefused(at: .zero).first?.place == 1
        && queue.nextRefused(at: .zero).first?.type == "t")
    queue.refusedIsDone(1)
    #expect(queue.takeDone() == 2 && queue.refusedTime == nil)
    #expect(queue.refusedIndexTime == .seconds(1) && queue.refusedWaiting == 3)
    #expect(queue.nextForRefusedIndex(Self.limits, at: .zero) == nil)
    queue.giveBackRefused(rest, at: .zero)
    #expect(queue.nextForRefusedIndex(Self.limits, at: .seconds(1))?.places == [2, 4, 5])
  }

  @Test func `are sent in halves when they are too many, and one alone is given up`() {
    var queue = Self.queue(4)
    for size in [4, 2, 1] {
      let batch = queue.nextForRefusedIndex(Self.limits, at: .zero)!
      #expect(batch.places.count == size)
      queue.splitRefused(batch, at: .zero)
    }
    #expect(queue.nextRefused(at: .zero).first?.place == 0)
    #expect(queue.nextForRefusedIndex(Self.limits, at: .zero)?.places == [1])
  }

  @Test func `go to the file where there is no such index any more`() {
    var queue = Self.queue(1)
    queue.hasRefusedIndex = false
    #expect(queue.refusedIndexTime == nil && queue.refusedTime == .zero)
    #expect(queue.nextForRefusedIndex(Self.limits, at: .zero) == nil)
    #expect(queue.nextRefused(at: .zero).first?.place == 0)
  }

  @Test func `have fates for every status`() {
    for status in 100..<600 {
      for hasFile in [true, false] {
        let fate = RefusedFate(ItemAnswer(status: status, reason: "r"), hasFile: hasFile)
        switch status {
        case 200..<300, 409: #expect(fate == .done)
        case 408, 429, 500...: #expect(fate == .later(reason: "r"))
        case 401, 403, 404:
          #expect(fate == (hasFile ? .givenUp(reason: "r") : .later(reason: "r")))
        default: #expect(fate == .givenUp(reason: "r"))
        }
      }
    }
  }

  @Test func `have steps for every answer`() {
    func step(_ status: Int, _ body: String = "", hasFile: Bool = true) -> RefusedStep {
      RefusedStep(
        .status(status, body: Array(body.utf8), retryAfter: .seconds(3)), count: 2,
        hasFile: hasFile)
    }
    let items = #"{"items":[{"create":{"status":201}},{"create":{"status":400}}]}"#
    #expect(step(200, items) == .fates([.done, .givenUp(reason: "status 400")]))
    for body in ["", "{}", #"{"items":[{"create":{"status":201}}]}"#] {
      #expect(step(200, body) == .later(reason: "the answer is none to a bulk request", after: nil))
    }
    let error = #"{"error":{"type":"t","reason":"r"}}"#
    for status in [401, 429, 500, 503] {
      #expect(
        step(status, error) == .later(reason: "status \(status): t: r", after: .seconds(3)))
    }
    for status in [403, 404] {
      let reason = "status \(status): t: r"
      #expect(
        step(status, error) == .fates([.givenUp(reason: reason), .givenUp(reason: reason)]))
      #expect(
        step(status, error, hasFile: false)
          == .fates([.later(reason: reason), .later(reason: reason)]))
    }
    #expect(step(400, error) == .split(reason: "status 400: t: r"))
    #expect(step(400) == .later(reason: "status 400", after: .seconds(3)))
    #expect(step(413) == .split(reason: "the server takes no request of this size (413)"))
    #expect(
      RefusedStep(.failed("gone", mayHaveArrived: true), count: 2, hasFile: true)
        == .later(reason: "gone", after: nil))
  }

  @Test func `are written with what they were and why`() {
    var queue = Queue(delay: BulkQueueTests.delay)
    queue.append(
      1, id: Array("a:1".utf8), body: Array(#"{"x":"y\n"}"#.utf8), milliseconds: 1_700_000_000_000,
      at: .zero)
    let batch = queue.next(BulkQueueTests.limits, at: .zero, waits: false)!
    queue.settle(
      batch, [.refused(type: "t", reason: "no \"x\"")], index: [], at: .zero, chance: 1)
    var body: [UInt8] = []
    BulkBody.appendRefused(queue[0], wanted: "logs", to: &body)
    #expect(
      String(decoding: body, as: UTF8.self) == #"""
        {"create":{"_id":"a:1"}}
        {"@timestamp":1700000000000,"event":{"id":"a:1","kind":"pipeline_error","module":"auditd","original":"{\"x\":\"y\\n\"}"},"error":{"type":"t","message":"no \"x\""},"document":{"index":"logs"}}

        """#)
  }

  /// Random answers: each document goes to one of both, and all are done in their order.
  @Test(arguments: 1...5) func `are each done once, whatever happens`(_ seed: Int) {
    var random = BulkQueueTests.Numbers(state: UInt64(seed))
    var queue = Self.queue(100)
    var (now, files, last) = (Duration.zero, 0, 0)
    for _ in 0..<10_000 where last < 100 {
      now += .milliseconds(200)
      while let (place, _, _) = queue.nextRefused(at: now).first {
        files += 1
        queue.refusedIsDone(place)
      }
      if let batch = queue.nextForRefusedIndex(Self.limits, at: now) {
        switch random.next(below: 4) {
        case 0: queue.giveBackRefused(batch, at: now)
        case 1: queue.splitRefused(batch, at: now)
        default:
          let fates: [RefusedFate] = [.done, .later(reason: ""), .givenUp(reason: "")]
          queue.settleRefused(
            batch, batch.places.map { _ in fates[random.next(below: 3)] }, at: now, chance: 0.5)
        }
      }
      if let token = queue.takeDone() {
        #expect(token > last)
        last = token
      }
    }
    #expect(last == 100 && queue.count == 0 && queue.bytes == 0, "seed \(seed)")
    #expect(files > 0 && queue.counts.refusedIndexed > 0)
    #expect(files + queue.counts.refusedIndexed == 100 && queue.refusedWaiting == 0)
  }
}
