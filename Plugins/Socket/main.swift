import AudispatchPlugin

PluginProgram(
  "audispatch-socket",
  """
  Gives the audit records on its standard input to every program that connects to a
  socket, as auditd's builtin_af_unix and audisp-af_unix do.
  """,
  operands: "[MODE] [PATH] [string|binary] [DEPTH]", options: SocketOptions.self
).main { session in
  var plugin = try SocketPlugin(
    session.options, log: session.log, name: PluginEnvironment.name ?? "audispatch-socket")
  try session.run(records: &plugin)
}
