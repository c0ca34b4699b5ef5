import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

/// Who it is for a server, and what it shows of what that says.
@Suite(
  "audispatch-nats and its server", .onThreads, .enabled(if: NatsServer.isHere, "\(NatsServer.why)")
)
struct AccessTests {
  @Test(arguments: [
    ("user: me, password: s3cret", ["user = me", "password_file = "]),
    ("token: s3cret", ["token_file = "]),
  ])
  func `is who its file says after a reload`(_ wanted: String, _ who: [String]) throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let secret = "\(folder)/secret"
    let server = try NatsServer("authorization { \(wanted) }")
    try TestFolder.write("s3cret\n", to: secret, mode: 0o400)
    let usual =
      ["server = \(server.url)", "node = host", "retry_time = 0.05", "refused_file = none"]
      + who.dropLast() + ["\(who.last ?? "")\(secret)"]
    let setup = try CommandRun(
      ["\(PluginRun.products)/audispatch-nats", "--config", "/dev/null"]
        + PluginHarness.options(usual) + ["setup"])
    #expect(setup.end == .exit(0), "\(setup.error)")
    try TestFolder.write("wrong\n", to: secret)
    let run = try PluginRun.reading(usual, "audispatch-nats")
    try run.send(records(1...5))
    #expect(run.await("uthorization", in: "err"), "\(run.messages)")
    #expect(run.confirmed == 0)
    try TestFolder.write("s3cret\n", to: secret)
    run.signal(SIGHUP)
    #expect(run.eventually { run.confirmed == 5 }, "\(run.messages)")
    #expect(run.await("messages are stored again", in: "err"), "\(run.messages)")
    // The other way round it is not let in either.
    try TestFolder.write("wrong\n", to: secret)
    run.signal(SIGHUP)
    try run.send(records(6...9))
    #expect(
      run.eventually { run.messages.components(separatedBy: "uthorization").count > 2 },
      "\(run.messages)")
    #expect(run.confirmed == 5)
  }

  @Test(arguments: ["setup", "test"])
  func `shows nothing of a server that a terminal would obey, and not much`(
    _ command: String
  ) throws {
    let server = try Loopback(stream: true, waiting: 8)
    let run = try PluginRun(
      "audispatch-nats",
      [
        "--config", "/dev/null", "--server", "nats://127.0.0.1:\(server.port)", "--refused-file",
        "none", command,
      ], environment: [])
    let connection = server.accept()
    connection.say(
      #"INFO {"server_id":"x","version":"2.9.10","headers":true,"max_payload":1048576}"# + "\r\n")
    _ = connection.hear(4096)
    connection.say("-ERR '\u{1b}[2Jwhy\u{202e} \(String(repeating: "x", count: 3000))'\r\n")
    #expect(run.end() == .exit(1))
    #expect(run.messages.contains(#"\x1B[2Jwhy\u{202E} x"#), "\(run.messages)")
    #expect(run.messages.utf8.count < 5000)
    #expect(isHarmless(run.messages) && run.lines("err").count == 1, "\(run.messages)")
  }
}
