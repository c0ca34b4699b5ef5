import Foundation
import Testing

/// Certificates, authorities, lists and keys of a central host that end, or are others after a reload.
@Suite(
  "Peers whose certificates or keys are renewed", .inTurn, .enabled(if: Host.isRoot, "needs root"),
  .enabled(if: Host.has("/usr/bin/openssl"), "needs openssl"))
struct CertificateRenewalTests {
  @Test func `keep their connections while certificate, authorities and lists are renewed`()
    async throws
  {
    let scratch = try Scratch()
    let first = try await Authority(scratch, "first")
    let next = try await Authority(scratch, "next")
    func put(_ files: [String], to name: String) throws {
      try scratch.write(files.map { scratch.text($0) }.joined(), to: name)
    }
    try put(["first.pem"], to: "ca.pem")
    try put(["first.crl"], to: "ca.crl")
    let own = try await first.issue("collector", names: ["IP:127.0.0.1"])
    let host = try await CentralHost(
      scratch,
      settings: own.settings + ["tls_ca = \(scratch("ca.pem"))", "tls_crl = \(scratch("ca.crl"))"],
      source: "tls")
    let web1 = try await first.issue("web1", subject: "/CN=web1")
    let web2 = try await first.issue("web2", subject: "/CN=web2")
    let web3 = try await next.issue("web3", subject: "/CN=web3")
    let one = try SecurePeer(host, web1.arguments)
    let two = try SecurePeer(host, web2.arguments)
    #expect(try one.isStored(1) && two.isStored(2))

    // Another authority's certificate is shown, and both authorities' are taken.
    _ = try await next.issue("collector", names: ["IP:127.0.0.1"])
    try put(["first.pem", "next.pem"], to: "ca.pem")
    try put(["first.crl", "next.crl"], to: "ca.crl")
    host.daemon.reload()
    let verified = ["-CAfile", next.file, "-verify_return_error"]
    var three: SecurePeer?
    try await eventually("the next authority counts", detail: { host.daemon.messages }) {
      let peer = try SecurePeer(host, verified + web3.arguments)
      guard try peer.isStored(3) else { return false }
      three = peer
      return true
    }
    #expect(try one.isStored(4) && two.isStored(5))

    // Who is revoked is let go, and nobody else.
    try await first.revoke(web2)
    try put(["first.crl", "next.crl"], to: "ca.crl")
    host.daemon.reload()
    #expect(try two.peer.reply()?.type == ReceiveTests.ending)
    #expect(try one.isStored(6))
    try await eventually("it is said", detail: { host.daemon.messages }) {
      host.daemon.messages.contains(
        "its certificate does not count any more: certificate revoked")
    }
    try await eventually("it is not among those connected") { try host.source().peers == 2 }

    // What cannot be used does not count, nor the rest without it.
    try FileManager.default.removeItem(atPath: scratch("ca.crl"))
    host.daemon.reload()
    try await eventually("it is said", detail: { host.daemon.messages }) {
      host.daemon.messages.contains("; the certificates of before go on")
    }
    #expect(try one.isStored(7))
    #expect(try !SecurePeer(host, web2.arguments).isStored(8))

    // The first authority is given up.
    try put(["next.pem"], to: "ca.pem")
    try put(["next.crl"], to: "ca.crl")
    host.daemon.reload()
    #expect(try one.peer.reply()?.type == ReceiveTests.ending)
    #expect(try #require(three).isStored(9))
    let expected = Set([1, 2, 3, 4, 5, 6, 7, 9].map { ReceiveTests.line($0) })
    try await eventually("all are stored") { Set(host.stored) == expected }
    try await host.stop()
  }

  @Test func `are told of by their host when its own is about to end, and when it has`()
    async throws
  {
    let scratch = try Scratch()
    let authority = try await Authority(scratch)
    let own = try await authority.issue("collector", ends: 8)
    let host = try await CentralHost(
      scratch,
      settings: own.settings + ["tls_ca = \(authority.file)", "tls_crl = \(authority.list)"],
      source: "tls")
    for text in [
      "the certificate ends within a day", "an authority of tls_ca ends in 8 days",
      "a list of tls_crl ends in 8 days", "the certificate has ended",
    ] {
      try await eventually(text, detail: { host.daemon.messages }) {
        host.daemon.messages.contains("audispatch-receive: \(text)")
      }
    }
    try await host.stop()
  }

  /// Beside certificates, which changes nothing for who has a key.
  @Test
  func `or keys have two keys at a time, and are let go with one that does not count any more`()
    async throws
  {
    let scratch = try Scratch()
    let keys = ["a1", "b2", "c3"].map { String(repeating: $0, count: 32) }
    for place in 0..<2 { try scratch.write(keys[place] + "\n", to: "key\(place)", mode: 0o400) }
    let names = "tls_psk_identity = old new"
    let host = try await CertificateTests.host(
      scratch, Authority(scratch),
      [names, "tls_psk_file = \(scratch("key0")) \(scratch("key1"))", "peer_field = yes"])
    func peer(_ name: String, _ key: String) throws -> SecurePeer {
      try SecurePeer(host, ["-tls1_3", "-psk_identity", name, "-psk", key])
    }
    let old = try peer("old", keys[0])
    let new = try peer("new", keys[1])
    #expect(try old.isStored(1) && new.isStored(2))
    #expect(try !peer("old", keys[1]).isStored(3))

    // Another key by the same name.
    try scratch.remove("key0")
    try scratch.write(keys[2] + "\n", to: "key0", mode: 0o400)
    host.daemon.reload()
    #expect(try old.peer.reply()?.type == ReceiveTests.ending)
    #expect(try new.isStored(4))
    let third = try peer("old", keys[2])
    #expect(try third.isStored(5))

    // A name that is there no more.
    let file = host.daemon.files.configuration
    var text = try String(contentsOfFile: file, encoding: .utf8)
    text.replace(names, with: "tls_psk_identity = old")
    text.replace(" " + scratch("key1"), with: "")
    try text.write(toFile: file, atomically: false, encoding: .utf8)
    host.daemon.reload()
    #expect(try new.peer.reply()?.type == ReceiveTests.ending)
    #expect(try third.isStored(6))
    try await host.expectStored(
      [(1, "old"), (2, "new"), (4, "new"), (5, "old"), (6, "old")].map {
        ReceiveTests.line($0) + " peer=\($1)"
      })
    try await host.stop()
  }
}
