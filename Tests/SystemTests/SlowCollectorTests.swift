import Foundation
import Testing

/// Debian's audisp-remote, which waits five seconds for an answer, and a central host that is slow, or
/// lets go of who says nothing.
@Suite("A central host that takes its time", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct SlowCollectorTests {
  private func sender(_ host: CentralHost, _ settings: String = "") async throws -> Audispatchd {
    let scratch = try Scratch()
    try scratch.write(
      "remote_server = 127.0.0.1\nport = \(host.port)\n" + settings, to: "remote.conf")
    return try await Audispatchd(
      [PluginFile("remote", "/sbin/audisp-remote")], scratch: scratch,
      prefix: [
        "/usr/bin/unshare", "-m", "--propagation", "private", "/bin/sh",
        Programs.source("with-remote.sh"), scratch("remote.conf"),
      ])
  }

  @Test(
    .enabled(if: Host.has("/sbin/audisp-remote", "/usr/bin/unshare"), "needs audisp-remote"),
    arguments: [4, 6])
  func `has each record once, however late its answer is (C9)`(seconds: Int) async throws {
    let host = try await CentralHost(Scratch())
    let sender = try await sender(host)
    try await sender.send([ReceiveTests.line(1)])
    try await host.expectStored([ReceiveTests.line(1)])
    let receivers = host.receivers
    for pid in receivers { kill(pid, SIGSTOP) }
    try await sender.send([ReceiveTests.line(2)])
    try await Task.sleep(for: .seconds(seconds))
    for pid in receivers { kill(pid, SIGCONT) }
    try await sender.send([ReceiveTests.line(3)])
    try await host.expectStored((1...3).map { ReceiveTests.line($0) })
    // It has sent the second again over another connection when it had waited for too long.
    #expect(try host.source().duplicates == (seconds > 5 ? 1 : 0))
    try await sender.finish()
    try await host.stop()
  }

  @Test func `lets go of a peer that says nothing any more (C12)`() async throws {
    let host = try await CentralHost(Scratch(), settings: ["tcp_client_max_idle = 1"])
    let peer = try host.peer()
    try peer.record(ReceiveTests.line(1), 1)
    try await host.expectStored([ReceiveTests.line(1)])
    try await eventually(
      "its place is free", within: .seconds(15), detail: { host.daemon.messages }
    ) {
      try host.source().peers == 0
    }
    let next = try host.peer()
    try next.record(ReceiveTests.line(2), 1)
    try await host.expectStored([ReceiveTests.line(1), ReceiveTests.line(2)])
    withExtendedLifetime(peer) {}
    try await host.stop()
  }

  /// A real auditd tells such a sender of its disk with each record, and it sends that record for ever.
  @Test(.enabled(if: Host.has("/sbin/audisp-remote", "/usr/bin/unshare"), "needs audisp-remote"))
  func `has no record sent again and again while there is little room (C15)`() async throws {
    let scratch = try Scratch()
    let host = try await CentralHost(scratch, settings: ["spool_reserve = 1G"])
    let sender = try await sender(
      host, "disk_low_action = warn_once\ndisk_full_action = warn_once\n")
    let lines = (1...50).map { ReceiveTests.line($0) }
    try await sender.send(lines)
    try await host.expectStored(lines)
    #expect(try host.source().duplicates == 0)
    #expect(try host.source().records == 50)
    try await sender.finish()
    try await host.stop()
  }
}
