import AudispatchPlugin
import Shipping

PluginProgram(
  "audispatch-elastic",
  """
  Stores audit events as documents in Elasticsearch, OpenSearch or Logsene. 'setup' makes what they
  are stored in, 'test' stores one document and reads it back. 'import' makes elastic.conf and audit
  rules of an auditbeat.yml: in FOLDER, or on standard output.
  """,
  operands: "[setup | test | import FILE [FOLDER]]", options: ElasticOptions.self
).main { session in
  switch session.options.command {
  case .setUp: try SetUp(session.options).run()
  case .test: try TestDocument(session.options).run()
  case .importing(let file, let folder): try AuditbeatImport(file, into: folder).run()
  case nil: try session.ship(by: Indexer.self, rules: \.volume, processes: \.processRequest)
  }
}
