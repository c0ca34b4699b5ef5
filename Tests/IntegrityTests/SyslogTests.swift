import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

@Suite("Integrity events to syslog", .onThreads)
struct SyslogTests {
  private func watched(_ more: String) throws -> Watched {
    let watched = try Watched("watch = TREE content severity=high\n" + more)
    try watched.shell("echo old > f; echo old > g")
    _ = try watched.run("init")
    return watched
  }

  /// A message without its time, host and process.
  private func split(_ message: [UInt8]) -> (priority: String, words: [String], body: String) {
    let text = String(decoding: message, as: UTF8.self)
    let parts = text.split(separator: " ", maxSplits: 7).map(String.init)
    guard parts.count == 8 else { return (text, [], "") }
    return (parts[0], [parts[3], parts[5], parts[6]], parts[7])
  }

  @Test func `are one line each, by how grave they are`() throws {
    let server = try Loopback(stream: false)
    let watched = try watched("syslog_server = udp://127.0.0.1:\(server.port)")
    let run = try start(watched)
    try watched.shell("echo new > ../n; mv ../n f; echo new > ../n; mv ../n 'with blank'")
    let messages = [split(server.receive()), split(server.receive())].sorted { $0.body < $1.body }
    // authpriv, as an error.
    #expect(messages.map(\.priority) == ["<83>1", "<83>1"])
    #expect(messages[0].words == ["audispatch-integrity", "file-added", "-"])
    let name = FileState.hex(Array((watched.tree + "/with blank").utf8)).uppercased()
    #expect(messages[0].body.hasPrefix("op=file-added name=\(name) inode="), "\(messages)")
    #expect(messages[0].body.contains(" severity=high attribution=none "), "\(messages)")
    end(run)
    #expect(run.messages.contains(" syslog_sent=2 syslog_waiting=0 syslog_dropped=0"))
  }

  @Test func `say who it was, however long a name is`() throws {
    let server = try Loopback(stream: false)
    let watched = try watched("syslog_server = udp://127.0.0.1:\(server.port)")
    let run = try start(watched)
    // Each byte of it is two in a record.
    let part = "$(printf 'a\\n%.0s' $(seq 100))x"
    try watched.shell("p=\"\(part)\"; mkdir -p \"../n/$p/$p/$p/$p/$p/$p\"; mv ../n n")
    var longest = 0
    for _ in 0..<7 {
      let message = server.receive()
      longest = max(longest, message.count)
      let body = split(message).body
      #expect(body.contains(" attribution=none witness=silent"), "\(body)")
    }
    #expect(longest > 2000 && longest <= 2048)
    end(run)
  }

  @Test func `are documents where documents are asked for`() throws {
    let server = try Loopback(stream: false)
    let watched = try watched(
      "format = json\nsyslog_facility = local3\nsyslog_server = udp://127.0.0.1:\(server.port)")
    let run = try start(watched)
    try watched.shell("rm g")
    let message = split(server.receive())
    #expect(message.priority == "<\(19 * 8 + 3)>1")
    #expect(message.body.hasPrefix("{\"@timestamp\":") && message.body.hasSuffix("}}"))
    #expect(run.lines("out") == [message.body])
    end(run)
  }

  @Test func `count as told when a server has them, and are told once more until then`() throws {
    let server = try Loopback(stream: true)
    let watched = try watched("syslog_server = relp://127.0.0.1:\(server.port)")
    // It is connected to, and says nothing: no message is ever done.
    let first = try start(watched)
    try watched.shell("echo new > ../n; mv ../n f")
    #expect(first.await("changed  high", in: "out"), "\(first.messages)")
    Pause.nanoseconds(500_000_000)
    first.signal(SIGKILL)
    #expect(first.end() == .signal(SIGKILL))
    try watched.shell("sed -i '/^syslog/d' ../integrity.conf")
    let second = try start(watched)
    #expect(second.await("changed  high", in: "out"), "\(second.messages)")
    end(second)
    let third = try start(watched)
    end(third)
    #expect(!third.contents("out").contains("changed"))
  }

  @Test func `go on where they went after a reload, and a wrong server is refused`() throws {
    let (one, other) = (try Loopback(stream: false), try Loopback(stream: false))
    let watched = try watched("syslog_server = udp://127.0.0.1:\(one.port)")
    let run = try start(watched)
    try watched.shell(
      "sed -i 's,^syslog_server.*,syslog_server = udp://127.0.0.1:\(other.port),' ../integrity.conf"
    )
    run.signal(SIGHUP)
    #expect(
      run.eventually {
        run.lines("err").count { $0.contains("a scan of everything has ended") } == 2
      }, "\(run.messages)")
    try watched.shell("rm g")
    #expect(split(other.receive()).words[1] == "file-removed")
    #expect(!one.isAsked)
    end(run)
    try watched.shell(
      "sed -i 's,^syslog_server.*,syslog_server = carrier://pigeon,' ../integrity.conf")
    let checked = try watched.run("--check")
    #expect(checked.end == .exit(2))
    let said = checked.output + checked.error
    #expect(said.contains("server is local, unix:PATH, journal"), "\(said)")
  }
}
