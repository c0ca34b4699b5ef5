import Foundation
import Testing

/// A private rsyslogd on the loopback that writes what it takes into the file `log`.
final class Rsyslogd: Sendable {
  static let program = "/usr/sbin/rsyslogd"
  static let modules = "/usr/lib/x86_64-linux-gnu/rsyslog/"
  static let isHere =
    Host.has(program, "/usr/bin/openssl")
    && ["imrelp", "imtcp", "imptcp", "imudp", "lmnsd_ossl"].allSatisfy { name in
      FileManager.default.fileExists(atPath: modules + name + ".so")
    }
  static let why: Comment = "needs root, openssl, rsyslog, rsyslog-relp and rsyslog-openssl"

  enum Input: String, CaseIterable, Sendable {
    case udp, tcp, tls, relp
    case relpOverTLS = "relp+tls"
    /// TLS that asks for a certificate.
    case mutual = "tls with certificates"
  }

  let scratch: Scratch
  let input: Input
  let port: UInt16
  let child: Child

  /// Starts it. With `port` it is the successor of one that was killed.
  ///
  /// - Parameter parses: whether it writes what it reads out of messages (mmjsonparse,
  ///   mmpstrucdata), as JSON, and not the messages.
  init(
    _ input: Input, _ scratch: Scratch, port: UInt16? = nil, parses: Bool = false
  ) async throws {
    self.input = input
    self.scratch = scratch
    let port = try port ?? freePort()
    self.port = port
    if !scratch.exists("ca.pem") { try await Certificates.make(in: scratch) }
    try scratch.write(Self.configuration(input, port, scratch, parses), to: "rsyslog.conf")
    let child = try Child(
      Self.program,
      ["-n", "-f", scratch("rsyslog.conf"), "-i", scratch("rsyslog.pid")],
      output: scratch("rsyslog.out"), error: scratch("rsyslog.out"))
    self.child = child
    try await eventually("rsyslogd listens", detail: { scratch.text("rsyslog.out") }) {
      if child.ended != nil { throw Timeout(description: scratch.text("rsyslog.out")) }
      // A connection that is not used would be a session without a word.
      return Self.listens(on: port, datagrams: input == .udp)
    }
  }

  static func listens(on port: UInt16, datagrams: Bool) -> Bool {
    let place =
      ":" + String(repeating: "0", count: 4 - String(port, radix: 16).count)
      + String(port, radix: 16).uppercased() + " "
    let tables = datagrams ? ["udp", "udp6"] : ["tcp", "tcp6"]
    return tables.contains { table in
      String(decoding: contents("/proc/net/" + table), as: UTF8.self).split(separator: "\n")
        .contains { $0.contains(place) && (datagrams || $0.contains(" 0A ")) }
    }
  }

  private static func configuration(
    _ input: Input, _ port: UInt16, _ scratch: Scratch, _ parses: Bool
  ) -> String {
    let files =
      "DefaultNetstreamDriverCAFile=\"\(scratch("ca.pem"))\" "
      + "DefaultNetstreamDriverCertFile=\"\(scratch("server.pem"))\" "
      + "DefaultNetstreamDriverKeyFile=\"\(scratch("server.key"))\""
    let own =
      switch input {
      case .udp: "module(load=\"imudp\")\ninput(type=\"imudp\""
      case .tcp: "module(load=\"imptcp\")\ninput(type=\"imptcp\""
      case .tls, .mutual:
        "module(load=\"imtcp\" StreamDriver.Name=\"ossl\" StreamDriver.Mode=\"1\" "
          + "StreamDriver.AuthMode=\"\(input == .tls ? "anon" : "x509/certvalid")\")\n"
          + "input(type=\"imtcp\""
      case .relp: "module(load=\"imrelp\")\ninput(type=\"imrelp\""
      case .relpOverTLS:
        "module(load=\"imrelp\")\ninput(type=\"imrelp\" tls=\"on\" "
          + "tls.caCert=\"\(scratch("ca.pem"))\" tls.myCert=\"\(scratch("server.pem"))\" "
          + "tls.myPrivKey=\"\(scratch("server.key"))\" tls.authMode=\"name\" "
          + "tls.permittedPeer=[\"client\"]"
      }
    let modules =
      parses ? "module(load=\"mmjsonparse\")\nmodule(load=\"mmpstrucdata\")" : ""
    let actions =
      parses ? "action(type=\"mmjsonparse\")\n  action(type=\"mmpstrucdata\")" : ""
    return """
      global(workDirectory="\(scratch.path)" \(files))
      main_queue(queue.type="Direct")
      \(modules)
      template(name="raw" type="string" string="%\(parses ? "$!all-json" : "rawmsg")%\\n")
      \(own) port="\(port)" ruleset="all")
      ruleset(name="all" queue.type="Direct") {
        \(actions)
        action(type="omfile" file="\(scratch("log"))" template="raw" flushOnTXEnd="on")
      }

      """
  }

  /// The address as the plugin takes it.
  var server: String {
    let scheme =
      switch input {
      case .udp: "udp"
      case .tcp: "tcp"
      case .tls, .mutual: "tls"
      case .relp: "relp"
      case .relpOverTLS: "relp+tls"
      }
    return "\(scheme)://127.0.0.1:\(port)"
  }

  /// What the plugin's configuration says for this server.
  var settings: [String] {
    var lines = ["server = \(server)"]
    switch input {
    case .tls: lines.append("tls_ca = \(scratch("ca.pem"))")
    case .mutual, .relpOverTLS:
      lines += [
        "tls_ca = \(scratch("ca.pem"))", "tls_cert = \(scratch("client.pem"))",
        "tls_key = \(scratch("client.key"))",
      ]
    default: break
    }
    return lines
  }

  /// The bodies of the messages that it stored: what stands from `type=` on.
  var stored: [String] { Self.bodies(scratch.lines("log")) }

  /// The size of what it stored.
  var storedBytes: Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: scratch("log"))
    return attributes?[.size] as? Int ?? 0
  }

  static func bodies(_ lines: [String]) -> [String] {
    lines.compactMap { line in
      // Behind structured data, else behind the tag.
      let head = line.range(of: "] type=") ?? line.range(of: ": type=")
      return head.map { String(line[line.index($0.lowerBound, offsetBy: 2)...]) }
    }
  }

  func kill() async throws {
    child.signal(SIGKILL)
    _ = try await child.end()
  }

  func stop() async throws {
    child.signal(SIGTERM)
    _ = try await child.end()
  }
}

/// Certificates of an authority, a server on the loopback and a client, and of another authority.
enum Certificates {
  static func make(in scratch: Scratch) async throws {
    try await authority("ca", in: scratch)
    try await authority("other", in: scratch)
    try await leaf("server", "DNS:localhost,IP:127.0.0.1", in: scratch)
    try await leaf("client", "DNS:client", in: scratch)
  }

  private static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

  private static func authority(_ name: String, in scratch: Scratch) async throws {
    try await openssl(
      ["req", "-x509", "-subj", "/CN=\(name)", "-days", "30", "-keyout", scratch("\(name).key")]
        + key + ["-out", scratch("\(name).pem")])
  }

  private static func leaf(_ name: String, _ names: String, in scratch: Scratch) async throws {
    try scratch.write("subjectAltName=\(names)\n", to: "\(name).ext")
    try await openssl(
      ["req", "-subj", "/CN=\(name)", "-keyout", scratch("\(name).key")] + key
        + ["-out", scratch("\(name).csr")])
    try await openssl([
      "x509", "-req", "-in", scratch("\(name).csr"), "-CA", scratch("ca.pem"), "-CAkey",
      scratch("ca.key"), "-set_serial", "\(UInt32.random(in: 1...1 << 30))", "-days", "30",
      "-extfile", scratch("\(name).ext"), "-out", scratch("\(name).pem"),
    ])
  }

  private static func openssl(_ arguments: [String]) async throws {
    let outcome = try await run("/usr/bin/openssl", arguments)
    try #require(outcome.end == .exited(0), "\(outcome.error)")
  }
}
