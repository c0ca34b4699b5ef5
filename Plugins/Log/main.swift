import AudispatchPlugin

PluginProgram(
  "audispatch-log",
  """
  Writes the audit records on its standard input into a log, as auditd does, and
  rotates it; its options are the keywords of auditd.conf.
  """,
  operands: "[FILE]", options: LogOptions.self
).main { session in
  // auditd alone must not be made to wait: what audispatchd keeps, a file and a pipe stay.
  var plugin = try LogPlugin(
    session.options, log: session.log, session.confirmations,
    waitsWhenStopped: !Overflow.ofThisProcess().drops)
  try session.run(records: &plugin)
}
