import Foundation
import Glibc
import Testing

/// What is said of a folder for queues that the daemon may not write.
@Suite(
  "A spool that cannot be written", .inTurn,
  .enabled(if: Host.has("/usr/bin/setpriv"), "needs root and setpriv"))
struct SpoolRefusalTests {
  /// Root as a unit may leave it: with no capability.
  private static let powerless = ["/usr/bin/setpriv", "--bounding-set=-all", "--inh-caps=-all"]
  private static let plugin = PluginFile("p", "/bin/cat", [], "overflow_action = lossless")

  private func spool(in scratch: Scratch) throws -> String {
    let folder = try scratch.folder("spool")
    try #require(unsafe chown(folder, 65534, 65534) == 0 && chmod(folder, 0o700) == 0)
    return folder
  }

  private func reason(_ folder: String) -> String {
    "\(folder) belongs to uid 65534 and gid 65534 with mode 0700, "
      + "and this is root without CAP_DAC_OVERRIDE"
  }

  @Test func `is named with what keeps the daemon out, and records go on from memory`()
    async throws
  {
    let scratch = try Scratch()
    let folder = try spool(in: scratch)
    let daemon = try await Audispatchd(
      [Self.plugin], settings: ["spool_dir = \(folder)"], scratch: scratch, prefix: Self.powerless)
    try await eventually("the reason", detail: { daemon.messages }) {
      daemon.messages.contains(
        "\(reason(folder)): durable plugins have their memory only")
    }
    try await daemon.send([TestEvent(1)])
    try await eventually("it is delivered") { try daemon.plugin("p").delivered > 0 }
    try await daemon.finish()
  }

  @Test func `is an error of a check`() async throws {
    let scratch = try Scratch()
    let folder = try spool(in: scratch)
    let files = try DispatcherFiles(scratch, [Self.plugin], settings: ["spool_dir = \(folder)"])
    let command =
      Self.powerless.dropFirst() + [
        Programs.product("audispatchd"), "--check", "--config", files.configuration,
        "--plugin-dir", files.pluginFolder,
      ]
    let outcome = try await run(Self.powerless[0], Array(command))
    #expect(outcome.end == .exited(6))
    #expect(
      outcome.output.contains(
        "\(folder): error: cannot open \(folder)/lock: Permission denied: the queue of plugin p "
          + "would be in memory only")
        || outcome.output.contains(
          "\(folder): error: cannot open \(folder): Permission denied: the queue of plugin p "
            + "would be in memory only"),
      "\(outcome.output)")
    #expect(outcome.output.contains(reason(folder)), "\(outcome.output)")
  }
}
