import Glibc
import Linux
import TestSupport
import Testing

/// A file of old records, that somebody has stored: nobody would send them again, and nobody is in a
/// hurry.
@Suite("audispatch-remote by hand", .onThreads)
struct ByHandTests {
  private static func run(_ server: ScriptedServer, in folder: String) throws -> PluginRun {
    try TestFolder.write(server.configuration(), to: "\(folder)/remote.conf")
    let lines = records(1...50).map { $0 + "\n" }.joined()
    try TestFolder.write(lines, to: "\(folder)/audit.log")
    return try PluginRun(
      "audispatch-remote", ["--config", "DIR/remote.conf"], file: "DIR/audit.log", folder: folder)
  }

  @Test func `waits for a server that is slow, until it has all`() throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    let server = try ScriptedServer()
    let plugin = try Self.run(server, in: folder)
    Pause.nanoseconds(3_000_000_000)
    #expect(server.accept())
    #expect(server.store(50) == records(1...50).map { $0 + "\n" })
    #expect(plugin.end() == .exit(0), "\(plugin.messages)")
  }

  @Test func `ends when it is told to, and says what is not stored`() throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    let server = try ScriptedServer()
    let plugin = try Self.run(server, in: folder)
    Pause.nanoseconds(3_000_000_000)
    plugin.signal(SIGTERM)
    #expect(plugin.end() == .exit(74), "\(plugin.messages)")
    #expect(plugin.messages.contains("ends before 50 records were stored by a server"))
  }
}
