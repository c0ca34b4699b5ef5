import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

/// A file of old events, that somebody has stored: nobody would send them again, and nobody is in a
/// hurry.
@Suite("audispatch-elastic by hand", .onThreads)
struct ByHandTests {
  private static func command(_ server: StandInIndex) -> [String] {
    let settings = [
      "server = \(server.url)", "node = host", "flush_interval = 0.05", "retry_time = 0.5",
      "retry_time_max = 0.5", "refused_file = none",
    ]
    return ["\(PluginRun.products)/audispatch-elastic", "--config", "/dev/null"] + options(settings)
  }

  private static func put(_ lines: [String], in folder: String) throws -> String {
    let path = "\(folder)/audit.log"
    try TestFolder.write(lines.map { $0 + "\n" }.joined(), to: path)
    return path
  }

  @Test func `waits for a server that is away, until all is stored`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let log = try Self.put(records(1...300), in: folder)
    let server = try StandInIndex.ready()
    // Each answer is waited for a quarter of a second at least: 4 s in all.
    try server.set(["status": 503, "status_times": 16])
    let run = try CommandRun(Self.command(server), input: log)
    #expect(run.end == .exit(0), "\(run.error)")
    #expect(try server.ids() == ids(1...300))
  }

  @Test func `ends when it is told to, and says what is not stored`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let log = try Self.put(records(1...20), in: folder)
    let server = try StandInIndex.ready()
    try server.set(["status": 503, "status_times": 1_000_000])
    let run = try CommandRun(
      ["/usr/bin/timeout", "--preserve-status", "4"] + Self.command(server), input: log)
    #expect(run.end == .exit(74), "\(run.error)")
    #expect(run.error.contains("ends before 20 documents were stored"), "\(run.error)")
  }
}
