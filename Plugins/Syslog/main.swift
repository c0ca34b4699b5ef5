import AudispatchPlugin

PluginProgram(
  "audispatch-syslog",
  """
  Sends audit events to syslog: on this host, or to others over UDP, TCP, TLS or RELP.
  LEVEL and FACILITY as in syslog(3): LOG_INFO, LOG_LOCAL0.
  """,
  operands: "[LEVEL] [FACILITY] [interpret]", options: SyslogOptions.self
).main { session in
  if let path = LocalRecords.path(for: session.options) {
    var plugin = LocalRecords(session.options, path, session.log, session.confirmations)
    try session.run(records: &plugin)
  } else {
    var plugin = try SyslogPlugin(session.options, session.log, session.confirmations)
    if MessageWriter.takesRecords(session.options) {
      try session.run(records: &plugin)
    } else {
      try session.run(&plugin)
    }
  }
}
