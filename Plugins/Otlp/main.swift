import AudispatchPlugin
import Shipping

PluginProgram(
  "audispatch-otlp",
  """
  Sends audit events as log records to an OpenTelemetry collector (OTLP over HTTP). 'test' sends one
  record.
  """,
  operands: "[test]", options: OtlpOptions.self
).main { session in
  switch session.options.command {
  case .test: try TestRecord(options: session.options).run()
  case nil: try session.ship(by: Exporter.self, rules: \.volume, processes: \.processRequest)
  }
}
