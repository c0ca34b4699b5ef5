import AudispatchPlugin
import Glibc

PluginProgram(
  "audispatch-log",
  """
  Writes the audit records on its standard input into a log, as auditd does, and
  rotates it; its options are the keywords of auditd.conf.
  """,
  operands: "[FILE]", options: LogOptions.self
).main { session in
  // audispatchd keeps what a plugin does not take, for that plugin alone; auditd does not.
  let isOurs = unsafe getenv("AUDISPATCH_PLUGIN") != nil
  var plugin = try LogPlugin(
    session.options, log: session.log, session.confirmations, waitsWhenStopped: isOurs)
  try session.run(records: &plugin)
}
