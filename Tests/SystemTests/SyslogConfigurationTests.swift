import Foundation
import Linux
import Testing

/// What audispatch-syslog says of its configuration, and how a change of it counts.
@Suite("The configuration of audispatch-syslog", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct SyslogConfigurationTests {
  static let impossible: [([String], String)] = [
    (
      ["server = tls://h", "tls_ca = SCRATCH/syslog.conf"],
      ":2:10: error: cannot read the authorities' certificates: "
    ),
    (
      ["server = tls://h", "tls_ca = SCRATCH/nowhere"], ":2:10: error: cannot examine "
    ),
    (
      ["tls_cert = SCRATCH/client.pem", "tls_key = SCRATCH/server.key", "server = tls://h"],
      ":2:11: error: cannot use the private key: key values mismatch"
    ),
    (
      ["server = tls://h", "tls_cert = SCRATCH/client.pem"],
      ":2:12: error: a certificate and its key belong together"
    ),
    (["server = unix:/etc/passwd"], ":1:10: error: /etc/passwd is a file, not a socket"),
    (["body = cef", "messages = records"], ":2:12: error: cef describes whole events"),
    (
      ["server = journal", "server = udp://h"],
      ":2:10: error: the journal takes messages of another form"
    ),
    (
      ["server = udp://h", "max_size = 64K"], ":2:12: error: no datagram has more than 65507 bytes"
    ),
  ]

  @Test(arguments: impossible.indices)
  func `reports where it stands what can never work`(_ index: Int) async throws {
    let scratch = try Scratch()
    let (lines, expected) = Self.impossible[index]
    if lines.contains(where: { $0.contains("tls_cert") }) {
      try await Certificates.make(in: scratch)
    }
    let file = try SyslogPluginTests.configuration(
      scratch, lines.map { $0.replacing("SCRATCH", with: scratch.path) })
    let outcome = try await run(SyslogPluginTests.program, ["--config", file, "--check"])
    #expect(outcome.end == .exited(2))
    #expect(outcome.output.contains(file + expected), "\(outcome.output)")
  }

  @Test func `reports every problem of its configuration`() async throws {
    let scratch = try Scratch()
    let file = try SyslogPluginTests.configuration(
      scratch, ["server = http://h", "body = xml", "servr = x"])
    let outcome = try await run(SyslogPluginTests.program, ["--config", file, "--check"])
    #expect(outcome.end == .exited(2))
    #expect(outcome.output.split(separator: "\n").last == "3 errors, 0 warnings")
  }

  @Test func `follows its configuration on SIGHUP`() async throws {
    let scratch = try Scratch()
    let log = try SystemLog(scratch("log"))
    let lines = ["server = unix:\(log.path)", "body = json"]
    let file = try SyslogPluginTests.configuration(scratch, lines)
    let daemon = try await Audispatchd(
      [PluginFile("syslog", SyslogPluginTests.program, ["--config", file])], scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<2))
    try await eventually("JSON") { log.messages.last?.contains("\"serial\":1") == true }
    _ = try SyslogPluginTests.configuration(scratch, lines + ["facility = local7"])
    daemon.reload()
    var serial = 2
    try await eventually("another facility", detail: { daemon.messages }) {
      try await daemon.send(TestEvent.stream(serial..<serial + 1))
      serial += 1
      return log.messages.last?.hasPrefix("<190>") == true
    }
    try await daemon.finish()
  }

  @Test func `applies other servers on SIGHUP though another body needs a new start`()
    async throws
  {
    let scratch = try Scratch()
    let logs = try ["one", "two"].map { try SystemLog(scratch($0)) }
    let file = try SyslogPluginTests.configuration(
      scratch, ["server = unix:\(logs[0].path)", "format = rfc5424"])
    let daemon = try await Audispatchd(
      [PluginFile("syslog", SyslogPluginTests.program, ["--config", file])], scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<2))
    try await eventually("a message") { logs[0].messages.count == 1 }
    _ = try SyslogPluginTests.configuration(
      scratch, ["server = unix:\(logs[1].path)", "format = rfc5424", "body = json"])
    daemon.reload()
    var serial = 2
    try await eventually("another server", detail: { daemon.messages }) {
      try await daemon.send(TestEvent.stream(serial..<serial + 1))
      serial += 1
      return logs[1].messages.last?.contains("] type=SYSCALL") == true
    }
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains("messages, body, interpret and redact stay as they were")
    }
    try await daemon.finish()
  }
}
