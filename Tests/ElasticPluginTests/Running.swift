import PluginHarness

/// A plugin that stores in a stand-in; what waits is short, so that tests are.
///
/// - Parameter settings: lines as its file has them; `DIR` is the run's folder.
func elastic(
  _ server: StandInIndex, _ settings: [String] = [], first: Int? = 1, folder: String? = nil,
  environment: [String] = ["AUDISPATCH_PLUGIN=test"]
) throws -> PluginRun {
  let usual = [
    "server = \(server.url)", "node = host", "names = lines", "flush_interval = 0.05",
    "retry_time = 0.05", "retry_time_max = 0.2", "refused_file = DIR/refused",
  ]
  return try PluginRun(
    "audispatch-elastic", options(usual + settings), first: first, environment: environment,
    folder: folder)
}

extension StandInIndex {
  /// One with a data stream as the plugin expects it.
  static func ready(_ arguments: [String] = []) throws -> StandInIndex {
    let server = try StandInIndex(arguments)
    try server.ask(["stream": "logs-audispatch-default"])
    return server
  }
}
