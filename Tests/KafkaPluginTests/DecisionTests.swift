import BulkIndexing
import Testing

@testable import Shipping
@testable import audispatch_kafka

@Suite("The end of a partition")
struct TailPlanTests {
  @Test func `is read as far back as what may be ours`() {
    let bounds: [Int64] = [0, 1, 5_000, 19_999, 20_000, 20_001, 199_999, 250_000, 1_000_000]
    for first in bounds {
      for next in bounds where next >= first {
        for since in bounds.map(Optional.some) + [nil] {
          let plan = TailPlan(
            PartitionEnds(first: first, next: next), since: since, mostRead: 200_000)
          #expect(plan.range.upperBound == next)
          #expect(plan.range.lowerBound >= first)
          #expect(plan.range.count <= 200_000)
          // The last 20,000, and all that are as old as is asked for.
          #expect(plan.range.lowerBound <= max(first, next - 20_000))
          if let since, !plan.isCut { #expect(plan.range.lowerBound <= max(first, since)) }
          #expect(plan.isCut == (next - max(first, since ?? next) > 200_000))
        }
      }
    }
  }
}

@Suite("Known ends of partitions")
struct KnownTailsTests {
  private func tail(_ count: Int) -> KnownTails.Tail {
    KnownTails.Tail(
      ids: Set((0..<count).map { Array("\($0)".utf8) }), since: 1, isWhole: count.isMultiple(of: 2))
  }

  @Test func `stay while others have no room, and give their own away`() {
    var known = KnownTails(most: 10)
    let parts = (0..<4).map { TopicPart(topic: "a", partition: $0) }
    for (part, count) in zip(parts, [4, 5, 2, 1]) { known.keep(tail(count), of: part) }
    #expect(parts.map { known[$0]?.ids.count } == [4, 5, nil, 1])
    #expect(known[parts[0]] == tail(4) && known[parts[1]] == tail(5))
    // What is read anew is counted once.
    known.keep(tail(4), of: parts[0])
    #expect(known[parts[0]] == tail(4))
    known.keep(tail(5), of: parts[0])
    #expect(parts.map { known[$0]?.ids.count } == [nil, 5, nil, 1])
  }

  @Test func `are one at least`() {
    var known = KnownTails(most: 10)
    let part = TopicPart(topic: "a", partition: 0)
    known.keep(tail(11), of: part)
    known.keep(tail(1), of: TopicPart(topic: "b", partition: 0))
    #expect(known[part] == tail(11) && known[TopicPart(topic: "b", partition: 0)] == nil)
  }
}

@Suite("Messages that were sent together")
struct SentBatchTests {
  private static let failures: [(rd: Int32, mayBeStored: Bool, fate: MessageFate)] = [
    (29, false, .unsent), (29, true, .unknown), (10, false, .refusedTogether("p")),
    (87, true, .refusedTogether("p")), (-152, false, .unsent), (-150, true, .unknown),
  ]

  @Test func `have a fate each, and the first reason that is one`() {
    var batch = SentBatch(count: 4, answerTime: .seconds(9), at: .zero)
    #expect(!batch.isUnderWay && batch.goesOn && !batch.isWhole)
    for number in 0..<4 { batch.sent(number) }
    #expect(batch.isUnderWay)
    batch.delivered(Delivery(number: 1, problem: nil, mayBeStored: true), at: .zero)
    for (code, mayBeStored, fate) in Self.failures {
      var other = batch
      other.delivered(
        Delivery(number: 0, problem: KafkaProblem(code, "p"), mayBeStored: mayBeStored), at: .zero)
      #expect(other.fates == [fate, .stored, .unknown, .unknown], "\(code)")
      #expect(other.why == (code == 29 ? "p" : nil), "\(code)")
      let isReason = code == 29
      #expect(other.reason("q") == (isReason ? "p" : "q"), "\(code)")
      #expect(
        other.reason(nil) == (isReason ? "p" : "no broker says that it has stored what was sent"))
      #expect(!other.isWhole)
    }
    for number in [0, 2, 3] {
      batch.delivered(Delivery(number: number, problem: nil, mayBeStored: true), at: .zero)
    }
    #expect(batch.isWhole && !batch.isUnderWay && batch.why == nil)
    #expect(batch.reason("q") == "" && batch.reason(nil) == "")
  }

  @Test func `go on behind one that is too large, and stop behind another failure`() {
    var batch = SentBatch(count: 3, answerTime: .seconds(9), at: .zero)
    batch.notSent(0, KafkaProblem(10, "large"))
    #expect(batch.fates[0] == .refused("large") && batch.goesOn)
    batch.notSent(1, KafkaProblem(-150, "fatal"))
    #expect(batch.fates[1] == .unsent && !batch.goesOn && !batch.isWhole)
  }

  @Test func `say why they wait, each reason once a minute`() {
    var batch = SentBatch(count: 1, answerTime: .seconds(9), at: .zero)
    #expect(batch.trouble("x", at: .seconds(5)) == nil)
    batch.sent(0)
    #expect(batch.trouble("x", at: .milliseconds(999)) == nil)
    #expect(batch.trouble(nil, at: .milliseconds(8999)) == nil)
    #expect(batch.trouble("x", at: .seconds(1)) == "x")
    #expect(batch.trouble("x", at: .seconds(60)) == nil)
    #expect(batch.trouble("y", at: .seconds(60)) == "y")
    #expect(batch.trouble("x", at: .seconds(61)) == "x")
    #expect(
      batch.trouble(nil, at: .seconds(61)) == "no broker says that it has stored what was sent")
    batch.delivered(Delivery(number: 0, problem: nil, mayBeStored: true), at: .seconds(61))
    #expect(batch.trouble("z", at: .seconds(300)) == nil)
  }
}

@Suite("Texts that were said")
struct SaidTextsTests {
  @Test func `are said once a minute each, though they take turns`() {
    var said = SaidTexts()
    var due: [String: [Int]] = [:]
    for second in 0..<130 {
      for text in ["x", "y", "z"] where said.isDue(text, at: .seconds(second)) {
        due[text, default: []].append(second)
      }
    }
    #expect(due == ["x": [0, 60, 120], "y": [0, 60, 120], "z": [0, 60, 120]])
  }

  @Test func `are forgotten when there are many`() {
    var said = SaidTexts()
    let texts = (0..<16).map(String.init) + ["0", "16", "0", "16"]
    let due = texts.map { said.isDue($0, at: .zero) }
    #expect(due == Array(repeating: true, count: 16) + [false, true, true, false])
  }
}

@Suite("Fates of a batch")
struct SortedFatesTests {
  @Test func `are sorted, each kind in its order`() {
    let sorted = SortedFates(
      [3, 4, 5, 6, 7, 8, 9, 10, 11],
      [
        .stored, .later, .unknown, .refused("a"), .refusedTogether("b"), .unsent, .alreadyThere,
        .refusedTogether("c"), .stored,
      ])
    #expect(sorted.settled == [3, 6, 9, 11])
    #expect(
      sorted.fates == [.stored, .refused(type: "", reason: "a"), .alreadyThere, .stored])
    #expect(sorted.unsent == [4, 8] && sorted.unknown == [5])
    #expect(sorted.together == [7, 10] && sorted.reasonTogether == "b")
  }
}

@Suite("Setting up a topic")
struct WantedTopicTests {
  @Test func `asks for what is wanted, and for nothing else`() {
    var wanted = WantedTopic()
    #expect(
      wanted.command("audit", servers: "a:1,b:2")
        == "kafka-topics.sh --bootstrap-server a:1,b:2 --create --topic audit --partitions 3")
    wanted = WantedTopic(
      partitions: 6, replicas: 2, maxAge: .seconds(60), maxBytes: 1 << 30)
    #expect(
      wanted.command("audit", servers: "a:1")
        == "kafka-topics.sh --bootstrap-server a:1 --create --topic audit --partitions 6 "
        + "--replication-factor 2 --config retention.ms=60000 --config retention.bytes=1073741824")
  }

  @Test func `says what stays as it is, where something else was asked for`() {
    let found = TopicState(partitions: 3, replicas: 1)
    #expect(WantedTopic().notes(found, given: []) == [])
    #expect(WantedTopic(partitions: 4).notes(found, given: []) == [])
    let notes = WantedTopic(partitions: 4, replicas: 2, maxAge: .seconds(1), maxBytes: nil)
      .notes(found, given: ["partitions"])
    #expect(notes.count == 3)
    #expect(notes[0].contains("it has 3 partitions, and keeps them"))
  }
}
