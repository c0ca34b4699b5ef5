import CKafka
import Linux

extension KafkaHandle {
  /// Makes a topic. Waits.
  func make(
    _ name: String, _ wanted: WantedTopic, within milliseconds: Int32
  ) throws(KafkaProblem) {
    var why = [CChar](repeating: 0, count: 512)
    guard
      var topic = unsafe rd_kafka_NewTopic_new(
        name, Int32(wanted.partitions), Int32(wanted.replicas ?? -1), &why, why.count)
    else { throw KafkaProblem(RD_KAFKA_RESP_ERR__INVALID_ARG, Self.text(why)) }
    defer { unsafe rd_kafka_NewTopic_destroy(topic) }
    for (name, value) in wanted.configuration {
      try unsafe Self.check(rd_kafka_NewTopic_set_config(topic, name, value))
    }
    let settings = unsafe rd_kafka_AdminOptions_new(raw, RD_KAFKA_ADMIN_OP_CREATETOPICS)
    defer { unsafe rd_kafka_AdminOptions_destroy(settings) }
    try unsafe Self.check(
      rd_kafka_AdminOptions_set_request_timeout(settings, milliseconds, &why, why.count))
    let queue = unsafe rd_kafka_queue_new(raw)
    defer { unsafe rd_kafka_queue_destroy(queue) }
    unsafe withUnsafeMutablePointer(to: &topic) { one in
      unsafe one.withMemoryRebound(to: OpaquePointer?.self, capacity: 1) { topics in
        unsafe rd_kafka_CreateTopics(raw, topics, 1, settings, queue)
      }
    }
    // The request's own time ends it.
    guard let event = unsafe rd_kafka_queue_poll(queue, -1) else { return }
    defer { unsafe rd_kafka_event_destroy(event) }
    let code = unsafe rd_kafka_event_error(event)
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw unsafe KafkaProblem(
        code, rd_kafka_event_error_string(event).map { unsafe String(cString: $0) })
    }
    var count = 0
    let results = unsafe rd_kafka_CreateTopics_result_topics(
      rd_kafka_event_CreateTopics_result(event), &count)
    guard count == 1, let result = unsafe results?.pointee else { return }
    let error = unsafe rd_kafka_topic_result_error(result)
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw unsafe KafkaProblem(
        error, rd_kafka_topic_result_error_string(result).map { unsafe String(cString: $0) })
    }
  }
}
