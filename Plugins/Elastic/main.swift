import AudispatchPlugin
import Shipping

PluginProgram(
  "audispatch-elastic",
  """
  Stores audit events as documents in Elasticsearch, OpenSearch or Logsene. 'setup' makes what they
  are stored in, 'test' stores one document and reads it back.
  """,
  operands: "[setup | test]", options: ElasticOptions.self
).main { session in
  switch session.options.command {
  case .setUp: try SetUp(session.options).run()
  case .test: try TestDocument(session.options).run()
  case nil:
    var plugin = try LessVolume(
      ShippingPlugin<Indexer>(session.options, session.log, session.confirmations), session.options,
      session.confirmations, rules: \.volume)
    try session.run(&plugin)
  }
}
