import AudispatchPlugin
import CKafka
import Linux
import Shipping
import Synchronization

/// Stores messages in topics of Kafka, and reads which are there already.
final class KafkaClient: PublishingClient {
  /// How much is remembered and read.
  struct Bounds: Sendable {
    /// Topics whose partitions are known from one batch to the next.
    var topics = 1000
    var ids = 10 * mostDoubtful
    /// Messages of a partition, read at once.
    var tail = TailPlan.mostRead
  }

  private struct State: Sendable {
    var producer: KafkaHandle?
    var reader: KafkaHandle?
    /// How many partitions topics have, and since when that is known.
    var topics: [String: (partitions: Int, at: Duration)] = [:]
    var tails: KnownTails
    /// What was said last that is wrong.
    var problem: String?
  }

  private static let topicsLast = Duration.seconds(300)
  private static let settlingNanoseconds: Int64 = 300_000_000

  private let options: KafkaOptions
  private let bounds: Bounds
  private let publishTime: Duration?
  private let isStopped = Mutex(false)
  /// Only the thread looks at it.
  private let state: Mutex<State>

  /// - Parameter publishTime: how long messages are published at most; `nil`: until each has a fate.
  init(_ options: KafkaOptions, bounds: Bounds = Bounds(), publishTime: Duration? = nil) {
    self.options = options
    self.bounds = bounds
    self.publishTime = publishTime
    state = Mutex(State(tails: KnownTails(most: bounds.ids)))
  }

  private var answerTime: Duration { options.publishing.patience.answerTime }

  func stop() { isStopped.withLock { $0 = true } }

  func close() {
    state.withLock { $0 = State(tails: KnownTails(most: bounds.ids)) }
  }

  func rest() {
    state.withLock { $0.producer?.takeEvents(noting: &$0.problem) }
  }

  // MARK: What is there

  func prepare(
    _ messages: [OutgoingMessage], areDoubtful: Bool
  ) throws(PublishingFailure) -> FoundBefore {
    try state.withLock { (state) throws(PublishingFailure) in
      // What was wrong before may be over.
      state.problem = nil
      // Forgets here and not in `see`: publishing needs every topic of this batch.
      if state.topics.count >= bounds.topics { state.topics = [:] }
      do throws(KafkaProblem) {
        let producer = try open(&state)
        for topic in Set(messages.map { KafkaOptions.topic($0.subject) }) {
          try see(topic, producer, &state)
        }
        guard areDoubtful else {
          // What may be there is the first to be sent, so nobody asks any more.
          state.tails = KnownTails(most: bounds.ids)
          state.reader = nil
          return FoundBefore()
        }
        return try lookUp(messages, &state)
      } catch {
        state.producer?.takeEvents(noting: &state.problem)
        throw PublishingFailure(error.described(state.problem))
      }
    }
  }

  private func open(_ state: inout State) throws(KafkaProblem) -> KafkaHandle {
    if let producer = state.producer { return producer }
    let made = try KafkaHandle(RD_KAFKA_PRODUCER, .producer(options))
    state.producer = made
    return made
  }

  /// Makes sure that a topic is there.
  private func see(
    _ topic: String, _ producer: KafkaHandle, _ state: inout State
  ) throws(KafkaProblem) {
    let now = MonotonicTime.now
    if let known = state.topics[topic], now - known.at < Self.topicsLast { return }
    guard let found = try producer.look(at: topic, for: answerTime, noting: &state.problem) else {
      throw KafkaProblem(
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        "there is no topic \(topic): audispatch-kafka setup makes it, or says how")
    }
    state.topics[topic] = (found.partitions, now)
  }

  private func lookUp(
    _ messages: [OutgoingMessage], _ state: inout State
  ) throws(KafkaProblem) -> FoundBefore {
    let parts = Dictionary(grouping: messages) { part(of: $0, state) }
    var found = FoundBefore()
    for (part, messages) in parts.sorted(by: {
      ($0.key.topic, $0.key.partition) < ($1.key.topic, $1.key.partition)
    }) {
      let oldest = messages.reduce(.max) { min($0, $1.milliseconds) }
      var known = state.tails[part]
      do throws(KafkaProblem) {
        let tail = try tail(of: part, since: oldest, &state)
        if !tail.isWhole {
          found.notLookedUp = "others have stored more than \(bounds.tail) messages meanwhile"
        }
        known = tail
      } catch {
        guard error.isRefusal else { throw error }
        found.notLookedUp = error.description
      }
      // A partition's end may have far more than a batch asks for.
      if let known { found.ids.formUnion(messages.lazy.map(\.id).filter(known.ids.contains)) }
    }
    return found
  }

  /// Where a message goes, whose topic was seen.
  private func part(of message: OutgoingMessage, _ state: State) -> TopicPart {
    let topic = KafkaOptions.topic(message.subject)
    guard let partitions = state.topics[topic]?.partitions else {
      preconditionFailure("a message's topic was not looked at")
    }
    return TopicPart(
      topic: topic, partition: KafkaHandle.partition(of: message.node, among: partitions))
  }

  /// The ids of a partition's last messages.
  private func tail(
    of part: TopicPart, since time: UInt64, _ state: inout State
  ) throws(KafkaProblem) -> KnownTails.Tail {
    if let known = state.tails[part], known.since <= time { return known }
    let reader: KafkaHandle
    if let open = state.reader {
      reader = open
    } else {
      // What was on its way to a broker when the process before this one died is there by then.
      Pause.nanoseconds(Self.settlingNanoseconds)
      reader = try KafkaHandle(RD_KAFKA_CONSUMER, .consumer(options))
      state.reader = reader
    }
    let ends = try reader.ends(
      of: part.topic, partition: part.partition, within: options.answerMilliseconds)
    let since = try reader.offset(
      of: part.topic, partition: part.partition,
      since: Int64(clamping: time - min(time, TailPlan.margin)), within: options.answerMilliseconds)
    let plan = TailPlan(ends, since: since, mostRead: bounds.tail)
    var ids: Set<[UInt8]> = []
    let isStopped = { self.isStopped.withLock { $0 } }
    try reader.readIds(
      of: part.topic, partition: part.partition, from: plan.range.lowerBound,
      before: plan.range.upperBound + bounds.tail,
      answerTime: answerTime, goesOn: { !isStopped() }
    ) { ids.insert($0) }
    let tail = KnownTails.Tail(ids: ids, since: time, isWhole: !plan.isCut)
    state.tails.keep(tail, of: part)
    return tail
  }

  // MARK: What is stored

  func publish(_ messages: [OutgoingMessage], says: (String) -> Void) -> PublishedMessages {
    state.withLock { state in
      guard let producer = state.producer else {
        return PublishedMessages(
          messages.map { _ in .unsent }, why: "there is no producer", isConnected: false)
      }
      var batch = SentBatch(
        count: messages.count, answerTime: answerTime, at: MonotonicTime.now)
      for (number, message) in messages.enumerated() where batch.goesOn {
        let part = part(of: message, state)
        do throws(KafkaProblem) {
          try producer.produce(message, to: part.topic, partition: part.partition, number: number)
          batch.sent(number)
        } catch { batch.notSent(number, error) }
      }
      let end = publishTime.map { MonotonicTime.now + $0 }
      var isPurged = false
      while batch.isUnderWay {
        let isOver = end.map { $0 <= MonotonicTime.now } ?? false
        if !isPurged, isOver || isStopped.withLock({ $0 }) {
          producer.purge()
          isPurged = true
        }
        let event = producer.nextEvent(within: 100)
        if let problem = event?.problem { state.problem = problem }
        if case .delivered(let all) = event {
          // What was purged says nothing of the brokers.
          if !isPurged { state.problem = nil }
          for delivery in all { batch.delivered(delivery, at: MonotonicTime.now) }
        }
        if let text = batch.trouble(state.problem, at: MonotonicTime.now) { says(text) }
      }
      return PublishedMessages(
        batch.fates, why: batch.reason(state.problem), isConnected: batch.isWhole)
    }
  }
}
