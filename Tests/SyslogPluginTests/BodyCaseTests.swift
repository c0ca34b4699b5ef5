import AuditRecord
import Foundation
import Testing

@testable import AudispatchPlugin
@testable import SyslogSending
@testable import audispatch_syslog

private let stamp = BodyCase.stamp
private let call = BodyCase.call
private func message(_ arguments: [String], _ lines: [String]) throws -> String {
  try BodyCase.message(arguments, lines)
}

@Suite("A JSON body")
struct JSONCaseTests {
  private func record(_ lines: [String], _ arguments: [String] = []) throws -> [String: Any] {
    let text = try message(["--body", "json"] + arguments, lines)
    let start = try #require(text.firstIndex(of: "{"))
    let json = try JSONSerialization.jsonObject(with: Data(text[start...].utf8))
    let records = try #require((json as? [String: Any])?["records"] as? [[String: Any]])
    return try #require(records.first)
  }

  private func fields(_ line: String, _ arguments: [String] = []) throws -> [String: String] {
    try #require(try record([line], arguments)["fields"] as? [String: String])
  }

  @Test func `has what auditd added apart, so that no two names differ in case alone`() throws {
    let record = try record([Denied.syscall])
    let fields = try #require(record["fields"] as? [String: String])
    let added = try #require(record["enriched"] as? [String: String])
    #expect(fields["auid"] == "1000" && fields["AUID"] == nil)
    #expect(
      added == ["ARCH": "x86_64", "SYSCALL": "execve", "AUID": "alice", "UID": "root"])
    #expect(Set(fields.keys.map { $0.lowercased() }).count == fields.count)
  }

  static let forging = [
    "msg='op=x AUID=\"bob\" res=1'", "msg='op=x res=1\u{1d}UID=\"bob\" AUID=\"bob\" X='",
    "msg='op=x AUID=\"bob\" Auid=\"bob\" AUID_2=\"bob\"'",
  ]

  @Test(arguments: forging, [[], ["--interpret"]])
  func `never has a program's text for what auditd added`(
    _ text: String, _ arguments: [String]
  ) throws {
    let line = "type=USER_AUTH \(stamp) pid=1 uid=0 auid=4294967295 ses=1 \(text)"
    for end in ["", "\u{1d}UID=\"root\" AUID=\"unset\""] {
      let record = try record([line + end], arguments)
      let fields = try #require(record["fields"] as? [String: String])
      let added = record["enriched"] as? [String: String] ?? [:]
      #expect(fields["AUID"] == nil && fields["UID"] == nil)
      #expect(fields["auid"] == (arguments.isEmpty ? "4294967295" : "unset"))
      #expect(
        added == (end.isEmpty || !arguments.isEmpty ? [:] : ["UID": "root", "AUID": "unset"]))
      #expect(Set(fields.keys.map { $0.lowercased() }).count == fields.count)
    }
  }

  @Test(arguments: [[], ["--interpret"]])
  func `has values apart that differ in bytes, and gives them back`(
    _ arguments: [String]
  ) throws {
    let values: [[UInt8]] = [
      Array("/tmp/".utf8) + [0xff], Array(#"/tmp/\xff"#.utf8), Array(#"/tmp/\x5cxff"#.utf8),
      Array(#"\\x41\x"#.utf8), [0x5c, 0xff], [0xc3, 0xbc, 0xfc], [0x41, 0, 0x42],
      Array(#"\xZZ \x4"#.utf8), [0x09, 0x0a, 0x1b, 0x7f, 0x01],
    ]
    var seen: Set<String> = []
    for value in values {
      let hex = value.map { String(format: "%02X", $0) }.joined()
      let found = try fields("type=PATH \(stamp) item=0 name=\(hex)", arguments)["name"]
      let name = try #require(found)
      #expect(seen.insert(name).inserted)
      #expect(!name.utf8.contains(0))
      #expect(Self.back(name) == value)
    }
  }

  /// `\xNN` read as a byte.
  static func back(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    var value: [UInt8] = []
    var at = 0
    while at < bytes.count {
      if bytes[at] == 0x5c, at + 3 < bytes.count, bytes[at + 1] == UInt8(ascii: "x"),
        let byte = UInt8(String(decoding: bytes[at + 2...at + 3], as: UTF8.self), radix: 16)
      {
        value.append(byte)
        at += 4
      } else {
        value.append(bytes[at])
        at += 1
      }
    }
    return value
  }

  static let whole: [(String, [String: String])] = [
    (
      "type=DAEMON_END \(stamp) auditd normal halt, sending auid=0 subj= res=success",
      ["text": "auditd normal halt, sending", "auid": "0", "subj": "", "res": "success"]
    ),
    (
      "type=SYSCALL \(stamp) subj==/usr/sbin/ntpd (enforce) key=\"net\"",
      ["subj": "=/usr/sbin/ntpd (enforce)", "key": "net"]
    ),
    (
      "type=USER \(stamp) pid=1 msg='text=it is a=b \"quoted\" done exe=\"/x\" res=success'",
      ["pid": "1", "text": "it is a=b \"quoted\" done", "exe": "/x", "res": "success"]
    ),
    (
      "type=USER_AUTH \(stamp) user pid=9 msg='PAM: bad acct=\"a\" : exe=\"/x\" (addr=?, res=failed)'",
      [
        "text": "user", "pid": "9", "text_2": "PAM: bad", "acct": "a", "exe": "/x", "addr": "?",
        "res": "failed",
      ]
    ),
    (
      "type=LOGIN \(stamp) login pid=1 uid=0 old auid=5 new auid=6 old ses=7 new ses=8",
      [
        "text": "login", "pid": "1", "uid": "0", "old-auid": "5", "auid": "6", "old-ses": "7",
        "ses": "8",
      ]
    ),
    (
      "type=USER_AVC \(stamp) pid=1 msg='avc:  received policyload notice (seqno=2)  exe=\"/x\"'",
      ["pid": "1", "text": "avc:  received policyload notice", "seqno": "2", "exe": "/x"]
    ),
    (
      "type=AVC \(stamp) avc:  denied  { read write } for  pid=1 name=\"x\"",
      ["seresult": "denied", "seperms": "read,write", "pid": "1", "name": "x"]
    ),
    (
      "type=SYSCALL \(stamp) key=6B65792031016B657932016B657933",
      ["key": "key 1", "key_2": "key2", "key_3": "key3"]
    ),
    (
      "type=PROCTITLE \(stamp) proctitle=707974686F6E002D630061206200",
      ["proctitle": "python -c a b"]
    ),
    ("type=USER_TTY \(stamp) data=6C730041", ["data": "ls\\x00A"]),
  ]

  @Test(arguments: whole)
  func `loses nothing`(_ line: String, _ expected: [String: String]) throws {
    #expect(try fields(line) == expected)
  }

  @Test(arguments: whole.filter { !$0.0.contains("auid") && !$0.0.contains("data=") })
  func `loses nothing when it is interpreted`(
    _ line: String, _ expected: [String: String]
  ) throws {
    #expect(try Set(fields(line, ["--interpret"]).keys) == Set(expected.keys))
  }
}

@Suite("A key_value body and structured data")
struct PairsCaseTests {
  private let keys = "type=SYSCALL \(stamp) arch=c000003e key=6101620163"

  @Test func `number several keys`() throws {
    let body = try message(["--format", "rfc5424", "--body", "key_value"], [keys])
    #expect(body.contains("key=\"a\" key_2=\"b\" key_3=\"c\"]"))
    #expect(
      body.contains(
        " key=a key_2=b key_3=c type=SYSCALL arch=c000003e key=a key_2=b key_3=c"))
  }

  @Test func `let no field pass for the body's own or for auditd's`() throws {
    let line =
      "type=USER \(stamp) pid=1 uid=0 msg='op=x type=SYSCALL serial=7 UID=\"bob\"'\u{1d}UID=\"root\""
    let body = try message(["--body", "key_value"], [line])
    #expect(
      body.hasSuffix(
        "serial=1 type=USER pid=1 uid=0 op=x type_2=SYSCALL serial_2=7 UID_2=bob UID=root"))
  }
}
