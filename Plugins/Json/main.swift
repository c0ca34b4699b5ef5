import AudispatchPlugin
import Glibc

PluginProgram(
  "audispatch-json",
  """
  Writes audit events as JSON documents, one a line: to a file that it rotates, to a socket, to a
  program, or to its standard output.
  """,
  options: JSONOptions.self
).main { session in
  // audispatchd keeps what a plugin does not take, for that plugin alone; auditd does not.
  let isOurs = unsafe getenv("AUDISPATCH_PLUGIN") != nil
  let json = try JSONPlugin(
    session.options, session.log, session.confirmations, waitsWhenFull: isOurs)
  var plugin = try LessVolume(json, session.options, session.confirmations, rules: \.volume)
  try session.run(&plugin)
}
