import Foundation
import Linux

/// An authority that OpenSSL's own tool is: certificates and lists of revoked ones, in a folder.
struct Authority {
  /// What is made lasts so long, unless a test says another time.
  static let nineDays = 9 * 86_400

  struct Certificate {
    let file: String
    let key: String

    /// As `openssl s_client` is given it.
    var arguments: [String] { ["-cert", file, "-key", key] }
    /// As audispatch-remote is.
    var settings: [String] { ["tls_cert = \(file)", "tls_key = \(key)"] }
  }

  private let scratch: Scratch
  private let name: String

  var file: String { scratch("\(name).pem") }
  var list: String { scratch("\(name).crl") }

  /// - Parameter name: no other in that folder has.
  init(_ scratch: Scratch, _ name: String = "ca") async throws {
    self.scratch = scratch
    self.name = name
    try scratch.write(
      """
      [ca]
      default_ca = it
      [it]
      database = \(name).index
      new_certs_dir = .
      rand_serial = yes
      unique_subject = no
      default_md = sha256
      policy = any
      copy_extensions = copy
      [any]
      organizationName = optional
      commonName = optional

      """, to: "\(name).conf")
    try scratch.write("", to: "\(name).index")
    try await perform(
      "openssl req -x509 -subj /CN=\(name) -days 9 -keyout \(name).key $made -out \(name).pem")
    try await publishList()
  }

  /// Makes a certificate, in the place of one that has that file's name.
  ///
  /// - Parameters:
  ///   - names: as OpenSSL has them: `DNS:web1`, `IP:127.0.0.1`.
  ///   - begins: in seconds from now, as `ends`.
  func issue(
    _ file: String, subject: String = "/O=test", names: [String] = [],
    use: String = "clientAuth,serverAuth", begins: Int = -60, ends: Int = Self.nineDays
  ) async throws -> Certificate {
    let names = names.isEmpty ? "" : "-addext subjectAltName=\(names.joined(separator: ","))"
    try await perform(
      """
      openssl req -subj \(subject) $made -keyout \(file).key.new -out \(file).csr \(names) \
        -addext extendedKeyUsage=\(use)
      $ca -batch -notext -in \(file).csr -out \(file).pem.new -startdate $(at \(begins)) \
        -enddate $(at \(ends))
      chmod 400 \(file).key.new
      mv \(file).key.new \(file).key
      mv \(file).pem.new \(file).pem
      """)
    return Certificate(file: scratch("\(file).pem"), key: scratch("\(file).key"))
  }

  /// Puts certificates on the list, which is made anew.
  func revoke(_ certificates: Certificate...) async throws {
    for certificate in certificates { try await perform("$ca -revoke \(certificate.file)") }
    try await publishList()
  }

  private func publishList() async throws {
    try await perform("$ca -gencrl -crl_nextupdate $(at \(Self.nineDays)) -out \(name).crl")
  }

  private func perform(_ commands: String) async throws {
    let outcome = try await run(
      "/bin/sh",
      [
        "-ec",
        """
        cd \(scratch.path)
        made='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
        ca='openssl ca -config \(name).conf -cert \(name).pem -keyfile \(name).key'
        at() { date -u -d "@$(($(date +%s) + $1))" +%Y%m%d%H%M%SZ; }
        \(commands)
        """,
      ])
    guard outcome.end == .exited(0) else { throw Timeout(description: outcome.error) }
  }
}

/// OpenSSL's own client, as a peer that says what a test has it say.
final class SecurePeer {
  let peer: RawPeer
  private let child: Child

  /// - Parameter arguments: of `s_client`.
  convenience init(_ host: CentralHost, _ arguments: [String]) throws {
    try self.init(port: host.port, arguments)
  }

  init(port: UInt16, _ arguments: [String]) throws {
    let (near, far) = try UnixSocket.pair().release()
    defer { close(far) }
    peer = RawPeer(owning: near)
    child = try Child(
      "/bin/sh",
      [
        "-c",
        "exec /usr/bin/openssl s_client -quiet -connect 127.0.0.1:\(port) \"$@\" >&0",
        "s_client",
      ] + arguments, input: far)
  }

  /// Sends a record, and whether it is acknowledged before the connection ends.
  func isStored(_ number: Int, node: String? = nil) throws -> Bool {
    guard (try? peer.record(ReceiveTests.line(number, node: node), UInt32(number))) != nil else {
      return false
    }
    return try peer.reply()?.sequence == UInt32(number)
  }
}
