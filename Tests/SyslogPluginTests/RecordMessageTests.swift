import AuditRecord
import Foundation
import Testing

@testable import AudispatchPlugin
@testable import SyslogSending
@testable import audispatch_syslog

@Suite("A message of a record")
struct RecordMessageTests {
  static let plain = Denied.cwd
  static let headers: [([String], String)] = [
    (["--utc"], "<14>Nov 20 23:20:03 audisp-syslog: "),
    (["--utc", "LOG_WARNING", "LOG_LOCAL3"], "<156>Nov 20 23:20:03 audispd: "),
    (["--utc", "--tag", "mine"], "<14>Nov 20 23:20:03 mine: "),
    (
      ["--utc", "--format", "rfc3164", "--server", "udp://h"],
      "<14>Nov 20 23:20:03 web1 audisp-syslog: "
    ),
    (
      ["--format", "rfc5424"],
      "<14>1 2025-11-20T23:20:03.855Z web1 audisp-syslog 7 CWD "
        + "[audit@32473 node=\"web1\" type=\"CWD\" time=\"1763680803.855\" serial=\"724\"] "
    ),
    (
      ["--server", "tcp://h", "--structured-data=no"],
      "<14>1 2025-11-20T23:20:03.855Z web1 audisp-syslog 7 CWD - "
    ),
    (
      ["--server", "relp://h", "--enterprise-number", "9", "LOG_AUDIT"],
      "<110>1 2025-11-20T23:20:03.855Z web1 audispd 7 CWD "
        + "[audit@9 node=\"web1\" type=\"CWD\" time=\"1763680803.855\" serial=\"724\"] "
    ),
  ]

  private func message(_ arguments: [String], _ line: String) throws -> String {
    let batch = try batch([bytes(line)])
    var writer = writer(arguments)
    return text(writer.message(of: batch.records[0], in: batch.bytes))
  }

  private func writer(_ arguments: [String]) -> MessageWriter {
    let line = try? CommandLineSettings(arguments, SyslogOptions.keywords)
    var options = SyslogOptions()
    if let line {
      options = OptionSource<SyslogOptions>(line, usually: "/nowhere/x.conf", user: 0).load().0
    }
    return MessageWriter(options, host: "here", process: 7)
  }

  @Test(arguments: headers.indices)
  func `has its header in front of the record as it is`(_ index: Int) throws {
    let (arguments, header) = Self.headers[index]
    #expect(try message(arguments, Self.plain) == header + Self.plain)
  }

  @Test func `names this host when the record names none`() throws {
    let line = "type=CWD \(Denied.stamp) cwd=\"/\""
    #expect(
      try message(["--server", "tcp://h", "--structured-data=no"], line)
        == "<14>1 2025-11-20T23:20:03.855Z here audisp-syslog 7 CWD - " + line)
  }

  @Test func `has the rule's key, and a space for auditd's separator`() throws {
    let message = try message(["--format", "rfc5424"], Denied.syscall)
    #expect(message.contains("serial=\"724\" key=\"logins\"] node=web1 type=SYSCALL"))
    #expect(message.hasSuffix(Denied.syscall.replacing("\u{1d}", with: " ")))
  }

  @Test func `keeps to its size whatever node and keys it has`() throws {
    let key = String(repeating: "6B", count: 2000) + String(repeating: "016C", count: 50)
    let node = String(repeating: "n", count: 300)
    let line = "node=\(node) type=SYSCALL \(Denied.stamp) arch=c000003e key=\(key)"
    for size in [480, 700, 8096] {
      let message = try message(
        [
          "--server", "tcp://h", "--max-size", "\(size)", "--tag",
          String(repeating: "t", count: 48),
        ],
        line)
      #expect(message.utf8.count <= size)
    }
  }

  @Test(arguments: ["rfc5424", "rfc3164"], [[], ["--messages", "events"], ["interpret"]])
  func `has its serial whatever node it has`(_ format: String, _ further: [String]) throws {
    for (node, size) in [64, 128, 250, 255].flatMap({ node in
      [480, 540, 600, 700, 2048].map { (node, $0) }
    }) {
      let start = "node=\(String(repeating: "n", count: node)) type=SYSCALL \(Denied.stamp)"
      let line = "\(start) arch=c000003e syscall=2 a0=\(String(repeating: "a", count: 4000))"
      var writer = writer(
        ["--server", "tcp://h", "--format", format, "--max-size", "\(size)"] + further
          + ["--tag", String(repeating: "t", count: 48)])
      for message in writer.messages(of: try event([bytes(line), bytes(line)])).map(text) {
        #expect(message.utf8.count <= size)
        #expect(message.contains("msg=audit(1763680803.855:724)"), "\(message)")
      }
    }
  }

  @Test(arguments: [
    ("key=6C6F67696E7301726F6F74", ["logins", "root"]), ("key=(null)", []),
    ("key=\"a]b\"", ["a]b"]),
    ("a0=1", []),
  ])
  func `finds the keys without the event`(_ field: String, _ keys: [String]) throws {
    let line = bytes("type=SYSCALL \(Denied.stamp) arch=c000003e \(field)")
    let batch = try batch([line])
    #expect(RecordKeys.keys(of: batch.records[0], in: batch.bytes).map(text) == keys)
  }

  @Test(arguments: 480...600)
  func `is cut to its size with a mark, and never inside a character`(_ size: Int) throws {
    let line = "type=CWD \(Denied.stamp) cwd=\"\(String(repeating: "äß€", count: 300))\""
    let message = try message(["--max-size", "\(size)", "--format", "rfc5424"], line)
    #expect(message.utf8.count <= size && message.utf8.count > size - 8)
    #expect(!message.contains("\u{fffd}"))
    let mark = try #require(message.firstMatch(of: #/…\[\+(\d+) bytes\]$/#))
    let kept = message.utf8.count - mark.0.utf8.count
    let header = try #require(message.range(of: "type=CWD msg")).lowerBound
    let headerCount = message.utf8.distance(from: message.startIndex, to: header)
    #expect(kept - headerCount + (Int(mark.1) ?? 0) == line.utf8.count)
  }
}
