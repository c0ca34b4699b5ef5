import AudispatchPlugin
import CKafka
import Linux
import Shipping
import Synchronization

/// Stores messages in topics of Kafka, and reads which are there already.
final class KafkaClient: PublishingClient {
  /// A part of a topic.
  private struct Place: Hashable, Sendable {
    let topic: String
    let partition: Int32
  }

  private struct State: Sendable {
    var producer: KafkaHandle?
    var reader: KafkaHandle?
    /// How many partitions topics have, and since when that is known.
    var topics: [String: (partitions: Int, at: Duration)] = [:]
    /// Ids that were read, those of events of that time and later ones.
    var known: [Place: (ids: Set<[UInt8]>, since: UInt64)] = [:]
    /// What was said last that is wrong.
    var problem: String?
  }

  /// Of topics and of ids so much is remembered.
  private static let mostTopics = 1000
  private static let mostKnown = 10 * mostDoubtful
  private static let topicsLast = Duration.seconds(300)
  private static let firstWait: Int32 = 1000
  private static let settlingNanoseconds: Int64 = 300_000_000

  private let options: KafkaOptions
  private let answerTime: Duration
  private let isStopped = Mutex(false)
  /// Only the thread looks at it.
  private let state = Mutex(State())

  init(_ options: KafkaOptions) {
    self.options = options
    answerTime = options.publishing.patience.answerTime
  }

  func stop() { isStopped.withLock { $0 = true } }

  func close() {
    state.withLock { $0 = State() }
  }

  func rest() {
    state.withLock { state in
      if let producer = state.producer { Self.note(producer, &state) }
    }
  }

  private static func note(_ producer: KafkaHandle, _ state: inout State) {
    while let event = producer.nextEvent(within: 0) { note(event, &state) }
  }

  private static func note(_ event: KafkaEvent, _ state: inout State) {
    guard case .problem(let problem) = event, !problem.isConsequence else { return }
    // How long it was connected before differs each time.
    state.problem = String(
      problem.description.prefix(
        upTo: problem.description.firstRange(
          of: " (after ")?.lowerBound ?? problem.description.endIndex))
  }

  /// A topic's name has 249 bytes at most.
  static func topic(of message: OutgoingMessage) -> String {
    String(decoding: message.subject.utf8.prefix(249), as: UTF8.self)
  }

  // MARK: What is there

  func prepare(
    _ messages: [OutgoingMessage], areDoubtful: Bool
  ) throws(PublishingFailure) -> FoundBefore {
    try state.withLock { (state) throws(PublishingFailure) in
      do throws(KafkaProblem) {
        let producer = try open(&state)
        for topic in Set(messages.map(Self.topic)) { try see(topic, producer, &state) }
        guard areDoubtful else {
          // What may be there is the first to be sent, so nobody asks any more.
          state.known = [:]
          state.reader = nil
          return FoundBefore()
        }
        return try lookUp(messages, &state)
      } catch {
        if let producer = state.producer { Self.note(producer, &state) }
        // A broker's name and what the system said of it tell more than that nobody answered.
        throw PublishingFailure(
          error.code < 0 ? state.problem ?? error.description : error.description)
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
    guard let found = try look(at: topic, producer, &state) else {
      throw KafkaProblem(
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        "there is no topic \(topic): audispatch-kafka setup makes it, or says how")
    }
    if state.topics.count >= Self.mostTopics { state.topics = [:] }
    state.topics[topic] = (found.partitions, now)
  }

  /// Asks for a topic, and gives up before the time for an answer is over where it turns out that no
  /// broker can be reached.
  private func look(
    at topic: String, _ producer: KafkaHandle, _ state: inout State
  ) throws(KafkaProblem) -> TopicState? {
    let end = MonotonicTime.now + answerTime
    var wait = Self.firstWait
    while true {
      let left = Int32(clamping: Int((end - MonotonicTime.now) / .milliseconds(1)))
      do throws(KafkaProblem) {
        return try producer.look(at: topic, within: max(1, min(wait, left)))
      } catch {
        Self.note(producer, &state)
        guard error.code < 0, state.problem == nil, left > wait else { throw error }
      }
      wait *= 2
    }
  }

  private func lookUp(
    _ messages: [OutgoingMessage], _ state: inout State
  ) throws(KafkaProblem) -> FoundBefore {
    var oldest: [Place: UInt64] = [:]
    for message in messages {
      guard let place = place(of: message, state) else { continue }
      oldest[place] = min(oldest[place] ?? .max, message.milliseconds)
    }
    var found = FoundBefore()
    for (place, time) in oldest.sorted(by: {
      ($0.key.topic, $0.key.partition) < ($1.key.topic, $1.key.partition)
    }) {
      do throws(KafkaProblem) {
        let isWhole = try read(place, since: time, &state)
        if !isWhole {
          found.notLookedUp = "others have stored more than \(TailPlan.mostRead) messages meanwhile"
        }
      } catch {
        guard error.isRefusal else { throw error }
        found.notLookedUp = error.description
      }
      found.ids.formUnion(state.known[place]?.ids ?? [])
    }
    return found
  }

  private func place(of message: OutgoingMessage, _ state: State) -> Place? {
    let topic = Self.topic(of: message)
    return state.topics[topic].map {
      Place(
        topic: topic,
        partition: KafkaHandle.partition(of: message.node, among: $0.partitions))
    }
  }

  /// Reads the ids of a partition's last messages; whether those are all that may be meant.
  private func read(
    _ place: Place, since time: UInt64, _ state: inout State
  ) throws(KafkaProblem) -> Bool {
    if let known = state.known[place], known.since <= time { return true }
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
      of: place.topic, partition: place.partition, within: options.answerMilliseconds)
    let since = try reader.offset(
      of: place.topic, partition: place.partition,
      since: Int64(clamping: time - min(time, TailPlan.margin)), within: options.answerMilliseconds)
    let plan = TailPlan(ends, since: since)
    var ids: Set<[UInt8]> = []
    let isStopped = { self.isStopped.withLock { $0 } }
    try reader.readIds(
      of: place.topic, partition: place.partition, from: plan.range.lowerBound,
      before: plan.range.upperBound + TailPlan.mostRead,
      answerTime: answerTime, goesOn: { !isStopped() }
    ) { ids.insert($0) }
    state.known[place] = nil
    let kept = state.known.values.reduce(0) { $0 + $1.ids.count }
    if kept + ids.count > Self.mostKnown { state.known = [:] }
    state.known[place] = (ids, time)
    return !plan.isCut
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
        guard let place = place(of: message, state) else { break }
        do throws(KafkaProblem) {
          try producer.produce(
            message, to: place.topic, partition: place.partition, number: number)
          batch.sent(number)
        } catch { batch.notSent(number, error) }
      }
      var isPurged = false
      while batch.isUnderWay {
        if !isPurged, isStopped.withLock({ $0 }) {
          producer.purge()
          isPurged = true
        }
        let event = producer.nextEvent(within: 100)
        if let event { Self.note(event, &state) }
        if case .delivered(let all) = event {
          state.problem = nil
          for delivery in all { batch.delivered(delivery, at: MonotonicTime.now) }
        }
        if let text = batch.trouble(state.problem, at: MonotonicTime.now) { says(text) }
      }
      return PublishedMessages(
        batch.fates, why: batch.why ?? "it was ended", isConnected: batch.isWhole)
    }
  }
}
