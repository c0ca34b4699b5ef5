import AudispatchPlugin
import CKafka
import Linux

/// What a topic is.
struct TopicState: Equatable, Sendable {
  var partitions: Int
  var replicas: Int
}

/// A partition's first message, and the one that will come next.
struct PartitionEnds: Equatable, Sendable {
  var first: Int64
  var next: Int64
}

/// What is asked of the brokers. Every call waits.
extension KafkaHandle {
  /// A topic by name, for as long as `body`.
  func withTopic<Value>(
    _ name: String, _ body: (OpaquePointer) throws(KafkaProblem) -> Value
  ) throws(KafkaProblem) -> Value {
    guard let topic = unsafe rd_kafka_topic_new(raw, name, nil) else {
      throw KafkaProblem(rd_kafka_last_error())
    }
    defer { unsafe rd_kafka_topic_destroy(topic) }
    return try unsafe body(topic)
  }

  private static let firstWait: Int32 = 1000

  /// What a topic is; `nil` when there is none, or not yet. Gives up before that time is over where it
  /// turns out that no broker can be reached.
  ///
  /// - Parameter problem: what was said last that is wrong.
  func look(
    at name: String, for time: Duration, noting problem: inout String?
  ) throws(KafkaProblem) -> TopicState? {
    let end = MonotonicTime.now + time
    var wait = Self.firstWait
    while true {
      let left = Int32(clamping: Int((end - MonotonicTime.now) / .milliseconds(1)))
      do throws(KafkaProblem) {
        return try look(at: name, within: max(1, min(wait, left)))
      } catch {
        takeEvents(noting: &problem)
        guard error.code < 0, problem == nil, left > wait else { throw error }
      }
      wait *= 2
    }
  }

  /// What a topic is, by one answer.
  private func look(at name: String, within milliseconds: Int32) throws(KafkaProblem) -> TopicState?
  {
    try unsafe withTopic(name) { (topic) throws(KafkaProblem) in
      var found: UnsafePointer<rd_kafka_metadata>?
      try unsafe Self.check(rd_kafka_metadata(raw, 0, topic, &found, milliseconds))
      guard let found = unsafe found else { return nil }
      defer { unsafe rd_kafka_metadata_destroy(found) }
      guard unsafe found.pointee.topic_cnt > 0, let state = unsafe found.pointee.topics?.pointee
      else { return nil }
      let absent = [
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
      ]
      if unsafe absent.contains(state.err) { return nil }
      try unsafe Self.check(state.err)
      guard unsafe state.partition_cnt > 0, let partition = unsafe state.partitions?.pointee
      else { return nil }
      return unsafe TopicState(
        partitions: Int(state.partition_cnt), replicas: Int(partition.replica_cnt))
    }
  }

  /// Which partition has the messages of a node: the same that other clients of Kafka choose.
  static func partition(of node: [UInt8], among count: Int) -> Int32 {
    unsafe node.withUnsafeBytes { node in
      unsafe rd_kafka_msg_partitioner_murmur2(
        nil, node.baseAddress, node.count, Int32(clamping: count), nil, nil)
    }
  }

  func ends(
    of topic: String, partition: Int32, within milliseconds: Int32
  ) throws(KafkaProblem) -> PartitionEnds {
    var (first, next): (Int64, Int64) = (0, 0)
    try unsafe Self.check(
      rd_kafka_query_watermark_offsets(raw, topic, partition, &first, &next, milliseconds))
    return PartitionEnds(first: first, next: next)
  }

  /// The first message of that time or a later one, in milliseconds since 1970; `nil` when there is
  /// none.
  func offset(
    of topic: String, partition: Int32, since time: Int64, within milliseconds: Int32
  ) throws(KafkaProblem) -> Int64? {
    let list = unsafe rd_kafka_topic_partition_list_new(1)!
    defer { unsafe rd_kafka_topic_partition_list_destroy(list) }
    let place = unsafe rd_kafka_topic_partition_list_add(list, topic, partition)!
    unsafe place.pointee.offset = time
    try unsafe Self.check(rd_kafka_offsets_for_times(raw, list, milliseconds))
    try unsafe Self.check(place.pointee.err)
    let offset = unsafe place.pointee.offset
    return offset < 0 ? nil : offset
  }

  /// Gives the ids of a partition's messages to `take`, from one on to the last: that is where a
  /// broker has no more, which can be behind the end that it named before.
  ///
  /// - Parameters:
  ///   - end: no more is read from there on, where others store as fast as is read.
  ///   - goesOn: is asked now and then.
  func readIds(
    of topic: String, partition: Int32, from start: Int64, before end: Int64, answerTime: Duration,
    goesOn: () -> Bool, take: ([UInt8]) -> Void
  ) throws(KafkaProblem) {
    try unsafe withTopic(topic) { (topic) throws(KafkaProblem) in
      guard unsafe rd_kafka_consume_start(topic, partition, start) == 0 else {
        throw KafkaProblem(rd_kafka_last_error())
      }
      defer { unsafe rd_kafka_consume_stop(topic, partition) }
      var last = MonotonicTime.now
      while goesOn() {
        unsafe rd_kafka_poll(raw, 0)
        guard let message = unsafe rd_kafka_consume(topic, partition, 100) else {
          if MonotonicTime.now - last < answerTime { continue }
          throw KafkaProblem(RD_KAFKA_RESP_ERR__TIMED_OUT)
        }
        defer { unsafe rd_kafka_message_destroy(message) }
        last = MonotonicTime.now
        let code = unsafe message.pointee.err
        if code == RD_KAFKA_RESP_ERR__PARTITION_EOF { return }
        try Self.check(code)
        if let id = unsafe Self.id(of: message) { take(id) }
        if unsafe message.pointee.offset + 1 >= end { return }
      }
    }
  }

  private static func id(of message: UnsafeMutablePointer<rd_kafka_message_t>) -> [UInt8]? {
    var headers: OpaquePointer?
    guard unsafe rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR
    else { return nil }
    var value: UnsafeRawPointer?
    var size = 0
    guard
      unsafe rd_kafka_header_get_last(headers, idHeader, &value, &size)
        == RD_KAFKA_RESP_ERR_NO_ERROR
    else { return nil }
    return unsafe Array(UnsafeRawBufferPointer(start: value, count: size))
  }
}
