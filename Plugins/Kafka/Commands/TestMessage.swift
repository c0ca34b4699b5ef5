import AudispatchPlugin
import CKafka
import Shipping

/// `test`: stores one message and reads it back.
struct TestMessage {
  let options: KafkaOptions

  func run() throws {
    let message = options.testMessage(by: "audispatch-kafka")
    let topic = KafkaOptions.topic(message.subject)
    // A command gives up after answer_time and says why; the plugin would wait for ever.
    let client = KafkaClient(options, publishTime: options.publishing.patience.answerTime)
    defer { client.close() }
    do {
      _ = try client.prepare([message], areDoubtful: false)
    } catch { throw CommandFailure(description: "cannot store in \(topic): \(error)") }
    let published = client.publish([message]) { text in
      try? Spoken.line(text)
    }
    switch published.fates[0] {
    case .stored: try Spoken.line("stored in \(topic)")
    case .refused(let reason), .refusedTogether(let reason):
      throw CommandFailure(description: "\(topic) does not take it: \(reason)")
    case .unknown:
      throw CommandFailure(
        description: "it is not known whether \(topic) has stored it: \(published.why)")
    default: throw CommandFailure(description: "\(topic) does not store it: \(published.why)")
    }
    do {
      let found = try client.prepare([message], areDoubtful: true)
      guard found.ids.contains(message.id) else {
        throw PublishingFailure(found.notLookedUp ?? "it is not there")
      }
    } catch { throw CommandFailure(description: "cannot read the message back: \(error)") }
    try Spoken.line("read back: \(String(decoding: message.id, as: UTF8.self))")
  }
}
