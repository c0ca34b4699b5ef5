import Foundation
import Testing

/// A private syslog-ng, unpacked into the build folder (`Scripts/install-dependencies test`), that
/// writes the text of what it takes into the file `log`.
final class Syslogng: Sendable {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../.build/syslog-ng").standardized.path
  private static let program = root + "/usr/sbin/syslog-ng"
  static let isHere = Host.has(program, "/usr/bin/openssl")
  static let why: Comment = "needs root, openssl and syslog-ng in .build/syslog-ng"

  enum Input: String, CaseIterable, Sendable { case counted, lines, tls }

  let scratch: Scratch
  let input: Input
  let port: UInt16
  let child: Child

  init(_ input: Input, _ scratch: Scratch) async throws {
    self.input = input
    self.scratch = scratch
    let port = try freePort()
    self.port = port
    if input == .tls { try await Certificates.make(in: scratch) }
    let modules = Self.root + "/usr/lib/syslog-ng/"
    let version = try #require(
      try FileManager.default.contentsOfDirectory(atPath: modules).first { $0.first == "3" })
    let driver =
      switch input {
      case .counted: "syslog(ip(127.0.0.1) port(\(port)) transport(tcp))"
      case .lines: "network(ip(127.0.0.1) port(\(port)) transport(tcp) flags(syslog-protocol))"
      case .tls:
        "syslog(ip(127.0.0.1) port(\(port)) transport(tls) tls(cert-file(\"\(scratch("server.pem"))\")"
          + " key-file(\"\(scratch("server.key"))\") ca-file(\"\(scratch("ca.pem"))\")"
          + " peer-verify(required-trusted)))"
      }
    try scratch.write(
      """
      @version: \(version)
      source s { \(driver); };
      destination d { file("\(scratch("log"))" template("${MSG}\\n") flush-lines(1)); };
      log { source(s); destination(d); };

      """, to: "ng.conf")
    let libraries = [modules, "/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu"]
      .map { $0.hasPrefix(Self.root) ? $0 : Self.root + $0 }
    let child = try Child(
      Self.program,
      [
        "-F", "--no-caps", "-f", scratch("ng.conf"), "-R", scratch("ng.persist"), "-p",
        scratch("ng.pid"), "-c", scratch("ng.ctl"), "--module-path", modules + version,
      ],
      environment: ["LD_LIBRARY_PATH": libraries.joined(separator: ":"), "PATH": "/usr/bin:/bin"],
      output: scratch("ng.out"), error: scratch("ng.out"))
    self.child = child
    try await eventually("syslog-ng listens", detail: { scratch.text("ng.out") }) {
      if child.ended != nil { throw Timeout(description: scratch.text("ng.out")) }
      return Rsyslogd.listens(on: port, datagrams: false)
    }
  }

  /// What the plugin's configuration says for this server.
  var settings: [String] {
    switch input {
    case .counted: ["server = tcp://127.0.0.1:\(port)"]
    case .lines: ["server = tcp://127.0.0.1:\(port)", "framing = lines"]
    case .tls:
      [
        "server = tls://127.0.0.1:\(port)", "tls_ca = \(scratch("ca.pem"))",
        "tls_cert = \(scratch("client.pem"))", "tls_key = \(scratch("client.key"))",
      ]
    }
  }
}
