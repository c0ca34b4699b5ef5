import Foundation
import Glibc
import Linux
import Testing

/// `name_format = fqd`, and name servers as they are while a network comes up. One test at a time has the
/// name server's address.
@Suite(
  "The node's name", .serialized, .inTurn, .enabled(if: Host.isRoot, "needs root"),
  .enabled(if: Host.has("/usr/bin/unshare"), "needs unshare"))
struct NodeNameTests {
  private let scratch: Scratch
  private let host: String
  private var full: String { host + ".example.test" }

  init() throws {
    scratch = try Scratch()
    host = try #require(try NodeName.resolve(.hostname, name: nil))
    try scratch.write(
      "nameserver \(NameServer.address)\nsearch example.test\noptions timeout:20 attempts:1\n",
      to: "resolv.conf", mode: 0o644)
    try scratch.write("127.0.0.1 localhost\n", to: "hosts", mode: 0o644)
  }

  private func start() async throws -> Audispatchd {
    try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])],
      settings: ["name_format = fqd"], scratch: scratch,
      prefix: [
        "/usr/bin/unshare", "-m", "--propagation", "private", "/bin/sh",
        Programs.source("with-names.sh"), scratch("resolv.conf"), scratch("hosts"),
      ])
  }

  /// Sends a record that names no node, and gives the one that it came with.
  private func node(_ daemon: Audispatchd, _ serial: Int) async throws -> String? {
    let payload = "audit(1700000000.000:\(serial)): x=1"
    try await daemon.send(bytes: Binary.record(payload, version: 0), records: 1)
    var line: String?
    try await eventually("it is there", detail: { daemon.messages }) {
      line = scratch.lines("out").first { $0.contains(":\(serial))") }
      return line != nil
    }
    return line?.split(separator: " ").first.map(String.init)
  }

  private func killWorker(_ daemon: Audispatchd) async throws {
    kill(try #require(daemon.worker), SIGKILL)
    try await eventually("another serves", detail: { daemon.messages }) {
      guard let state = daemon.files.stateIfAny() else { return false }
      return try state.daemon.deaths == 1 && state.plugin("p").state == "running"
    }
  }

  @Test func `is the host's until a silent name server says it, and then goes on after a death`()
    async throws
  {
    let server = try NameServer()
    let daemon = try await start()
    #expect(server.isAsked)
    #expect(
      daemon.messages.contains(
        "no name server has answered yet: records are given node=\(host) until one does"))
    #expect(try await node(daemon, 1) == "node=\(host)")
    // The kinds of address are asked for one by one, and the name with and without a domain.
    try await eventually("it is known", detail: { daemon.messages }) {
      server.answer()
      return daemon.messages.contains("records are given node=\(full) from here on")
    }
    #expect(try await node(daemon, 2) == "node=\(full)")
    // Nobody answers the next one.
    try await killWorker(daemon)
    #expect(try await node(daemon, 3) == "node=\(full)")
    try await daemon.finish()
    withExtendedLifetime(server) {}
  }

  @Test func `that was silent keeps neither delivery nor a stop`() async throws {
    let server = try NameServer()
    let daemon = try await start()
    #expect(try await node(daemon, 1) == "node=\(host)")
    let stopped = ContinuousClock.now
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
    #expect(ContinuousClock.now - stopped < .seconds(5))
    withExtendedLifetime(server) {}
  }

  /// Nobody is there to ask, as before the network is.
  @Test func `that cannot be found is the host's, which is said`() async throws {
    let daemon = try await start()
    #expect(try await node(daemon, 1) == "node=\(host)")
    #expect(daemon.messages.contains("cannot resolve the host's name \(host)"))
    try await daemon.finish()
  }

  @Test func `that was found goes on after a death, when it cannot be found any more`() async throws
  {
    try scratch.write(
      "127.0.0.1 localhost\n127.0.1.1 \(full) \(host)\n", to: "hosts", mode: 0o644)
    let server = try NameServer()
    let daemon = try await start()
    #expect(try await node(daemon, 1) == "node=\(full)")
    // In its place: it is mounted.
    try "127.0.0.1 localhost\n".write(
      toFile: scratch("hosts"), atomically: false, encoding: .utf8)
    try await killWorker(daemon)
    #expect(try await node(daemon, 2) == "node=\(full)")
    #expect(!server.isAsked)
    try await daemon.finish()
  }
}
