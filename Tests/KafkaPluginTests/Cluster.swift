import PluginHarness

/// A plugin that stores in it; what waits is short, so that tests are.
///
/// - Parameter settings: lines as its file has them; `DIR` is the run's folder.
func kafka(
  _ cluster: StandInCluster, _ settings: [String] = [], first: Int? = 1
) throws -> PluginRun {
  let usual = [
    "server = \(cluster.address)", "node = host", "names = lines", "flush_interval = 0.02",
    "retry_time = 0.05", "retry_time_max = 0.2", "refused_file = DIR/refused",
  ]
  return try PluginRun(
    "audispatch-kafka", PluginHarness.options(usual + settings), first: first)
}

/// A command of the plugin.
func command(_ cluster: StandInCluster, _ arguments: [String]) throws -> CommandRun {
  try CommandRun(
    [
      "\(PluginRun.products)/audispatch-kafka", "--server", cluster.address, "--refused-file",
      "none", "--node", "host",
    ] + arguments)
}
