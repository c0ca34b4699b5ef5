import AudispatchPlugin

PluginProgram(
  "audispatch-json",
  """
  Writes audit events as JSON documents, one a line: to a file that it rotates, to a socket, to a
  program, or to its standard output.
  """,
  options: JSONOptions.self
).main { session in
  let json = try JSONPlugin(session.options, session.log, session.confirmations)
  var plugin = try LessVolume(json, session.options, session.confirmations, rules: \.volume)
  try session.run(&plugin)
}
