import Glibc
import Linux
import TestSupport
import Testing

/// A file of old events, that somebody has stored: nobody would send them again, and nobody is in a
/// hurry.
@Suite("audispatch-syslog by hand", .onThreads)
struct ByHandTests {
  private static func records(_ numbers: ClosedRange<Int>) -> [String] {
    numbers.map { "type=USER msg=audit(1700000000.000:\($0)): pid=1 n=end\($0)." }
  }

  private static func run(
    _ count: Int, _ arguments: [String], in folder: String
  ) throws -> PluginRun {
    let lines = records(1...count).map { $0 + "\n" }.joined()
    try TestFolder.write(lines, to: "\(folder)/audit.log")
    return try PluginRun(
      "audispatch-syslog", ["--config", "/dev/null"] + arguments, file: "DIR/audit.log",
      folder: folder)
  }

  /// Longer than a plugin has that somebody feeds.
  private static func waitLong() { Pause.nanoseconds(3_000_000_000) }

  /// Records as they are have a way of their own.
  @Test(arguments: [[], ["--body", "json"]])
  func `waits for a log that is away, until all is sent`(_ body: [String]) throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    let plugin = try Self.run(
      300, ["--server", "unix:\(folder)/log", "--retry-delay", "0.1"] + body, in: folder)
    Self.waitLong()
    let server = try UnixSocket.listen("\(folder)/log", mode: 0o600)
    try #require(Poll.wait(server.number, for: .read, milliseconds: 20_000), "\(plugin.messages)")
    guard let connection = UnixSocket.accept(server.number) else { throw Errno.current }
    var text = ""
    while Poll.wait(connection.number, for: .read, milliseconds: 20_000) {
      let bytes = connection.hear(64 << 10)
      if bytes.isEmpty { break }
      text += String(decoding: bytes, as: UTF8.self)
    }
    #expect(plugin.end() == .exit(0), "\(plugin.messages)")
    #expect((1...300).filter { !text.contains("end\($0).") } == [])
  }

  @Test func `waits for a server that is slow, until it has all`() throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    let server = try Loopback(stream: true)
    let plugin = try Self.run(
      20, ["--server", "relp://127.0.0.1:\(server.port)", "--timeout", "30"], in: folder)
    Self.waitLong()
    let connection = server.accept()
    let offers = "200 OK\nrelp_version=0\nrelp_software=librelp\ncommands=syslog"
    connection.say("1 rsp \(offers.utf8.count) \(offers)\n")
    var text = ""
    while !text.contains("21 syslog") || !text.contains("end20."),
      Poll.wait(connection.number, for: .read, milliseconds: 20_000)
    {
      let bytes = connection.hear(64 << 10)
      if bytes.isEmpty { break }
      text += String(decoding: bytes, as: UTF8.self)
    }
    Self.waitLong()
    for number in 2...21 { connection.say("\(number) rsp 6 200 OK\n") }
    #expect(plugin.end() == .exit(0), "\(plugin.messages)")
    #expect((1...20).filter { !text.contains("end\($0).") } == [])
  }

  @Test(arguments: [[], ["--body", "json"]])
  func `ends when it is told to, and says what is not sent`(_ body: [String]) throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    let plugin = try Self.run(20, ["--server", "unix:\(folder)/log"] + body, in: folder)
    Self.waitLong()
    plugin.signal(SIGTERM)
    #expect(plugin.end() == .exit(74), "\(plugin.messages)")
    let said = plugin.messages
    #expect(
      said.contains("did not take the last 20 records")
        || said.contains("ends before 20 messages were taken"), "\(said)")
  }
}
