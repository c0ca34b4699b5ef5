import Foundation
import Testing

/// What a real rsyslogd reads out of messages, which knows no case and ends a text at a NUL.
@Suite(
  "What rsyslog reads out of audispatch-syslog's messages", .inTurn,
  .enabled(if: Rsyslogd.isHere, Rsyslogd.why))
struct SyslogReaderTests {
  static let lines = [
    "type=PROCTITLE msg=audit(1700000000.001:1): proctitle=707974686F6E002D63006120622063",
    "type=USER_LOGIN msg=audit(1700000000.002:2): pid=9 uid=0 auid=1000 ses=4 msg='op=login "
      + "AUID=\"bob\" acct=6AFC00 exe=\"/s\" res=success'\u{1d}UID=\"root\" AUID=\"alice\"",
    "type=SYSCALL msg=audit(1700000000.003:3): arch=c000003e syscall=2 uid=0 key=610162",
  ]

  private func read(_ body: String) async throws -> [[String: Any]] {
    let scratch = try Scratch()
    let server = try await Rsyslogd(.tcp, scratch, parses: true)
    let file = try SyslogPluginTests.configuration(scratch, server.settings + ["body = \(body)"])
    let daemon = try await Audispatchd(
      [PluginFile("syslog", SyslogPluginTests.program, ["--config", file])], scratch: scratch)
    try await daemon.send(Self.lines)
    try await eventually("three messages", detail: { daemon.messages }) {
      scratch.lines("log").count == 3
    }
    try await daemon.finish()
    return try scratch.lines("log").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  private func record(_ message: [String: Any], _ part: String) -> [String: String] {
    let records = message["records"] as? [[String: Any]]
    return records?.first?[part] as? [String: String] ?? [:]
  }

  @Test func `is all of a cee body`() async throws {
    let messages = try await read("cee")
    #expect(record(messages[0], "fields") == ["proctitle": "python -c a b c"])
    let login = record(messages[1], "fields")
    #expect(login["auid"] == "1000" && login["AUID_2"] == "bob")
    #expect(login["acct"] == #"j\xfc\x00"# && login["res"] == "success")
    #expect(record(messages[1], "enriched") == ["UID": "root", "AUID": "alice"])
    #expect(messages[2]["keys"] as? [String] == ["a", "b"])
  }

  @Test func `is every key of the structured data`() async throws {
    let messages = try await read("key_value")
    let data = messages[2]["rfc5424-sd"] as? [String: [String: String]]
    let element = data?["audit@32473"]
    #expect(element?["key"] == "a" && element?["key_2"] == "b" && element?["serial"] == "3")
  }
}
