import AudispatchPlugin
import Shipping

PluginProgram(
  "audispatch-kafka",
  """
  Stores audit events as messages in topics of Kafka. 'setup' makes the topic, 'test' stores one
  message and reads it back.
  """,
  operands: "[setup | test]", options: KafkaOptions.self
).main { session in
  switch session.options.command {
  case .setUp: try SetUpTopic(options: session.options).run()
  case .test: try TestMessage(options: session.options).run()
  case nil:
    try session.ship(
      by: MessagePublisher<KafkaOptions>.self, rules: \.publishing.volume,
      processes: \.publishing.processRequest)
  }
}
