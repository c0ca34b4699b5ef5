import AudispatchPlugin
import Shipping

PluginProgram(
  "audispatch-nats",
  """
  Stores audit events as messages in a stream of NATS (JetStream). 'setup' makes the stream, 'test'
  stores one message and reads it back.
  """,
  operands: "[setup | test]", options: NatsOptions.self
).main { session in
  switch session.options.command {
  case .setUp: try SetUpStream(options: session.options).run()
  case .test: try TestMessage(options: session.options).run()
  case nil:
    try session.ship(
      by: MessagePublisher<NatsOptions>.self, rules: \.publishing.volume,
      processes: \.publishing.processRequest)
  }
}
