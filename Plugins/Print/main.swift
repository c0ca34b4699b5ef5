import AudispatchPlugin

PluginProgram(
  "audispatch-print",
  """
  Prints one line for each audit event on its standard input, on standard output
  or behind what is in FILE.
  """,
  operands: "[FILE]", options: PrintOptions.self
).main { session in
  var plugin = try PrintPlugin(session.options, log: session.log, session.confirmations)
  if session.options.raw {
    try session.run(records: &plugin)
  } else {
    try session.run(&plugin)
  }
}
