import Foundation
import Testing

/// audispatchd as a central host with a certificate, and peers that have one, or should.
@Suite(
  "Peers with certificates", .inTurn, .enabled(if: Host.isRoot, "needs root"),
  .enabled(if: Host.has("/usr/bin/openssl"), "needs openssl"))
struct CertificateTests {
  /// Made in `scratch`: the host's certificate and authority, and the list of that.
  private static func host(
    _ scratch: Scratch, _ authority: Authority, _ settings: [String] = []
  ) async throws -> CentralHost {
    let own = try await authority.issue("collector", names: ["IP:127.0.0.1"], use: "serverAuth")
    return try await CentralHost(
      scratch,
      settings: own.settings + ["tls_ca = \(authority.file)", "tls_crl = \(authority.list)"]
        + settings, source: "tls")
  }

  private static func sender(
    _ scratch: Scratch, _ host: CentralHost, _ settings: [String]
  ) async throws -> Audispatchd {
    try await RemoteTests.daemon(
      scratch, RemoteTests.plugin(scratch, host.port, ["transport = tls"] + settings))
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"])
  func `of the right authority are let in, and known by their names`(version: String) async throws {
    let scratch = try Scratch()
    let authority = try await Authority(scratch)
    let host = try await Self.host(scratch, authority, ["peer_field = yes"])
    let named = try await authority.issue(
      "named", subject: "/CN=other", names: ["DNS:web1.example.org", "DNS:web2"])
    let common = try await authority.issue("common", subject: "/CN=web3")
    let verified = [version, "-CAfile", authority.file, "-verify_return_error"]
    #expect(try SecurePeer(host, verified + named.arguments).isStored(1))
    #expect(try SecurePeer(host, verified + common.arguments).isStored(2))
    #expect(try host.peers().map(\.identity) == ["web1.example.org", "web3"])
    // Who comes again is not told of it again.
    #expect(try SecurePeer(host, verified + named.arguments).isStored(3))
    try await host.expectStored([
      ReceiveTests.line(1) + " peer=web1.example.org", ReceiveTests.line(2) + " peer=web3",
      ReceiveTests.line(3) + " peer=web1.example.org",
    ])
    for name in ["web1.example.org", "web3"] {
      let warning = try Regex("the certificate of \(name) \\(127.0.0.1\\) ends in [89] days")
      #expect(host.daemon.messages.matches(of: warning).count == 1, "\(host.daemon.messages)")
    }
    try await host.stop()
    let spool = try await run(
      Programs.product("audispatchctl"), ["spool", "inspect", "--spool-dir", scratch("spool")])
    #expect(spool.output.contains(", from 127.0.0.1 web1.example.org: type=USER"))
    #expect(spool.output.contains(", from 127.0.0.1 web3: type=USER"))
  }

  /// What a peer does wrong, and what is said of it.
  private static let refusals = [
    ("none", "peer did not return a certificate"),
    ("another's", "unable to get local issuer certificate"), ("ended", "certificate has expired"),
    ("early", "certificate is not yet valid"), ("revoked", "certificate revoked"),
    ("server's", "unsuitable certificate purpose"), ("nameless", "its certificate has no name"),
    ("TLS 1.1", "unsupported protocol"),
  ]

  /// - Returns: the certificate that a peer shows; `nil`: none.
  private static func wrong(
    _ what: String, _ scratch: Scratch, _ authority: Authority
  ) async throws -> Authority.Certificate? {
    let name = "/CN=web1"
    switch what {
    case "none": return nil
    case "another's":
      return try await Authority(scratch, "another").issue("web1", subject: name)
    case "ended":
      return try await authority.issue("web1", subject: name, begins: -200, ends: -100)
    case "early": return try await authority.issue("web1", subject: name, begins: 3600)
    case "revoked":
      let certificate = try await authority.issue("web1", subject: name)
      try await authority.revoke(certificate)
      return certificate
    case "server's": return try await authority.issue("web1", subject: name, use: "serverAuth")
    case "nameless": return try await authority.issue("web1")
    default: return try await authority.issue("web1", subject: name)
    }
  }

  @Test(arguments: refusals.indices)
  func `are refused otherwise, with the reason`(_ index: Int) async throws {
    let (what, reason) = Self.refusals[index]
    let scratch = try Scratch()
    let authority = try await Authority(scratch)
    let certificate = try await Self.wrong(what, scratch, authority)
    let host = try await Self.host(scratch, authority)
    let old = what == "TLS 1.1" ? ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"] : []
    #expect(try !SecurePeer(host, old + (certificate?.arguments ?? [])).isStored(1))
    try await eventually("it is said", detail: { host.daemon.messages }) {
      host.daemon.messages.contains("127.0.0.1 is not served: ")
    }
    #expect(host.daemon.messages.contains(reason), "\(host.daemon.messages)")
    #expect(try host.source().turned_away == 1)
    #expect(host.stored.isEmpty)
    try await host.stop()
  }

  @Test(arguments: ["none", "another's", "ended", "revoked"])
  func `as audispatch-remote is one are let in once they have a right one`(_ what: String)
    async throws
  {
    let scratch = try Scratch()
    let authority = try await Authority(scratch)
    let certificate = try await Self.wrong(what, scratch, authority)
    let host = try await Self.host(scratch, authority, ["peer_field = yes"])
    let place = try Scratch()
    let sender = try await Self.sender(
      place, host, ["tls_ca = \(authority.file)"] + (certificate?.settings ?? []))
    let lines = TestEvent.stream(1..<101).records
    try await sender.send(lines)
    try await eventually(
      "both say so", detail: { host.daemon.messages + sender.messages }
    ) {
      host.daemon.messages.contains("127.0.0.1 is not served: ")
        && sender.messages.contains("no server takes")
    }
    #expect(host.stored.isEmpty)
    if let certificate {
      #expect(certificate.file == scratch("web1.pem"))
      _ = try await authority.issue("web1", subject: "/CN=web1")
      try await host.expectStored(lines.map { $0 + " peer=web1" })
    } else {
      #expect(sender.messages.contains("it asks for a certificate: tls_cert, tls_key"))
    }
    try await sender.killAll()
    try await host.stop()
  }

  @Test func `send nothing to a host whose certificate has another name`() async throws {
    let scratch = try Scratch()
    let authority = try await Authority(scratch)
    let host = try await Self.host(scratch, authority)
    let web1 = try await authority.issue("web1", subject: "/CN=web1")
    let sender = try await Self.sender(
      Scratch(), host, web1.settings + ["tls_ca = \(authority.file)", "tls_name = log.example.org"])
    try await sender.send([ReceiveTests.line(1)])
    try await eventually("it is said", detail: { sender.messages }) {
      sender.messages.contains("tls_name is the name in it")
    }
    #expect(host.stored.isEmpty)
    try await sender.killAll()
    try await host.stop()
  }

  @Test func `may be no other host than their certificate says`() async throws {
    let scratch = try Scratch()
    let authority = try await Authority(scratch)
    let host = try await Self.host(scratch, authority, ["node_policy = refuse"])
    let web1 = try await authority.issue("web1", names: ["DNS:web1.example.org"])
    let peer = try SecurePeer(host, web1.arguments)
    for (number, node) in ["web1", "web2", "web1.example.org", "web1.example.com"].enumerated() {
      #expect(try peer.isStored(number, node: node))
    }
    try await host.expectStored([
      ReceiveTests.line(0, node: "web1"), ReceiveTests.line(2, node: "web1.example.org"),
    ])
    #expect(try host.source().refused == 2)
    try await host.stop()
  }

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
    let host = try await Self.host(
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
