/// Reads any bytes as `audispatchd.conf` and as a file of `plugins.d`, without touching the host.
/// This is what a fuzzer calls.
public func examineConfiguration(_ bytes: [UInt8]) -> [Diagnostic] {
  let daemon = DaemonFile(bytes, file: "audispatchd.conf")
  let plugin = PluginFile(
    bytes, file: "plugins.d/any.conf", name: "any", defaults: daemon.configuration.pluginDefaults)
  return daemon.diagnostics + plugin.diagnostics
}
