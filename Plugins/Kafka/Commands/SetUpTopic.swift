import AudispatchPlugin
import CKafka
import Configuration
import EventDocument
import Glibc
import Linux
import Shipping

/// `setup`: makes the topic, or says what the one that is there is.
struct SetUpTopic {
  let options: KafkaOptions

  func run() throws {
    guard options.subject.isOfNode else {
      throw CommandFailure(
        description: "the topics of \(options.subject.text) are made of what events have. Let the "
          + "brokers make them (auto.create.topics.enable), or make each:",
        advice: options.wanted.command("TOPIC", servers: options.serverList))
    }
    let host = options.publishing.document.options.host
    let topic = KafkaOptions.topic(
      options.subject.subject(SubjectTemplate.Values(node: Array(host.utf8))))
    var noted: String?
    do {
      // It only asks: a producer would have the brokers make the topic as they like.
      let handle = try KafkaHandle(RD_KAFKA_CONSUMER, KafkaSettings(reading: options))
      let answerTime = options.publishing.patience.answerTime
      if let found = try handle.look(at: topic, for: answerTime, noting: &noted) {
        try Spoken.line(
          "the topic \(topic) is there, with \(found.partitions) partitions, and stays as it is")
        let given = options.places["partitions"] == nil ? [] : ["partitions"]
        for note in options.wanted.notes(found, given: Set(given)) { try Spoken.line(note) }
        return
      }
      try handle.make(topic, options.wanted, within: options.answerMilliseconds)
      try Spoken.line("the topic \(topic) is made, with \(options.wanted.partitions) partitions")
    } catch let problem as KafkaProblem {
      throw CommandFailure(
        description: "the topic \(topic) is not set up: "
          + "\(printable(problem.described(noted), limit: 1000)). Whoever may can make it:",
        advice: options.wanted.command(topic, servers: options.serverList))
    }
  }
}
