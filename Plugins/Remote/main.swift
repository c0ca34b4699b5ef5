import AudispatchPlugin
import Linux

PluginProgram(
  "audispatch-remote",
  """
  Sends audit records to auditd on another host, as audisp-remote does, and keeps what no
  server has acknowledged; its options are the keywords of audisp-remote.conf.
  """,
  options: RemoteOptions.self, otherwise: "/etc/audit/audisp-remote.conf"
).main { session in
  if OwnDispatcher.isWanted(session.options), let own = OwnDispatcher(session.options) {
    do {
      try own.become(arguments: Array(ProgramArguments.all.dropFirst()))
    } catch { session.log.write(.error, "\(error): what waits is kept in memory") }
  }
  var plugin = try RemotePlugin(session.options, session.log, session.confirmations)
  try session.run(records: &plugin)
}
