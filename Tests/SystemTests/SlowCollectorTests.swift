import Foundation
import Glibc
import Linux
import TestSupport
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

  /// Neither FIN nor RST comes of it, and nothing reaches it.
  @Test(
    .enabled(if: Host.has("/usr/bin/unshare", "/usr/bin/nsenter", "/usr/sbin/nft"), "needs nft"))
  func `lets a host come again that is gone without a word, and finds out that it is (C12)`()
    async throws
  { try await KernelAudit.apart { try await vanishAndComeAgain() } }

  private func vanishAndComeAgain() async throws {
    let host = try await CentralHost(
      Scratch(), settings: ["tcp_max_per_addr = 1"],
      prefix: [
        "/usr/bin/unshare", "-n", "/bin/sh", "-c", "ip link set lo up && exec \"$@\"", "sh",
      ])
    let network = "/proc/\(host.daemon.child.pid)/ns/net"
    func peer() throws -> RawPeer {
      RawPeer(
        owning: try #require(
          try within(network) { loopbackConnection(to: host.port, from: "127.0.0.2") }))
    }
    func vanish(_ peer: RawPeer) async throws {
      let port = try boundPort(of: peer.number)
      let rules = try host.scratch.write(
        "add table inet t\nadd chain inet t c { type filter hook input priority 0; }\n"
          + "add rule inet t c tcp sport \(port) drop\nadd rule inet t c tcp dport \(port) drop\n",
        to: "rules")
      let outcome = try await run(
        "/usr/bin/nsenter", ["--net=\(network)", "/usr/sbin/nft", "-f", rules])
      try #require(outcome.end == .exited(0), "\(outcome.error)")
    }
    let first = try peer()
    try first.record(ReceiveTests.line(1), 1)
    try ReceiveTests.expectAcknowledged(first, [1])
    try await vanish(first)
    var second: RawPeer?
    try await eventually(
      "it is taken again", within: .seconds(15), detail: { host.daemon.messages }
    ) {
      let peer = try peer()
      guard (try? peer.record(ReceiveTests.line(2), 1)) != nil,
        (try? peer.reply())?.type == ReceiveTests.acknowledgement
      else { return false }
      second = peer
      return true
    }
    try await vanish(try #require(second))
    #expect(try host.source().peers == 1)
    try await eventually(
      "it is found out", within: .seconds(75), detail: { host.daemon.messages }
    ) { try host.source().peers == 0 }
    try await host.expectStored([ReceiveTests.line(1), ReceiveTests.line(2)])
    withExtendedLifetime(first) {}
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

/// Does something where sockets belong to that network namespace.
private func within<Result>(_ network: String, _ body: () throws -> Result) throws -> Result {
  // What is imported of glibc does not have it.
  typealias Function = @convention(c) (Int32, Int32) -> Int32
  guard let symbol = unsafe dlsym(dlopen(nil, RTLD_NOW), "setns") else { throw Errno(ENOSYS) }
  let setns = unsafe unsafeBitCast(symbol, to: Function.self)
  let own = try Descriptor.open("/proc/thread-self/ns/net", O_RDONLY)
  let other = try Descriptor.open(network, O_RDONLY)
  guard setns(other.number, 0) == 0 else { throw Errno.current }
  defer { precondition(setns(own.number, 0) == 0, "this thread is in another network") }
  return try body()
}
