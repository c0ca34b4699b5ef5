import Foundation
import Testing

/// audispatchd as a central host with a certificate, and peers that have one, or should.
@Suite(
  "Peers with certificates", .inTurn, .enabled(if: Host.isRoot, "needs root"),
  .enabled(if: Host.has("/usr/bin/openssl"), "needs openssl"))
struct CertificateTests {
  /// Made in `scratch`: the host's certificate and authority, and the list of that.
  static func host(
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
}
