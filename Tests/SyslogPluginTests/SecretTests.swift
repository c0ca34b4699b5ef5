import AuditRecord
import Testing

@testable import AudispatchPlugin
@testable import audispatch_syslog

@Suite("Secrets in what audispatch-syslog sends")
struct SecretTests {
  private static let secret = "hunter2"
  private static let hex = secret.utf8.map { String($0, radix: 16, uppercase: true) }.joined()
  /// A client with a password on its command line, cut in parts and as a title, and behind sudo.
  private static let lines = [
    "node=web1 type=SYSCALL \(Denied.stamp) arch=c000003e syscall=59 success=yes exit=0 pid=1985 "
      + "auid=1000 uid=0 tty=pts1 ses=3 comm=\"mysql\" exe=\"/usr/bin/mysql\" key=\"db\"",
    "node=web1 type=EXECVE \(Denied.stamp) argc=4 a0=\"mysql\" a1_len=9 a1[0]=\"-phun\"",
    "node=web1 type=EXECVE \(Denied.stamp) a1[1]=\"ter2\" a2=\"--api-key=\(secret)\" a3=\"db\"",
    "node=web1 type=PROCTITLE \(Denied.stamp) proctitle=6D7973716C002D70\(hex)",
    "node=web1 type=EOE \(Denied.stamp)",
  ]
  private static let command =
    "node=web1 type=USER_CMD \(Denied.stamp) pid=7 uid=1000 auid=1000 ses=3 "
    + "msg='cwd=\"/\" cmd=6D7973716C202D70\(hex) exe=\"/usr/bin/sudo\" res=success'"

  private static func options(_ arguments: [String]) -> SyslogOptions {
    let (options, errors) = settled(["--utc"] + arguments)
    #expect(errors == [], "\(arguments)")
    return options
  }

  private static func messages(_ arguments: [String], _ lines: [String]) throws -> [String] {
    var writer = MessageWriter(options(arguments), host: "here", process: 7)
    return writer.messages(of: try event(lines.map(bytes))).map(text)
  }

  private static func hasSecret(_ message: String) -> Bool {
    message.contains(secret) || message.contains(hex) || message.contains("ter2")
  }

  static let bodies: [[String]] = [
    ["--body", "json"], ["--body", "cee"], ["--body", "cef"], ["--body", "leef"],
    ["--body", "key_value"], ["--body", "json", "--messages", "records"], ["--interpret"],
    ["--interpret", "--messages", "events"], ["--server", "journal", "--body", "json"],
    ["--body", "json", "--interpret"],
  ]

  @Test(arguments: bodies) func `are taken out of every body that is made of an event`(
    _ body: [String]
  ) throws {
    for lines in [Self.lines, [Self.command]] {
      let plain = try Self.messages(body, lines)
      #expect(plain.contains { Self.hasSecret($0) }, "\(plain)")
      let redacted = try Self.messages(body + ["--redact"], lines)
      #expect(redacted.count == plain.count)
      #expect(!redacted.contains { Self.hasSecret($0) }, "\(redacted)")
      #expect(redacted.contains { $0.contains("[redacted]") }, "\(redacted)")
    }
  }

  @Test func `are those of further options and patterns too`() throws {
    let line = "type=EXECVE \(Denied.stamp) argc=3 a0=\"x\" a1=\"--pin\" a2=\"card=\(Self.secret)\""
    for arguments in [["--redact-option", "--pin"], ["--redact-pattern", "card=(.*)"]] {
      let message = try Self.messages(["--body", "json"] + arguments, [line])[0]
      #expect(!Self.hasSecret(message) && message.contains("[redacted]"), "\(message)")
    }
  }

  @Test(arguments: [["--redact"], ["--redact-option=--pin"], ["--redact", "--messages=events"]])
  func `are not taken for gone where records are sent as they are`(_ arguments: [String]) {
    let errors = settled(arguments).errors
    #expect(errors.count == 1 && errors[0].contains("set redact_verbatim = yes"), "\(errors)")
  }

  @Test func `are taken out of records that are sent as they are if that is asked for`() throws {
    for unit in ["records", "events"] {
      let plain = ["--messages", unit]
      #expect(try Self.messages(plain, Self.lines).contains { Self.hasSecret($0) })
      let messages = try Self.messages(plain + ["--redact-verbatim"], Self.lines)
      #expect(messages.count == (unit == "records" ? 4 : 1))
      let all = messages.joined(separator: "\n")
      #expect(!Self.hasSecret(all), "\(all)")
      // Everything else is as it was.
      #expect(all.contains(Self.lines[0]) && all.contains("a3=\"db\""), "\(all)")
      #expect(all.contains("a2=\"--api-key=[redacted]\""), "\(all)")
    }
  }

  @Test func `leave records as they come where nothing is taken out, and only there`() {
    #expect(MessageWriter.takesRecords(Self.options([])))
    #expect(LocalRecords.path(for: Self.options([])) != nil)
    // A secret may stand in several records, so their event is put together first.
    #expect(!MessageWriter.takesRecords(Self.options(["--redact-verbatim"])))
    #expect(LocalRecords.path(for: Self.options(["--redact-verbatim"])) == nil)
  }

  @Test func `are counted by events`() throws {
    var writer = MessageWriter(
      Self.options(["--body", "json", "--redact"]), host: "here", process: 7)
    for lines in [Self.lines, [Self.command], [Denied.syscall]] {
      _ = writer.messages(of: try event(lines.map(bytes)))
    }
    #expect(writer.redacted == 2)
  }
}
