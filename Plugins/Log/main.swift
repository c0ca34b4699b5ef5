import AudispatchPlugin

PluginProgram(
  "audispatch-log",
  """
  Writes the audit records on its standard input into a log, as auditd does, and
  rotates it; its options are the keywords of auditd.conf.
  """,
  operands: "[FILE]", options: LogOptions.self
).main { session in
  var plugin = try LogPlugin(
    session.options, log: session.log, session.confirmations,
    waitsWhenStopped: PluginEnvironment.isPlugin)
  try session.run(records: &plugin)
}
