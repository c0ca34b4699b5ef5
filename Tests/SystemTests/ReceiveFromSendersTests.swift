import Foundation
import Testing

/// audispatchd as a central host, and the real programs that send to it.
@Suite("Senders and a central host", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ReceiveFromSendersTests {
  @Test func `audispatch-remote loses nothing and has nothing stored twice, whatever is killed`()
    async throws
  {
    let host = try await CentralHost(Scratch())
    let scratch = try Scratch()
    let sender = try await RemoteTests.daemon(scratch, RemoteTests.plugin(scratch, host.port))
    let events = TestEvent.stream(1..<2001, records: 2, eoe: true)
    for round in 0..<4 {
      try await sender.send(Array(events[round * 500..<(round + 1) * 500]))
      if round % 2 == 0 {
        for pid in host.receivers { kill(pid, SIGKILL) }
      } else if let plugin = try? sender.plugin("remote").pid, plugin > 0 {
        kill(pid_t(plugin), SIGKILL)
      }
    }
    try await host.expectStored(events.records.filter { !$0.contains("type=EOE ") })
    try await eventually("all is confirmed", within: .seconds(120), detail: { sender.messages }) {
      try sender.plugin("remote").queued == 0
    }
    #expect(try host.source().records == 4000)
    try await sender.finish()
    try await host.stop()
  }

  @Test(.enabled(if: Host.has("/sbin/audisp-remote", "/usr/bin/unshare"), "needs audisp-remote"))
  func `audisp-remote of Debian 12 has its records stored (C1, C3)`() async throws {
    let host = try await CentralHost(Scratch())
    let scratch = try Scratch()
    try scratch.write(
      "remote_server = 127.0.0.1\nport = \(host.port)\nqueue_depth = 10240\n", to: "remote.conf")
    let sender = try await Audispatchd(
      [PluginFile("remote", "/sbin/audisp-remote")], scratch: scratch,
      prefix: [
        "/usr/bin/unshare", "-m", "--propagation", "private", "/bin/sh",
        Programs.source("with-remote.sh"), scratch("remote.conf"),
      ])
    let long = "type=USER msg=audit(1700000000.001:1): n=" + String(repeating: "x", count: 8800)
    let events = TestEvent.stream(2..<1002, records: 2, eoe: true)
    try await sender.send([long] + events.records)
    try await host.expectStored([long] + events.records.filter { !$0.contains("type=EOE ") })
    try await sender.finish()
    try await host.stop()
  }
}
