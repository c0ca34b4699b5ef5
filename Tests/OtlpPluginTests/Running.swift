import Foundation
import Glibc
import PluginHarness

/// A plugin that sends to a stand-in; what waits is short, so that tests are.
///
/// - Parameter settings: lines as its file has them.
func otlp(
  _ server: StandInCollector, _ settings: [String] = [], first: Int? = 1,
  environment: [String] = ["AUDISPATCH_PLUGIN=test"]
) throws -> PluginRun {
  let usual = [
    "server = \(server.url)", "node = host", "names = lines", "flush_interval = 0.05",
    "retry_time = 0.05", "retry_time_max = 0.2",
  ]
  return try PluginRun(
    "audispatch-otlp", options(usual + settings), first: first, environment: environment)
}

/// opentelemetry-proto of PyPI, as `Scripts/install-dependencies test` puts it into the build folder.
enum OfficialDefinitions {
  static let why = "needs PyPI: opentelemetry-proto in .build/pypi"
  static let areHere = unsafe access(folder, R_OK) == 0

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../.build/pypi/opentelemetry/proto").path
}
