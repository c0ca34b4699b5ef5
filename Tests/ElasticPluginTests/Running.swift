import Foundation
import Glibc
import Linux
import PluginHarness

/// A record of its own event.
func record(_ serial: Int, _ more: String = "") -> String {
  "type=USER msg=audit(1700000000.000:\(serial)): pid=1 n=\(serial)\(more)"
}

func records(_ serials: ClosedRange<Int>, _ more: String = "") -> [String] {
  serials.map { record($0, more) }
}

/// The ids that documents of those records have.
func ids(_ serials: ClosedRange<Int>) -> [String] {
  serials.map { "host:1700000000.000:\($0)" }.sorted()
}

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
  let arguments = (usual + settings).map { line in
    let parts = line.split(separator: "=", maxSplits: 1).map {
      String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    return "--\(parts[0].replacing("_", with: "-"))=\(parts[1])"
  }
  return try PluginRun(
    "audispatch-elastic", arguments, first: first, environment: environment, folder: folder)
}

extension StandInIndex {
  /// One with a data stream as the plugin expects it.
  static func ready(_ arguments: [String] = []) throws -> StandInIndex {
    let server = try StandInIndex(arguments)
    try server.ask(["stream": "logs-audispatch-default"])
    return server
  }
}

/// The counters that a plugin logs at its end.
func figure(_ name: String, in messages: String) -> Int? {
  messages.matches(of: #/([a-z_]+)[ =](\d+)/#).last { $0.1 == name }.flatMap { Int($0.2) }
}
